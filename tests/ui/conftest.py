"""The app in Streamlit's own test harness, with a store and data folders of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import streamlit as st
from msgspec.structs import replace
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from vaead.calibration.diagnostics import TrainingDiagnostics
from vaead.data.datasets import clear_cache, load_dataset
from vaead.data.screws.generator import make_screw
from vaead.model.folder import save_model
from vaead.model.model import Model
from vaead.recipe import PhotoSource, Recipe

if TYPE_CHECKING:
    from tests.conftest import Once

ROOT = Path(__file__).parents[2]
SHIPPED = (
    *("digits/1/article", "digits/1/multi-scale", "mnist/1/article"),
    *("fashion_mnist/7/article", "fashion_mnist/2/article"),
)
DIGITS = "Digits (scikit-learn)"


class Page:
    """The page Compare as one visitor sees it."""

    def __init__(self, link: dict[str, str]) -> None:
        self.app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        self.app.query_params.update(link)
        self.run()

    def run(self) -> None:
        self.app.run()
        assert [error.value for error in self.app.exception] == []

    def click(self, key: str) -> None:
        self.app.button(key=key).click()
        self.run()

    def select(self, key: str, value: object) -> None:
        self.app.selectbox(key=key).select(value)
        self.run()

    def set_number(self, key: str, value: int | None) -> None:
        self.app.number_input(key=key).set_value(value)
        self.run()

    @property
    def link(self) -> dict[str, str]:
        return {key: value for key, value in self.app.query_params.items() if isinstance(value, str)}

    @property
    def caption(self) -> str:
        """What the page says of the pair; fails if it shows none."""
        (caption,) = (
            str(element.value)
            for element in self.app.caption
            if "calibration images" in element.value or "較正用画像" in element.value
        )
        return caption

    @property
    def warnings(self) -> list[str]:
        return [warning.value for warning in self.app.warning]

    @property
    def errors(self) -> list[str]:
        return [error.value for error in self.app.error]

    @property
    def infos(self) -> list[str]:
        return [info.value for info in self.app.info]

    def has_button(self, key: str) -> bool:
        return any(button.key == key for button in self.app.button)

    def __getitem__(self, control: str) -> Any:
        """The value of a control, also of one that this page does not have."""
        state = self.app.session_state
        return state[control] if control in state else state["_values"][control]

    def open(self, box: str) -> None:
        """Open a box that follows whether it is open."""
        self.app.session_state[box] = True
        self.run()

    def figure(self, key: str) -> dict[str, Any]:
        """A figure as it is sent to the browser; its alternative text is under "alt"."""
        (proto,) = (
            chart.proto for chart in self.app.get("plotly_chart") if chart.proto.id.endswith(f"-{key}")
        )
        figure: dict[str, Any] = json.loads(proto.spec)
        return figure | {"alt": proto.alt}


EVALUATE = """
import streamlit as st
from msgspec.structs import replace
from vaead.ui.evaluate import page
from vaead.ui.shared import query_params
from vaead.ui.shared import sidebar
query_params.follow()
with st.sidebar:
    texts = sidebar.choose_language()
page.show(texts)
"""


class EvaluatePage(Page):
    """The page Evaluate; the test harness cannot open the second page of an app."""

    def __init__(self, link: dict[str, str]) -> None:
        self.app = AppTest.from_string(EVALUATE, default_timeout=60)
        self.app.query_params.update(link)
        self.run()

    def table(self, index: int) -> dict[str, list[str]]:
        """A table by its columns."""
        columns: dict[str, list[str]] = self.app.table[index].value.to_dict("list")
        return columns

    def segment(self, key: str, value: str) -> None:
        self.app.segmented_control(key=key).set_value(value)
        self.run()

    @property
    def texts(self) -> str:
        """All running text."""
        return "\n".join(element.value for element in (*self.app.markdown, *self.app.caption))


Open = Callable[..., Page]
OpenEvaluate = Callable[..., EvaluatePage]


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with MNIST and Fashion-MNIST, whose images are those of the bundled digits."""
    folder = tmp_path_factory.mktemp("data")
    digits = load_dataset("digits")
    splits = {"train": digits.train, "test": digits.test}
    arrays = {f"x_{part}": split.images for part, split in splits.items()}
    arrays |= {f"y_{part}": split.labels for part, split in splits.items()}
    for name in ("mnist", "fashion_mnist"):
        np.savez(folder / f"{name}.npz", **arrays)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _components_are_looked_up_once() -> Iterator[None]:
    # Each new page of a test would read the metadata of all installed packages, which takes 0.2 s.
    with pytest.MonkeyPatch.context() as patch:
        found = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", found)
        yield


@pytest.fixture(scope="module", autouse=True)
def _no_dataset_in_memory() -> Iterator[None]:
    # Datasets are kept by name alone: the made-up ones must not reach tests of the whole ones, or they these.
    clear_cache()
    yield
    clear_cache()


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with the shipped models, and no others."""
    folder = tmp_path / "store"
    for model in SHIPPED:
        shutil.copytree(ROOT / "models" / model, folder / model)
    monkeypatch.setenv("VAEAD_STORE", str(folder))
    return folder


@pytest.fixture(autouse=True)
def _fresh_server(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VAEAD_DATA_DIR", str(data_folder))
    yield
    st.cache_resource.clear()


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data folder, so that neither MNIST nor Fashion-MNIST can be had."""
    folder = tmp_path / "data"
    folder.mkdir()
    clear_cache()
    monkeypatch.setenv("VAEAD_DATA_DIR", str(folder))
    yield folder
    clear_cache()


@pytest.fixture
def open_page() -> Open:
    """Open the page with values of its controls, the bundled digits unless said otherwise."""

    def open_with(**link: str) -> Page:
        return Page({"dataset": DIGITS} | link)

    return open_with


@pytest.fixture
def open_evaluate() -> OpenEvaluate:
    """Open the page Evaluate, as `open_page` opens Compare."""

    def open_with(**link: str) -> EvaluatePage:
        return EvaluatePage({"dataset": DIGITS} | link)

    return open_with


@pytest.fixture(scope="session")
def photo_model(make_once: Once) -> Path:
    """A hardly trained model of the part that the demo shows, at a quarter of its size; never changed."""

    def make(folder: Path) -> None:
        from vaead.training.pipeline import train_photos

        recipe = Recipe.from_preset(
            "industrial", PhotoSource(scale=0.5), patch_size=24, stride=8, epochs=1, crops=256
        )
        model = train_photos([make_screw(0, index, scale=0.25).image for index in range(6)], recipe)
        # The page shows no score of a network that has learned nothing, as this one has not so soon.
        sound = TrainingDiagnostics(explained_variance=0.5, error_per_pixel=0.5)
        networks = tuple(replace(network, diagnostics=sound) for network in model.card.networks)
        save_model(folder, Model(replace(model.card, networks=networks), model.networks, model.windows))

    return make_once("screws", make)
