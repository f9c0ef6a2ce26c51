"""The Streamlit pages, one folder each, which share `ui.shared` alone. May import zoo and session."""
