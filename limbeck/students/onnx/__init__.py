"""A student read from an ONNX file, so that it is verified without torch."""
