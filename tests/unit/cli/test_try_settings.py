import json
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.unit.cli.command_line import assert_refused, lines_of, run, write_normal_photos
from vaead.photo_defaults import setting_variants

Crops = list[NDArray[np.float32]]
SMALL = ["--epochs", 1, "--crops", 128]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Four normal photos of 128x96 pixels."""
    return write_normal_photos(tmp_path / "photos")


def few_variants(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    # The package has a command of the same name.
    module = sys.modules["vaead.cli.try_settings"]
    monkeypatch.setattr(module, "setting_variants", lambda defaults: setting_variants(defaults)[:count])


def test_settings_are_compared_on_made_up_defects(
    photos: Path, no_arithmetic: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    few_variants(monkeypatch, 2)
    result = run("try-settings", "--images", photos, *SMALL, "--json")
    records = [json.loads(line) for line in lines_of(result)]
    assert [each["settings"] for each in records] == ["proposed", "patches of 16 px"]
    assert [each["patch_size"] for each in records] == [32, 16]
    assert [each["even_light"] for each in records] == [False, False]
    assert [each["aligned"] for each in records] == [False, False]
    assert all(0 <= each["auroc"] <= 1 and each["standard_error"] >= 0 for each in records)
    assert result.stderr.splitlines()[-1].startswith(("No other settings", "Better than the proposed"))


def test_folder_without_normal_photos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "defect").mkdir()
    assert_refused(
        run("try-settings", "--images", tmp_path / "defect", *SMALL), "images must be normal photos"
    )
