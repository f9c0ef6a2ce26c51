"""Step 2 of the page "Your images": train a model in a process of its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from vaead.data.photos.photo import NORMAL
from vaead.errors import VaeadError
from vaead.i18n.texts import Texts
from vaead.model.files import CARD
from vaead.model.folder import load_card
from vaead.processes.train_command import PhotoTask
from vaead.processes.training_jobs import JobState
from vaead.recipe import Recipe
from vaead.ui.shared import training_panel
from vaead.ui.shared.cache import photo_service, training_jobs
from vaead.ui.your_images.messages import error_message
from vaead.ui.your_images.own_photos import OwnPhoto
from vaead.ui.your_images.predictions import Results
from vaead.ui.your_images.session import OwnSession
from vaead.ui.your_images.training_settings import Plan, held_out_windows, memory_bytes


def is_running(own: OwnSession) -> bool:
    """True if a training of this visitor is queued or runs."""
    status = None if own.task is None else training_jobs().status(own.task)
    return status is not None and status.state.active


def follow(own: OwnSession, texts: Texts) -> None:
    """Show the training that runs."""
    if own.task is not None:
        training_panel.follow(own.task, texts)


def offer(own: OwnSession, plan: Plan, texts: Texts) -> None:
    """Show how the last training ended, the button that starts one, and its cost."""
    status = None if own.task is None else training_jobs().status(own.task)
    if status is not None and status.state is JobState.FAILED:
        st.error(texts("training.failed", message=status.message or ""))
    elif status is not None and status.state is JobState.CANCELLED:
        st.info(texts("training.cancelled"))
    again = own.results is not None and own.results.origin != "brought"
    seconds = training_jobs().expected_s(plan.recipe, held_out_windows(plan.recipe, plan.photos))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            texts("own.train_again") if again else texts("training.start"),
            key="own_train",
            type="secondary" if own.results is not None else "primary",
            icon=":material/model_training:",
            on_click=_start,
            args=(own, plan, texts),
        )
        st.caption(
            texts(
                "own.estimate",
                size=_size(plan),
                time=time_of(seconds, texts),
                memory=f"{memory_bytes(plan.recipe, plan.photos) / 1e9:.2g}",
            )
        )


def _size(plan: Plan) -> str:
    """Size of the first image after scaling."""
    height, width = (round(side * plan.scale) for side in plan.photos[0].size)
    return f"{width}x{height}"


def time_of(seconds: float, texts: Texts) -> str:
    """Seconds in words."""
    if seconds < 100:
        return texts("training.seconds", seconds=f"{seconds:.0f}")
    return texts("own.minutes", minutes=f"{seconds / 60:,.0f}")


def _start(own: OwnSession, plan: Plan, texts: Texts) -> None:
    own.trials = []
    taken = tuple(photo for photo in own.results.taken if plan.takes(photo)) if own.results else ()
    validation = [replace(photo, is_validation=True) for photo in taken]
    try:
        own.task = queue(own, plan.recipe, [*plan.photos, *validation])
        own.task_normals, own.task_taken, own.trouble = own.photos.normal_digests, taken, None
    except (VaeadError, OSError) as error:
        own.trouble = error_message(error, texts)


def queue(own: OwnSession, recipe: Recipe, photos: Sequence[OwnPhoto]) -> PhotoTask:
    """Link images into a folder of their own, and queue a training.

    Raises:
        TrainingError: Too many trainings wait.
        OSError: There is no room on the disk.
    """
    jobs, run = training_jobs(), own.new_run()
    images = run / "images"
    images.mkdir()
    for photo in photos:
        folder = images / ("validation" if photo.is_validation else "train") / NORMAL
        folder.mkdir(parents=True, exist_ok=True)
        _link(photo.path, folder / photo.path.name)
    task = PhotoTask(recipe, images, run / "model")
    jobs.submit(task, held_out_windows(recipe, photos))
    own.before_removal(partial(jobs.cancel, task))
    return task


def _link(file: Path, link: Path) -> None:
    try:
        os.link(file, link)
    except OSError:  # not on every file system
        shutil.copyfile(file, link)


def collect(own: OwnSession) -> None:
    """Take over the model of a training that has ended."""
    task = own.task
    if task is None or not (task.out / CARD).is_file():
        return
    if own.results is not None and own.results.first_folder == task.out:
        return
    try:
        photo_service().check(task.out)
        card = load_card(task.out)
        results = Results(card, task.out, normals=own.task_normals, taken=own.task_taken)
    except VaeadError as error:
        own.trouble, own.task = str(error), None
        return
    shutil.rmtree(task.images, ignore_errors=True)
    own.take_model(results)
