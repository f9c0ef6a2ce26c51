"""Start with `streamlit run app.py`."""

from vaead.ui.app import show

show()
