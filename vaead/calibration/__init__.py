"""What held-out normal images look like: references, thresholds, diagnostics.

May import scoring and config.
"""
