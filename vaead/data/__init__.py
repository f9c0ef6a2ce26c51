"""Datasets, photos and made-up screws: images in, arrays out. May import paths."""
