"""The panel that trains the model of the chosen recipe, and shows how far it is."""

from __future__ import annotations

import streamlit as st

from vaead.errors import VaeadError
from vaead.i18n.texts import Texts
from vaead.model.store import ModelStore
from vaead.processes.train_command import PhotoTask, Task
from vaead.processes.training_jobs import JobState, JobStatus
from vaead.recipe import Recipe
from vaead.ui.shared.cache import training_jobs
from vaead.ui.shared.loss_chart import network_name, show_losses

_START_S = 10.0
"""Seconds to start a training process, compile the epoch and export the model."""
_CROPS_PER_S = 50_000.0
"""Crops a second on two cores; see benchmarks/. Only used to tell visitors how long they will wait."""
_POLL_S = 1.0


def panel(recipe: Recipe, texts: Texts) -> None:
    """Offer to train a model, or follow the training that anyone has started."""
    status = training_jobs().status(recipe)
    if status is not None and status.state.active:
        follow(recipe, texts)
        return
    if status is not None and status.state is JobState.FAILED:
        st.error(texts("training.failed", message=status.message or ""))
    elif status is not None and status.state is JobState.CANCELLED:
        st.info(texts("training.cancelled"))
    elif recipe not in ModelStore():  # a damaged model is there, and the page has said so
        st.info(texts("training.missing"), icon=":material/model_training:")
    seconds = _START_S + recipe.total_epochs * recipe.train.crops / _CROPS_PER_S
    st.caption(texts("training.estimate", seconds=f"{seconds:.0f}"))
    st.button(texts("training.start"), key="train", type="primary", on_click=_start, args=(recipe,))


def _start(recipe: Recipe) -> None:
    try:
        ModelStore().check_writable()
        training_jobs().submit(recipe)
    except VaeadError as error:
        st.error(str(error))


def follow(task: Task, texts: Texts) -> None:
    """Show a queued or running training, and draw the page anew when it ends."""
    st.fragment(_follow, run_every=_POLL_S)(task, texts)


def _follow(task: Task, texts: Texts) -> None:
    status = training_jobs().status(task)
    if status is None or not status.state.active:
        st.rerun(scope="app")
    done = status.epochs[-1].epoch if status.epochs else 0
    left = None if done == status.total_epochs else status.remaining_s
    with st.container(key="progress"):
        st.progress(done / status.total_epochs, _headline(status, done, texts))
    if status.attempt > 1:
        st.caption(texts("training.again", attempt=status.attempt))
    elapsed, remaining = st.columns(2)
    elapsed.metric(texts("training.elapsed"), _seconds(status.elapsed_s, texts))
    remaining.metric(texts("training.remaining"), _seconds(left, texts))
    if done:
        recipe = task.recipe if isinstance(task, PhotoTask) else task
        before = (done - 1) // recipe.train.epochs
        epochs = [epoch for epoch in status.epochs if epoch.epoch > before * recipe.train.epochs]
        name = network_name(before + 1, len(recipe.networks), texts)
        show_losses(epochs, "live_losses", texts, name)
    cancel = training_jobs().cancel
    st.button(texts("training.cancel"), key="cancel", icon=":material/cancel:", on_click=cancel, args=(task,))


def _seconds(seconds: float | None, texts: Texts) -> str:
    return (
        texts("training.unknown") if seconds is None else texts("training.seconds", seconds=f"{seconds:.0f}")
    )


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
