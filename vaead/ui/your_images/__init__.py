"""The page Your images: upload, train or load a model, score. May import ui.shared."""
