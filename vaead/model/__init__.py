"""A trained model: networks, card, files and store. May import calibration, recipe, paths and shipped."""
