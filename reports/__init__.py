"""Records -> knowledge; knows no training."""
