"""Held-out normal images: references, thresholds, diagnostics.

May import scoring and config.
"""
