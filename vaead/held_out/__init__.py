"""Held-out normal images: which they are, defects made in them, calibrating. May import model and data."""
