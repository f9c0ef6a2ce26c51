"""The page Compare: one normal and one anomalous image with their maps. May import ui.shared."""
