"""What the page does when a dataset cannot be had."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vaead.data.datasets import load_dataset
from vaead.errors import DataUnavailableError

if TYPE_CHECKING:
    from tests.ui.conftest import Open


def test_without_mnist_the_digits_are_shown_with_the_reason(open_page: Open, no_data: Path) -> None:
    page = open_page(dataset="MNIST")
    (warning,) = page.warnings
    assert warning.startswith("MNIST could not be had, so the bundled digits are shown. VAEAD_DATA_DIR must")
    assert page.app.number_input(key="normal_image").max == 45  # 46 test images of a 1 in the digits
    assert page.caption


def test_fallback_keeps_the_classes(open_page: Open, no_data: Path) -> None:
    assert "of class 1 and " in open_page(dataset="MNIST", anomalous="4").caption


def test_fallback_of_fashion_names_digits_and_offers_training(open_page: Open, no_data: Path) -> None:
    page = open_page(dataset="Fashion-MNIST")
    assert page.warnings[0].startswith("Fashion-MNIST could not be had")
    assert page.has_button("train")


def test_digits_need_no_data_folder(open_page: Open, no_data: Path) -> None:
    page = open_page()
    assert page.warnings == []
    assert not page.has_button("retry")


def test_retry_finds_data_that_has_come(open_page: Open, no_data: Path, data_folder: Path) -> None:
    page = open_page(dataset="MNIST")
    shutil.copy(data_folder / "mnist.npz", no_data)
    page.click("retry")
    assert page.warnings == []
    assert not page.has_button("retry")
    assert page.caption


def test_retry_that_fails_again_says_why_again(open_page: Open, no_data: Path) -> None:
    page = open_page(dataset="MNIST")
    (no_data / "mnist.npz").write_bytes(b"no archive")
    page.click("retry")
    (warning,) = page.warnings
    assert "mnist.npz could not be read as a NumPy archive" in warning
    assert page.has_button("retry")


def test_failed_download_is_not_repeated_by_every_click(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def fail(name: str, on_progress: object) -> None:
        attempts.append(name)
        raise DataUnavailableError("mnist must be reachable, got a time-out; try again")

    from vaead.ui.shared import cache

    monkeypatch.setattr(
        cache, "load_dataset", lambda name, report: (fail if name == "mnist" else load_dataset)(name, report)
    )
    page = open_page(dataset="MNIST")
    page.click("draw")
    second = open_page(dataset="MNIST")
    assert attempts == ["mnist"]
    assert second.has_button("retry")
    second.click("retry")
    assert attempts == ["mnist", "mnist"]


def test_download_reports_its_progress(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    from vaead.ui.shared import cache

    shown = []

    def load(name: str, report):
        report(2_500_000, 10_000_000)
        return load_dataset("digits", report)

    monkeypatch.setattr(cache, "load_dataset", load)
    monkeypatch.setattr(
        "streamlit.delta_generator.DeltaGenerator.progress",
        lambda self, value, text: shown.append((value, text)),
    )
    open_page(dataset="MNIST")
    assert shown == [(0.25, "Downloading MNIST: 2.5 of 10.0 MB")]
