"""Metrics of scores on images, pixels, groups of photos and class pairs. May import scoring and paths."""
