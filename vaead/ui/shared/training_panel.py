"""The panel that trains the model of the chosen recipe, and shows how far it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from vaead.data.datasets import load_dataset
from vaead.errors import VaeadError
from vaead.i18n.texts import Texts
from vaead.model.store import ModelStore
from vaead.processes.train_command import PhotoTask, Task, recipe_of
from vaead.processes.training_jobs import JobState, JobStatus
from vaead.recipe import Recipe
from vaead.scoring.patches import PatchGrid
from vaead.ui.shared.cache import training_jobs
from vaead.ui.shared.loss_chart import network_name, show_losses

_STARTED = "_started"
_POLL_S = 1.0


@dataclass(frozen=True)
class Live:
    """What a page shows of a training while it runs.

    Attributes:
        images: Gives a few images (N, H, W) that the training follows if this page starts it.
        show: Called with the state of the training whenever it is drawn.
    """

    images: Callable[[], NDArray[np.uint8]]
    show: Callable[[JobStatus], None]


def panel(recipe: Recipe, texts: Texts, live: Live | None = None) -> None:
    """Offer to train a model, or follow the training that anyone has started."""
    status = training_jobs().status(recipe)
    if status is not None and status.state.active:
        follow(recipe, texts, live)
        return
    if status is not None and status.state is JobState.FAILED:
        st.error(texts("training.failed", message=status.message or ""))
    elif status is not None and status.state is JobState.CANCELLED:
        st.info(texts("training.cancelled"))
    elif recipe not in ModelStore():  # a damaged model is there, and the page has said so
        st.info(texts("training.missing"), icon=":material/model_training:")
    windows = _count_windows(recipe)
    seconds = training_jobs().expected_s(recipe, windows)
    st.caption(texts("training.estimate", seconds=f"{seconds:.0f}"))
    st.button(
        texts("training.start"), key="train", type="primary", on_click=_start, args=(recipe, windows, live)
    )


def _count_windows(recipe: Recipe) -> int:
    """Windows of all networks in the held-out images of a class."""
    source = recipe.class_source
    dataset = load_dataset(source.dataset)
    count = int(np.count_nonzero(dataset.train.labels == source.normal))
    return held_out_windows(recipe, {dataset.image_shape: count})


def held_out_windows(recipe: Recipe, images: Mapping[tuple[int, int], int]) -> int:
    """Windows of all networks in the held-out images, from the number of images of each size (H, W)."""
    found = sum(
        count * math.prod(PatchGrid(*size, network.patch_size, network.stride).shape)
        for size, count in images.items()
        for network in recipe.networks
    )
    return round(recipe.train.held_out * found)


def _start(recipe: Recipe, windows: int, live: Live | None) -> None:
    try:
        ModelStore().check_writable()
        training_jobs().submit(recipe, windows, None if live is None else live.images())
        # Anyone may follow a training, but only who has started it may end it.
        st.session_state.setdefault(_STARTED, set()).add(recipe)
    except VaeadError as error:
        st.error(str(error))


def follow(task: Task, texts: Texts, live: Live | None = None) -> None:
    """Show a queued or running training, and draw the page anew when it ends."""
    st.fragment(_follow, run_every=_POLL_S)(task, texts, live)


def _follow(task: Task, texts: Texts, live: Live | None) -> None:
    status = training_jobs().status(task)
    if status is None or not status.state.active:
        st.rerun(scope="app")
    done = status.epochs[-1].epoch if status.epochs else 0
    with st.container(key="progress"):
        st.progress(status.share, _headline(status, done, texts))
    if status.attempt > 1:
        st.caption(texts("training.again", attempt=status.attempt))
    elapsed, remaining = st.columns(2)
    elapsed.metric(texts("training.elapsed"), _seconds(status.elapsed_s, texts))
    remaining.metric(texts("training.remaining"), _seconds(status.remaining_s, texts))
    if live is not None:
        live.show(status)
    if done:
        recipe = recipe_of(task)
        before = (done - 1) // recipe.train.epochs
        epochs = [epoch for epoch in status.epochs if epoch.epoch > before * recipe.train.epochs]
        name = network_name(before + 1, len(recipe.networks), texts)
        show_losses(epochs, "live_losses", texts, name)
    if isinstance(task, PhotoTask) or task in st.session_state.get(_STARTED, ()):
        cancel = training_jobs().cancel
        st.button(
            texts("training.cancel"), key="cancel", icon=":material/cancel:", on_click=cancel, args=(task,)
        )


def _seconds(seconds: float, texts: Texts) -> str:
    return texts("training.seconds", seconds=f"{seconds:.0f}")


def _headline(status: JobStatus, done: int, texts: Texts) -> str:
    if status.state is JobState.QUEUED:
        before = status.waiting_before
        return texts("training.waiting", count=before) if before else texts("training.next")
    if not done:
        return texts("training.starting")
    if status.calibrated is not None and status.calibrated < 1:
        return texts("training.calibrating", share=f"{status.calibrated:.0%}")
    if done == status.total_epochs:
        return texts("training.finishing")
    return texts("training.running", epoch=done, epochs=status.total_epochs)
