"""From windows to D, A and M, by the exported network alone. May import config and errors; no TensorFlow."""
