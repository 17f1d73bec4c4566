"""PyTorch checkpoints to verified ONNX files in the bundle: python -m export."""
