"""Metrics of scores on images, pixels, groups of photos and pairs of classes."""
