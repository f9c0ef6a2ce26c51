"""Files that travel with vaead beside its code: models, docs, the app's start file and its settings.

In a checkout they lie at the top level, in an installed package in the folder `shipped` beside this file.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
IS_INSTALLED = (_PACKAGE / "shipped").is_dir()
_ROOT = _PACKAGE / "shipped" if IS_INSTALLED else _PACKAGE.parent
APP = _ROOT / "app.py"
"""Start file of the app; Streamlit reads its settings from `.streamlit` beside it."""
MODELS = _ROOT / "models"
"""Models that were trained for all classes of the datasets, and the model of the demo."""
SCORE = _PACKAGE / "standalone" / "score.py"
"""Program that scores without vaead; a copy goes with each model of photos."""
DOCS = _ROOT / "docs"
"""Pages of Markdown, of which an installed package has those that the app shows."""
