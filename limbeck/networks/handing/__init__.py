"""What leaves the house: weights, ONNX, costs."""
