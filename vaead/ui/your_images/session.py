"""All that the page "Your images" keeps of one visitor. No other visitor can reach it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import streamlit as st

from vaead.processes.train_command import PhotoTask
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session_folder import make_folder
from vaead.ui.your_images.upload_queue import Intake
from vaead.ui.your_images.uploaded_photos import OwnPhotos

_KEY = "_own"


class OwnSession:
    """What a visitor has brought and what was made of it.

    Attributes:
        photos: The images.
        task: The training started last, None before.
        task_normals: Digests of the normal images that there were then.
        results: Of the model trained or brought last, None before.
        settings: Values of the controls, so that they outlive a visit to another page.
        intakes: Images on their way in, in the order in which they came.
        uploads: Counts uploads taken in by role, so that each finds an empty control after it.
        bringing: Held while a model is taken in.
        models: Counts models taken in, as `uploads` does images.
        normal_count: Normal images for which settings were proposed.
        trouble: Why the last upload or training could not be taken up, as a sentence.
    """

    def __init__(self) -> None:
        self._folder = make_folder()
        self._runs = 0
        self._lock = threading.Lock()
        self._claimed: set[str] = set()
        self.uploads = {"normal": 0, "judged": 0}
        self.intakes: list[Intake] = []
        self.bringing = threading.Lock()
        self.models = 0
        self._clear()

    def clear(self) -> None:
        """Forget all images, the model and the results."""
        with self._lock:
            intakes, self.intakes = self.intakes, []
        for intake in intakes:
            intake.close()
        for role in self.uploads:
            self.uploads[role] += 1
        self._folder.close()
        self._folder = make_folder()
        self._clear()

    def _clear(self) -> None:
        self.photos = OwnPhotos(self._subfolder("photos"))
        self.task: PhotoTask | None = None
        self.task_normals: frozenset[str] = frozenset()
        self.results: Results | None = None
        self.settings: dict[str, float | bool | str] = {}
        self.normal_count = 0
        self.trouble: str | None = None

    def claim(self, ids: Iterable[str]) -> set[str]:
        """Which of these uploaded files have never been claimed before; two runs may see the same ones."""
        with self._lock:
            fresh = set(ids) - self._claimed
            self._claimed |= fresh
        return fresh

    def finish(self, intake: Intake) -> bool:
        """Forget images that are all in; False if that was done already."""
        with self._lock:
            if intake not in self.intakes:
                return False
            self.intakes.remove(intake)
        if intake.role:
            self.uploads[intake.role] += 1
        return True

    def take_model(self, results: Results) -> None:
        """Judge with another model from now on."""
        old, self.results = self.results, results
        if old is not None:
            shutil.rmtree(old.folder.parent, ignore_errors=True)

    def new_run(self) -> Path:
        """An empty folder for a training."""
        self._runs += 1
        return self._subfolder(f"run{self._runs}")

    def before_removal(self, action: Callable[[], None]) -> None:
        """Have something done when all this is forgotten; see `vaead.ui.your_images.session_folder`."""
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
