"""Start with `streamlit run app.py`."""

from vaead.ui.shell import show

show()
