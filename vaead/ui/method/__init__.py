"""The page Method: how a score comes about, one module a step, and a reference in words."""
