"""The models and the demo that come with vaead."""
