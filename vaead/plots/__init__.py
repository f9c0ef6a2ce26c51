"""Arrays to Plotly figures and PNG files, without text or model of their own. May import nothing."""
