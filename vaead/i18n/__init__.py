"""The text catalogue: all texts in each language. May import model and photo_defaults."""
