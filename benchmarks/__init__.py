"""Measurements behind every figure of the README; see README.md in this folder."""
