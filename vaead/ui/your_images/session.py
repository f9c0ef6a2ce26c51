"""State of the page "Your images" for one visitor. No other visitor can reach it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from vaead.model.card import ModelCard
from vaead.processes.train_command import PhotoTask
from vaead.recipe import Recipe
from vaead.session import Session
from vaead.ui.your_images.own_photos import OwnPhoto, OwnPhotos
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session_folder import make_folder
from vaead.ui.your_images.upload_queue import UploadQueue

_KEY = "_own"


@dataclass
class Trial:
    """Settings that are compared with others.

    Attributes:
        name: What is different in them.
        recipe: The settings.
        photos: Normal images that are large enough.
        task: Their training, None while it is not queued.
        card: Card of its model, None before.
        trouble: Why it has failed, as a sentence.
    """

    name: str
    recipe: Recipe
    photos: tuple[OwnPhoto, ...]
    task: PhotoTask | None = None
    card: ModelCard | None = None
    trouble: str | None = None

    @property
    def pending(self) -> bool:
        """True until its training has ended."""
        return self.card is None and self.trouble is None


@dataclass(frozen=True)
class Wish:
    """An image to calibrate with, and whether even if it stands far above all normal ones."""

    photo: OwnPhoto
    even_if_unusual: bool


@dataclass
class Reopened:
    """A session that was saved before and opened here.

    Attributes:
        session: What it remembers.
        taken_of: For the folder of each of its models, the images that it was calibrated with because they
            were called normal, by their place in the session.
        has_settings: True once the controls have its settings.
    """

    session: Session
    taken_of: dict[Path, tuple[int, ...]]
    has_settings: bool = False
    _known: set[int] = field(default_factory=set)

    def new_places(self, places: Iterable[int]) -> set[int]:
        """Those places that no call before has had."""
        new = set(places) - self._known
        self._known |= new
        return new


@dataclass
class ImagesBox:
    """The box that holds the images once there are results.

    Streamlit takes a box with another title for a new one, which begins as it is told.
    """

    title: str = ""
    begins_open: bool = False
    is_open: bool = False


class OwnSession:
    """Images, settings, training and results of a visitor.

    Attributes:
        photos: The images.
        uploads: Images that wait to be read.
        task: The training started last, None before.
        task_normals: Digests of the normal images of that training.
        task_taken: Test images that it was calibrated with, because the visitor has called them normal.
        trials: Settings that are compared, none before.
        results: Results of the model trained or uploaded last, None before.
        model_upload_lock: Held while a model is unpacked and tried.
        model_upload_count: Models uploaded so far, so that each finds an empty control after it.
        session_upload_count: The same for sessions.
        reopened: The session that was opened here, None for none.
        settings: Values of the controls, so that they outlive a visit to another page.
        normal_count: Normal images for which settings were proposed.
        boxes: Boxes on normal images that are left out; see `vaead.ui.your_images.boxes`.
        trouble: Why the last upload, training or calibration failed, as a sentence.
        wish: An image to calibrate with, None for none.
        missed: Images that the visitor calls anomalous although they were not flagged.
        stale: True if a click in a part of the page has changed other parts.
        images_box: Whether the images are folded away.
    """

    def __init__(self) -> None:
        self._folder = make_folder()
        self._runs = 0
        self.uploads = UploadQueue()
        self.model_upload_lock = threading.Lock()
        self.model_upload_count = 0
        self.session_upload_count = 0
        self._clear()

    def clear(self) -> None:
        """Forget all images, the model and the results."""
        self.uploads.clear()
        self._folder.close()
        self._folder = make_folder()
        self._clear()

    def _clear(self) -> None:
        self.photos = OwnPhotos(self._subfolder("photos"))
        self._reset()

    def _reset(self) -> None:
        self.task: PhotoTask | None = None
        self.task_normals: frozenset[str] = frozenset()
        self.task_taken: tuple[OwnPhoto, ...] = ()
        self.trials: list[Trial] = []
        self.results: Results | None = None
        self.reopened: Reopened | None = None
        self.settings: dict[str, float | bool | str] = {}
        self.normal_count = 0
        self.boxes: list[tuple[float, float, float, float]] = []
        self.trouble: str | None = None
        self.wish: Wish | None = None
        self.missed: list[OwnPhoto] = []
        self.stale = False
        self.images_box = ImagesBox()

    @property
    def is_empty(self) -> bool:
        """True if nothing would be lost."""
        return not (self.photos.normal or self.photos.test or self.photos.awaited or self.results)

    def replace(self, photos: OwnPhotos, results: Results | None, reopened: Reopened) -> None:
        """Put a session that was opened in the place of all images, trainings and models."""
        self._folder.leave()
        old, kept = self.results, self.photos
        self._reset()
        kept.become(photos)
        self.photos, self.results, self.reopened = kept, results, reopened
        _delete(old)

    def has_taken(self, photo: OwnPhoto) -> bool:
        """True if the model was calibrated with a test image, which has to stay what it is then."""
        return self.results is not None and photo in self.results.taken

    def remove(self, photo: OwnPhoto) -> None:
        """Remove one image, and all that was found in it."""
        self._forget(photo)
        for trial in self.trials:
            trial.photos = tuple(each for each in trial.photos if each is not photo)
        self.photos.remove(photo)
        self.normal_count = len(self.photos.normal)

    def move(self, photo: OwnPhoto) -> None:
        """Make a test image of a normal one, or the other way round; what was found in it is forgotten."""
        self._forget(photo)
        self.photos.move(photo)
        self.normal_count = len(self.photos.normal)

    def _forget(self, photo: OwnPhoto) -> None:
        if self.results is not None:
            self.results.forget(photo)
        self.missed = [each for each in self.missed if each is not photo]
        if self.wish is not None and self.wish.photo is photo:
            self.wish = None

    def propose_settings_anew(self) -> None:
        """Forget the settings if the normal images are others than those they were proposed for."""
        if self.normal_count != len(self.photos.normal):
            self.normal_count, self.settings = len(self.photos.normal), {}

    def take_model(self, results: Results) -> None:
        """Use another model from now on, and delete the one before, in all its calibrations."""
        old, self.results = self.results, results
        self.wish, self.missed = None, []
        _delete(old)

    def undo_calibration(self) -> None:
        """Go back to the model before its last calibration, which is deleted."""
        last = self.results
        if last is not None and last.before is not None:
            self.results = last.before
            shutil.rmtree(last.folder.parent, ignore_errors=True)

    def new_run(self) -> Path:
        """An empty folder for a training."""
        self._runs += 1
        return self._subfolder(f"run{self._runs}")

    def before_removal(self, action: Callable[[], None]) -> None:
        """Call a function before the folder is deleted."""
        self._folder.before_removal(action)

    def _subfolder(self, name: str) -> Path:
        folder = self._folder.path / name
        folder.mkdir(parents=True)
        return folder


def _delete(results: Results | None) -> None:
    """Delete a model in all its calibrations."""
    while results is not None:
        shutil.rmtree(results.folder.parent, ignore_errors=True)
        results = results.before


def current() -> OwnSession:
    """The state of the visitor of this page."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = OwnSession()
    own: OwnSession = st.session_state[_KEY]
    return own
