"""Normal references, thresholds and diagnostics from held-out normal images. May import scoring."""
