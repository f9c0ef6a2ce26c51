"""A trained model: its networks, card, files, store and predictions. May import scoring and calibration."""
