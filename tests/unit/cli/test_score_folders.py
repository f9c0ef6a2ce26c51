import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.unit.cli.command_line import assert_refused, lines_of, run
from vaead.inference import html_report
from vaead.scoring.loss_terms import SCORES


@pytest.fixture
def tree(tmp_path: Path, images: NDArray[np.uint8]) -> Path:
    """A folder with images in folders of their own, two of them with the same name."""
    for name, pixels in zip(("a 1/x.png", "b/x.png", "b/é 😀.png"), images, strict=False):
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "tree" / name)
    return tmp_path / "tree"


def test_folder_is_scored_with_all_folders_in_it(folder: Path, tree: Path) -> None:
    (tree / "notes.txt").write_text("hello")
    result = run("score", "--model", folder, tree, "--json")
    found = [Path(entry["image"]).relative_to(tree).as_posix() for entry in json.loads(result.stdout)]
    assert found == ["a 1/x.png", "b/x.png", "b/é 😀.png"]
    assert result.exit_code == 1
    assert re.fullmatch("Skipped: file 'notes.txt' must be .*\nSkipped 1 of 4 files\n", result.stderr)


def test_of_a_dataset_the_test_images_are_scored(folder: Path, image: Path, tmp_path: Path) -> None:
    for name in ("train/good/1.png", "test/good/2.png", "test/hole/3.png", "ground_truth/hole/3_mask.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True)
        shutil.copy(image, tmp_path / "set" / name)
    scored = [line.split("\t")[0] for line in lines_of(run("score", "--model", folder, tmp_path / "set"))]
    assert scored == [str(tmp_path / "set" / name) for name in ("test/good/2.png", "test/hole/3.png")]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_dataset_without_test_images_is_refused(
    folder: Path, image: Path, tmp_path: Path, options: list[str]
) -> None:
    (tmp_path / "set/train/good").mkdir(parents=True)
    shutil.copy(image, tmp_path / "set/train/good/1.png")
    result = run("score", "--model", folder, tmp_path / "set", *options)
    assert_refused(
        result, "images must be photos, .* got none to score in '.*set'; name its folder train/good"
    )
    assert lines_of(run("score", "--model", folder, tmp_path / "set/train/good", *options))


def test_folder_without_images_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_refused(run("score", "--model", folder, tmp_path / "empty"), "folder must hold at least one image")


def test_maps_and_masks_keep_the_folders_of_the_images(folder: Path, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lines_of(run("score", "--model", folder, tree, "--maps", out, "--masks", out))
    endings = [f"{name}.{kind}" for name in SCORES for kind in ("npy", "png", "mask.png")]
    stems = ("a 1/x", "b/x", "b/é 😀")
    assert {file.relative_to(out).as_posix() for file in out.rglob("*.*")} == {
        f"{stem}.{ending}" for stem in stems for ending in endings
    }


@pytest.mark.parametrize("given", [[], ["--false-alarm-rate", 0.6]], ids=["no rate", "rate"])
def test_csv_has_what_json_has(folder: Path, tree: Path, tmp_path: Path, given: list[object]) -> None:
    Image.fromarray(np.zeros((40, 28), np.uint8)).save(tree / "other size.png")
    table = tmp_path / "new" / "scores.csv"
    (line,) = lines_of(run("score", "--model", folder, tree, "--json", "--csv", table, *given))
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for entry, row in zip(json.loads(line), rows, strict=True):
        cells = {"image": entry["image"]} | {name: entry[name] for name in SCORES}
        cells |= {f"flagged_{name}": flag for name, flag in entry.get("flagged", {}).items()}
        cells["label"] = None
        as_text = {True: "1", False: "0", None: ""}
        assert row == {
            name: as_text[cell] if cell in (None, True, False) else str(cell) for name, cell in cells.items()
        }


def test_regions_are_those_of_the_masks(folder: Path, tree: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((40, 28), 7, np.uint8)).save(tree / "other size.png")
    out, table = tmp_path / "out", tmp_path / "regions.csv"
    given = ["--false-alarm-rate", 0.6, "--regions", table, "--masks", out, "--json"]
    (line,) = lines_of(run("score", "--model", folder, tree, *given))
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    entries = json.loads(line)
    assert len(rows) == sum(len(entry["regions"]) for entry in entries) > 0
    for entry in entries:
        ours = [row for row in rows if row["image"] == entry["image"]]
        assert [
            {name: str(cell) for name, cell in region.items()} | {"image": entry["image"]}
            for region in entry["regions"]
        ] == ours
        stem = Path(entry["image"]).relative_to(tree).with_suffix("")
        score = "new" if entry["calibrated"] is None else "calibrated"
        white = np.asarray(Image.open(out / f"{stem}.{score}.mask.png")) > 0
        boxed = np.zeros_like(white)
        for region in entry["regions"]:
            left, top = int(region["left"]), int(region["top"])
            boxed[top : top + int(region["height"]), left : left + int(region["width"])] = True
        assert not (white & ~boxed).any()
        assert white.sum() == sum(region["area"] for region in entry["regions"])
        values = [region["largest"] for region in entry["regions"]]
        assert values == sorted(values, reverse=True)


def test_table_of_regions_of_normal_images_has_its_titles(folder: Path, tree: Path, tmp_path: Path) -> None:
    table = tmp_path / "regions.csv"
    lines_of(run("score", "--model", folder, tree, "--regions", table, "--false-alarm-rate", 1e-6))
    titles, *rows = table.read_text("utf-8-sig").splitlines()
    assert titles.startswith("image,region,score,left,top,")
    assert all(row.count(",") == titles.count(",") for row in rows)


def test_table_has_the_labels_of_a_dataset(folder: Path, image: Path, tmp_path: Path) -> None:
    for name in ("test/good/2.png", "test/hole/3.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True)
        shutil.copy(image, tmp_path / "set" / name)
    lines_of(run("score", "--model", folder, tmp_path / "set", "--csv", tmp_path / "s.csv"))
    with (tmp_path / "s.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert [row["label"] for row in csv.DictReader(stream)] == ["good", "hole"]


def test_report_of_many_images_draws_the_most_anomalous_at_the_end(
    folder: Path, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pictures(report: Path) -> list[str]:
        lines_of(run("score", "--model", folder, tree, "--report", report))
        return re.findall(r'<img src="(.*?)"', report.read_text(encoding="utf-8"))

    at_once = pictures(tmp_path / "at once.html")
    monkeypatch.setattr(html_report, "SHOWN", 2)
    assert pictures(tmp_path / "again.html") == at_once[:4]


def test_report_shows_every_image(folder: Path, tree: Path, tmp_path: Path) -> None:
    lines_of(run("score", "--model", folder, tree, "--report", tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in ("a 1/x.png", "b/x.png", "b/é 😀.png"))
    assert page.count("<img ") == 6


@pytest.mark.parametrize("jobs", [1, 2])
def test_outputs_at_urls_are_those_of_paths(folder: Path, tree: Path, tmp_path: Path, jobs: int) -> None:
    def score(place: object, number: int) -> str:
        names = {"--csv": "s.csv", "--maps": "maps", "--masks": "masks", "--report": "r.html"}
        outputs = [f"{option}={place}/{name}" for option, name in names.items()]
        return run("score", "--model", folder, tree, *outputs, "--jobs", number).stdout

    def files(place: Path) -> dict[Path, bytes]:
        return {path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()}

    assert score(tmp_path / "path", 1) == score(f"file://{tmp_path}/url", jobs)
    assert files(tmp_path / "path") == files(tmp_path / "url")
    assert len(files(tmp_path / "url")) == 2 + 3 * 9
