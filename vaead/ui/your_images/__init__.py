"""The page Your images."""
