"""One file a model: how its checkpoint becomes ONNX graphs."""
