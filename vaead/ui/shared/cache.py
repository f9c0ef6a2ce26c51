"""Models, datasets and training jobs that all visitors share; any thread may use them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import plotly.graph_objects as go
import streamlit as st

from vaead.data.datasets import Dataset, load_dataset
from vaead.errors import DataUnavailableError, VaeadError
from vaead.inference.photo_service import PhotoService
from vaead.model.files import CARD
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.plots import gallery as tiles
from vaead.processes.durations import DurationLog
from vaead.processes.training_jobs import TrainingJobs
from vaead.recipe import Recipe

_MODELS_IN_MEMORY = 8
"""12 MB each after a look at it; one is read again in some milliseconds."""
_GALLERIES_IN_MEMORY = 64
"""All classes of three datasets in two languages; 0.1 MB each."""
_GALLERY_IMAGES = 24
_ERROR_KEPT_S = 600.0
_MOMENT_S = 1.0
_CALIBRATION_S = 600.0
"""For one model: a few seconds for 50 photos, minutes for thousands."""


class DatasetSource:
    """Loads datasets and remembers for a while which of them could not be had.

    Without that memory each click of each visitor would wait for another failing download.
    """

    def __init__(self) -> None:
        self._failed: dict[str, tuple[float, str]] = {}
        self._coming: dict[str, _Coming] = {}
        self._lock = threading.Lock()

    def load(self, name: str, on_progress: Callable[[int, int], None]) -> Dataset:
        """Load a dataset.

        Raises:
            DataUnavailableError: It cannot be had, or could not be a short while ago.
        """
        with self._lock:
            failed_at, message = self._failed.get(name, (-_ERROR_KEPT_S, ""))
        if message and time.monotonic() - failed_at < _ERROR_KEPT_S:
            raise DataUnavailableError(message)
        try:
            return load_dataset(name, on_progress)
        except DataUnavailableError as error:
            with self._lock:
                # Not the error itself, which would keep all that its traceback names.
                self._failed[name] = (time.monotonic(), str(error))
            raise

    def load_soon(self, name: str) -> Dataset | None:
        """A dataset that is here within a moment; None for one that comes later, or cannot be had.

        A page must not stand still for the sake of some small pictures: what has to be downloaded comes in
        another thread, and is there for a later run of the page.
        """
        with self._lock:
            coming = self._coming.get(name)
            if coming is None or coming.is_done:
                coming = self._coming[name] = _Coming(partial(self.load, name, _ignore))
        return coming.wait()

    def retry(self, name: str) -> None:
        """Forget that a dataset could not be had."""
        with self._lock:
            self._failed.pop(name, None)


class _Coming:
    """A dataset that another thread loads."""

    def __init__(self, load: Callable[[], Dataset]) -> None:
        self._load = load
        self._dataset: Dataset | None = None
        self._waited_until = time.monotonic() + _MOMENT_S
        self._thread = threading.Thread(target=self._run, daemon=True, name="vaead-dataset")
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """True if it has been loaded, or could not be."""
        return not self._thread.is_alive()

    def wait(self) -> Dataset | None:
        """The dataset, if it is there a moment after it was first asked for."""
        self._thread.join(max(0.0, self._waited_until - time.monotonic()))
        return self._dataset

    def _run(self) -> None:
        with contextlib.suppress(VaeadError):
            self._dataset = self._load()


def _ignore(_received: int, _total: int) -> None:
    """Progress that nobody sees."""


@st.cache_resource(show_spinner=False)
def dataset_source() -> DatasetSource:
    """The datasets of this server."""
    return DatasetSource()


@cache
def photo_service() -> PhotoService:
    """The processes of this server that read and score the photos of visitors."""
    return PhotoService()


@cache
def calibration_service() -> PhotoService:
    """The process of this server that calibrates models of visitors; photos need not wait for it."""
    return PhotoService(1, _CALIBRATION_S)


@st.cache_resource(show_spinner=False)
def training_jobs() -> TrainingJobs:
    """The training jobs of this server."""
    root = ModelStore().root
    return TrainingJobs(root, durations=DurationLog(root if isinstance(root, Path) else None))


@st.cache_resource(
    max_entries=_GALLERIES_IN_MEMORY, show_spinner=False, hash_funcs={Dataset: lambda dataset: dataset.name}
)
def gallery(dataset: Dataset, number: int, hover: str) -> go.Figure:
    """The first test images of a class, see `vaead.plots.gallery`; no draw changes them, so they are kept."""
    return tiles.gallery(dataset.test.of_class(number)[:_GALLERY_IMAGES], columns=8, hover=hover)


def load_stored(recipe: Recipe) -> Model:
    """Read a model, or take it from memory if its folder has not changed.

    Raises:
        ModelNotFoundError: It is not in the store.
        ModelFormatError: It is incomplete, damaged or from a newer version of vaead.
    """
    return _load_version(recipe, changed_ns(recipe))


def changed_ns(recipe: Recipe) -> int:
    """Time of the last change of a recipe's model, 0 if it is not there."""
    card = ModelStore().folder(recipe) / CARD
    return card.stat().st_mtime_ns if isinstance(card, Path) and card.is_file() else 0


@st.cache_resource(max_entries=_MODELS_IN_MEMORY, show_spinner=False)
def _load_version(recipe: Recipe, changed_ns: int) -> Model:  # noqa: ARG001 - part of the cache's key
    return ModelStore().load(recipe)
