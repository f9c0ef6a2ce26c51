"""The text catalogue: all texts in each language. May import calibration and photo_defaults."""
