"""Look at many photos with a model, here or in other processes and on other machines, with equal results."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from vaead.data.photos import Photo
from vaead.errors import ModelFormatError
from vaead.model.card import ModelCard
from vaead.model.model import Model
from vaead.model.store import load_model
from vaead.paths import AnyPath, absolute, is_url
from vaead.processes.workers import Workers
from vaead.scoring.image_scorer import on_one_core

FEW = 128
"""Fewer photos than these stay in this process, which uses all cores by threads, unless workers were chosen:
before other processes have started, which takes a second or two, it has done most of them. A single photo
never waits for a process. Huge photos take longer, but with those threads are as fast as processes."""
_BATCH = 16
"""Photos a task at most: about half a second of work where photos are small."""
_MODELS_IN_MEMORY = 2

Settings = TypeVar("Settings")
Found = TypeVar("Found")

Look = Callable[[Model, Sequence[Photo], Callable[[], Settings]], Iterator[Found]]
"""A function of a module that gives something for each photo, in their order. What it needs to know it asks
for photo by photo, since that may change; in another process it is what it was when the batch was sent."""


@dataclass(frozen=True, eq=False)
class LocatedModel:
    """A model and the folder that it was loaded from, which all workers can read."""

    model: Model
    place: AnyPath

    @classmethod
    def load(cls, place: AnyPath) -> LocatedModel:
        """Load a model; see `load_model`."""
        return cls(load_model(place), place)


@dataclass(frozen=True)
class _Batch(Generic[Settings, Found]):
    """A task for another process. No file goes with it: each worker reads for itself."""

    look: Look[Settings, Found]
    settings: Settings
    model: AnyPath
    digest: str
    photos: tuple[Photo, ...]


def look_at_each(
    look: Look[Settings, Found],
    settings: Callable[[], Settings],
    located: LocatedModel,
    photos: Sequence[Photo],
    workers: Workers,
) -> Generator[Found, None, None]:
    """Look at photos one after another in this process, or at many at a time elsewhere.

    Args:
        look: What is done with photos.
        settings: Gives what it needs to know.
        located: The model.
        photos: All of them.
        workers: Where, unless nobody has chosen them and the photos are few.

    Yields:
        What `look` finds, in the order of the photos.

    Raises:
        WorkersError: The workers were lost.
        VaeadError: A worker could not load the model; or what `look` raises.
    """
    few = len(photos) < FEW and not workers.chosen
    if few or (workers.count == 1 and not workers.remote):
        yield from look(located.model, photos, settings)
        return
    place, digest = absolute(located.place), _digest(located.model.card)
    size = min(_BATCH, max(1, len(photos) // (4 * workers.count)))
    batches = (tuple(photos[start : start + size]) for start in range(0, len(photos), size))
    # Each in a tuple: what is sent to Dask by itself, it would keep on one worker, and lose with it.
    tasks = ((_Batch(look, settings(), place, digest, batch),) for batch in batches)
    for found in workers.map(_look_at_batch, tasks):
        yield from found


def located_at(source: str, here: str) -> str:
    """The place of a photo for a process in another folder; relative ones begin in `here`."""
    return source if is_url(source) else os.path.join(here, source)  # noqa: PTH118 - as it was written


def current_folder() -> str:
    """See `located_at`."""
    return os.getcwd()  # noqa: PTH109 - a text


def _look_at_batch(task: tuple[_Batch[Settings, Found]]) -> list[Found]:
    (batch,) = task
    model = _load(batch.model, batch.digest)
    # Each task has a core of its own.
    with on_one_core():
        return list(batch.look(model, batch.photos, lambda: batch.settings))


@lru_cache(_MODELS_IN_MEMORY)
def _load(place: AnyPath, digest: str) -> Model:
    model = load_model(place)
    if _digest(model.card) != digest:
        raise ModelFormatError(
            f"model must be the same for all workers, got another one in {str(place)!r}; start again, and "
            "name a folder that all workers share"
        )
    return model


def _digest(card: ModelCard) -> str:
    return hashlib.sha256(card.to_json({}).encode()).hexdigest()
