"""Folders of photos to predictions, maps, tables, a report and metrics."""
