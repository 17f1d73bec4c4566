"""ONNX Runtime: the bundle of shipped models and the sessions that run them."""
