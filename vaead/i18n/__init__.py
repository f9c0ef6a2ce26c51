"""The text catalogue: all texts of the interface in each language. May import calibration and photo_defaults."""
