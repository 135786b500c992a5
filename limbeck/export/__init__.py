"""What leaves limbeck: weights, ONNX, costs."""
