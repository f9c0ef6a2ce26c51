"""The text catalogue: every text of the interface in each language. May import data and calibration."""
