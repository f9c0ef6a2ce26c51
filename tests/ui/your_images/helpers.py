"""Images, ZIPs, trainings in place of real ones, and the page "Your images" as one visitor sees it."""

import io
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.ui.conftest import Page
from vaead.data.screws import screw_set
from vaead.data.screws.generator import make_screw
from vaead.data.screws.screw_set import ScrewImage, ScrewSet
from vaead.processes.train_command import Task
from vaead.processes.training_jobs import TrainingJobs
from vaead.zoo import screw_demo

OWN_IMAGES = """
import streamlit as st
from vaead.ui.shared import query_params
from vaead.ui.your_images import page
from vaead.ui.shared import sidebar
query_params.follow()
with st.sidebar:
    texts = sidebar.choose_language()
page.show(texts)
"""

File = tuple[str, bytes, str]

HELPERS = """
import json, pathlib, shutil, sys, time
folder, trained, out = (pathlib.Path(name) for name in sys.argv[1:])
def say(event, **values): print(json.dumps({"event": event, **values}))
def wait_for(name):
    while not (folder / name).exists(): time.sleep(0.005)
"""
SUCCEED = 'shutil.copytree(trained, out); say("done", model=str(out), elapsed_s=1.0)'
WAIT = f'wait_for("go"); {SUCCEED}'

Start = Callable[[str], TrainingJobs]
"""Make the page train with a script; returns its jobs."""


drawn = cache(ScrewImage.make)
"""Images of the demo, each drawn once for all tests."""


def small_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the demo bring 4 normal images, and to test 2 normal ones and one of each defect."""
    monkeypatch.setattr(
        screw_demo, "SET", ScrewSet(train=4, good=2, defective=1, severities=(1.0,), scale=0.5)
    )
    monkeypatch.setattr(screw_set, "_make", drawn)


def scripted_training(tmp_path: Path, photo_model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """What a fixture yields with which tests make the page train with a script."""
    made: list[TrainingJobs] = []

    def make(script: str) -> TrainingJobs:
        def command(task: Task, _: Path) -> list[str]:
            paths = [str(path) for path in (tmp_path, photo_model, task.out)]
            return [sys.executable, "-S", "-c", HELPERS + script, *paths]

        made.append(TrainingJobs(tmp_path, command=command))
        for module in ("shared.training_panel", "your_images.training", "your_images.trials"):
            monkeypatch.setattr(f"vaead.ui.{module}.training_jobs", lambda: made[-1])
        return made[-1]

    yield make
    for each in made:
        each.close()


def wait_for_end(jobs: TrainingJobs) -> None:
    deadline = time.monotonic() + 30
    while jobs.active():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@cache
def screw(index: int, defect: str | None = None, scale: float = 0.25) -> bytes:
    return png(make_screw(0, index, defect, scale=scale).image)


def mask(index: int, defect: str) -> bytes:
    return png(make_screw(0, index, defect, scale=0.25).mask.astype(np.uint8) * 255)


def screws(count: int, scale: float = 0.25) -> list[File]:
    return [(f"part {index}.png", screw(index, scale=scale), "image/png") for index in range(count)]


def zipped(files: dict[str, bytes]) -> File:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return "images.zip", buffer.getvalue(), "application/zip"


class OwnPage(Page):
    """The page "Your images"; the test harness cannot open the second page of an app."""

    def __init__(self, **link: str) -> None:
        self.app = AppTest.from_string(OWN_IMAGES, default_timeout=60)
        self.app.query_params.update(link)
        self.run()

    def bring_model(self, file: File) -> None:
        """Upload the ZIP of a model."""
        uploader = next(each for each in self.app.file_uploader if each.key.startswith("own_model_"))
        uploader.set_value([file])
        self.run()

    def upload(self, role: str, *files: File) -> None:
        """Upload files as "normal" or "test" images."""
        uploader = next(each for each in self.app.file_uploader if f"own_{role}_" in each.key)
        uploader.set_value(list(files))
        self.run()

    @property
    def rejected(self) -> dict[str, str]:
        """The reason for each file that was left out."""
        return {
            re.sub(r"\\(.)", r"\1", name): re.sub(r"\\(.)", r"\1", reason)
            for table in self.app.table
            if "Why" in table.value
            for name, reason in zip(*table.value.to_dict("list").values(), strict=True)
        }

    @property
    def titles(self) -> list[str]:
        """The steps, whether they are open or folded away."""
        folded = [box.label for box in self.app.expander if box.label[:1].isdigit()]
        return folded + [title.value for title in self.app.header]

    @property
    def said(self) -> str:
        """All running text."""
        return "\n".join(element.value for element in (*self.app.markdown, *self.app.caption))

    @property
    def tiles(self) -> list[Any]:
        """The buttons of the gallery."""
        return [button for button in self.app.button if (button.key or "").startswith("own_tile_")]
