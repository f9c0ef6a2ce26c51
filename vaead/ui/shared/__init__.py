"""What the pages share. May import the engine; no page."""
