"""What `train --images` takes of a folder as people have them, said before anything is trained."""

import io
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.unit.cli.command_line import assert_refused, run
from vaead.inference.read_photos import load_photos


def write(root: Path, names: Iterable[str]) -> Path:
    """Photos of noise, each different, and masks with a white square."""
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 256, (24, 32), np.uint8)
        if "mask" in name.casefold() or "ground" in name.casefold():
            pixels = np.zeros((24, 32), np.uint8)
            pixels[4:8, 4:8] = 255
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file)
    return root


def dry_run(root: Path, *options: object) -> list[str]:
    result = run("train", "--images", root, "--dry-run", *options)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (
            [
                *(f"Data/Images/{name}.JPG" for name in ("Normal/0", "Normal/1", "Anomaly/0")),
                "Data/Masks/Anomaly/0.png",
            ],
            [
                "To train on: 2 photos in Data/Images/Normal/ (2)",
                "Not trained on: 1 photo in Data/Images/Anomaly/ (1)",
                "Masks: 1",
            ],
        ),
        (
            ["normal/0.png", "normal/1.png", "abnormal/0.png", "mask/0.png"],
            [
                "To train on: 2 photos in normal/ (2)",
                "Not trained on: 1 photo in abnormal/ (1)",
                "Masks: 1",
            ],
        ),
        (
            [
                "Train/Good/A1.PNG",
                "Train/Good/A2.PNG",
                "Test/Scratch/A1.PNG",
                "Ground_Truth/Scratch/A1_Mask.PNG",
            ],
            [
                "To train on: 2 photos in Train/Good/ (2)",
                "Not trained on: 1 photo in Test/Scratch/ (1)",
                "Masks: 1",
            ],
        ),
        (
            ["train/ok/0.bmp", "train/ok/1.bmp", "test/ko/0.bmp", "test/ok/0.bmp"],
            [
                "To train on: 2 photos in train/ok/ (2)",
                "Not trained on: 2 photos in test/ko/ (1), test/ok/ (1)",
            ],
        ),
        (
            [
                "train/good/0.png",
                "train/good/1.png",
                "validation/good/0.png",
                "test/logical_anomalies/0.png",
                "ground_truth/logical_anomalies/0/000.png",
                "ground_truth/logical_anomalies/0/001.png",
            ],
            [
                "To train on: 2 photos in train/good/ (2)",
                "To calibrate with, beside those held out: 1 photo in validation/good/ (1)",
                "Not trained on: 1 photo in test/logical_anomalies/ (1)",
                "Masks: 2",
            ],
        ),
        (
            [
                "0.png",
                "1.png",
                "@eaDir/0.png",
                "#recycle/0.png",
                "$RECYCLE.BIN/0.png",
                "lost+found/0.png",
                ".Trash-1000/files/0.png",
            ],
            ["To train on: 2 photos in ./ (2)"],
        ),
        (
            [
                "train/good/0.png",
                "train/good/1.png",
                unicodedata.normalize("NFC", "test/傷/ガ.png"),
                unicodedata.normalize("NFD", "ground_truth/傷/ガ_mask.png"),
            ],
            [
                "To train on: 2 photos in train/good/ (2)",
                "Not trained on: 1 photo in test/傷/ (1)",
                "Masks: 1",
            ],
        ),
    ],
    ids=["VisA", "one folder a class", "capitals", "BTAD", "LOCO", "litter", "Unicode"],
)
def test_known_layouts(tmp_path: Path, names: list[str], lines: list[str]) -> None:
    assert dry_run(write(tmp_path / "photos", names)) == [*lines, "Sizes: 32x24 px, grey"]


@pytest.mark.parametrize("names", [["parts/0.png", "parts/1.png", "defects/0.png", "masks/0.png"]])
def test_nothing_is_guessed_beside_defects(tmp_path: Path, names: list[str]) -> None:
    root = write(tmp_path / "photos", names)
    for options in (["--dry-run"], ["--out", tmp_path / "model"]):
        result = run("train", "--images", root, *options)
        assert_refused(result, rf"got defects/ \(1\), parts/ \(2\) in .* such as --images {root}/parts")
    assert dry_run(root / "parts")[0] == "To train on: 2 photos in ./ (2)"


@pytest.mark.parametrize("name", ["Anomaly", "ground_truth", "NG", "不良品"])
def test_folder_that_says_it_is_not_normal_is_refused(tmp_path: Path, name: str) -> None:
    root = write(tmp_path / name, ["0.png", "1.png"])
    assert_refused(run("train", "--images", root, "--dry-run"), "whose name says otherwise")
    assert len(load_photos(root)) == 2  # to score them is another thing


def test_names_that_differ_only_in_capitals_are_refused(tmp_path: Path) -> None:
    root = write(tmp_path / "photos", ["A1.png", "a1.PNG", "b.png"])
    assert_refused(run("train", "--images", root, "--dry-run"), "names must differ in more than capitals")


def test_dry_run_needs_images() -> None:
    assert_refused(
        run("train", "--dataset", "digits", "--normal", "1", "--dry-run"), "--dry-run must stand with"
    )


def save_deep(root: Path, top: int, count: int = 3) -> Path:
    root.mkdir()
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, top + 1, (24, 32), np.uint16)
        pixels[0, 0] = top
        Image.fromarray(pixels).save(root / f"{number}.png")
    return root


@pytest.mark.parametrize(("top", "bits"), [(4095, 12), (3000, 12), (1023, 10), (16_000, 14), (255, 8)])
def test_depth_of_the_camera_is_recognised(tmp_path: Path, top: int, bits: int) -> None:
    lines = dry_run(save_deep(tmp_path / "photos", top))
    assert lines[-1] == f"Sizes: 32x24 px, {bits} of 16 bits are used, grey"


def test_all_bits_are_used_if_one_photo_needs_them(tmp_path: Path) -> None:
    root = save_deep(tmp_path / "photos", 4095)
    Image.fromarray(np.full((24, 32), 40_000, np.uint16)).save(root / "bright.png")
    assert dry_run(root)[-1] == "Sizes: 32x24 px, grey"


def test_photo_that_shows_nothing_is_left_out(tmp_path: Path) -> None:
    root = write(tmp_path / "photos", ["0.png", "1.png"])
    Image.new("RGBA", (32, 24), (255, 0, 0, 0)).save(root / "2.png")
    result = run("train", "--images", root, "--dry-run")
    assert result.stdout.splitlines()[0] == "To train on: 2 photos in ./ (2)"
    assert "2.png' must show something, got one that is fully transparent" in result.stderr


def test_copies_are_counted(tmp_path: Path) -> None:
    names = [f"train/good/{number}.png" for number in range(10)]
    root = write(tmp_path / "photos", [*names, "test/good/0.png", "test/bad/0.png", "test/bad/1.png"])
    (root / "train/good/copy.png").write_bytes((root / names[0]).read_bytes())
    (root / "test/good/0.png").write_bytes((root / names[1]).read_bytes())
    buffer = io.BytesIO()
    Image.open(root / names[2]).save(buffer, "JPEG", quality=95)
    (root / "test/bad/0.png").write_bytes(buffer.getvalue())
    assert dry_run(root)[-3:] == [
        "Normal photos that are copies of others: 1",
        "Test photos that are copies of normal ones: 1",
        "Test photos that are nearly copies of normal ones: 1",
    ]
