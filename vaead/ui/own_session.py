"""All that the page "Your images" keeps of one visitor. No other visitor can reach it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from vaead.tasks import PhotoTask
from vaead.ui.own_folder import make_folder
from vaead.ui.own_photos import OwnPhotos
from vaead.ui.own_scoring import Results

_KEY = "_own"


class OwnSession:
    """What a visitor has brought and what was made of it.

    Attributes:
        photos: The images.
        task: The training started last, None before.
        results: Of the model trained last, None before.
        settings: Values of the controls, so that they outlive a visit to another page.
        uploads: Counts uploads taken in, so that each finds empty controls after it.
        trouble: Why the last upload or training could not be taken up, as a sentence.
    """

    def __init__(self) -> None:
        self._folder = make_folder()
        self._runs = 0
        self.uploads = 0
        self._clear()

    def clear(self) -> None:
        """Forget all images, the model and the results."""
        self._folder.close()
        self._folder = make_folder()
        self._clear()

    def _clear(self) -> None:
        self.photos = OwnPhotos(self._subfolder("photos"))
        self.task: PhotoTask | None = None
        self.results: Results | None = None
        self.settings: dict[str, float | bool | str] = {}
        self.trouble: str | None = None

    def new_run(self) -> Path:
        """An empty folder for a training."""
        self._runs += 1
        return self._subfolder(f"run{self._runs}")

    def before_removal(self, action: Callable[[], None]) -> None:
        """Have something done when all this is forgotten; see `vaead.ui.own_folder`."""
        self._folder.before_removal(action)

    def _subfolder(self, name: str) -> Path:
        folder = self._folder.path / name
        folder.mkdir(parents=True)
        return folder


def current() -> OwnSession:
    """What belongs to the visitor of this page."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = OwnSession()
    own: OwnSession = st.session_state[_KEY]
    return own
