"""All that imports TensorFlow: networks, training, export. May import model, calibration and data."""
