"""Start with `streamlit run app.py`."""

import streamlit as st
from starlette.middleware import Middleware

from vaead.ui.app import show, until_the_end
from vaead.ui.first_paint import FirstPaint

if __name__ == "__main__":  # for each visitor
    show()
else:  # once, for the server
    app = st.App(__file__, middleware=[Middleware(FirstPaint)], lifespan=until_the_end)
