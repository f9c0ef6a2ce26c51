"""Version of vaead."""

__version__ = "0.1.0"
