"""Controls, address, cache, figures and training panel of all pages; imports no page."""
