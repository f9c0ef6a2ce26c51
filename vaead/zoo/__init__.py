"""The models and the demo that come with vaead. May import inference and training."""
