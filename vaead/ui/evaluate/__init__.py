"""The page Evaluate: metrics, thresholds and all pairs of classes. May import ui.shared."""
