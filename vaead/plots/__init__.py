"""Arrays to Plotly figures and PNG, without text or model of their own. May import nothing of vaead."""
