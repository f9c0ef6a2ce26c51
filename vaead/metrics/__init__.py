"""How well scores tell normal from anomalous: images, pixels, defects, pairs of classes."""
