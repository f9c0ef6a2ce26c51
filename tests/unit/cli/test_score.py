import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from tests.unit.cli.command_line import assert_refused, lines_of, run
from vaead.data.photos import Photo
from vaead.inference.prediction import Thresholds, predict
from vaead.model.files import CARD
from vaead.model.model import Model
from vaead.model.store import ModelStore
from vaead.plots.png import map_to_png
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.loss_terms import SCORES

DIGITS = ["--dataset", "digits", "--normal"]


def expected_scores(model: Model, image: NDArray[np.uint8]) -> dict[str, Any]:
    terms = model.term_maps(image[None])
    scores = {name: pytest.approx(terms.image_scores(name)[0], rel=1e-5) for name in terms.scores}
    return dict.fromkeys(SCORES) | scores


def test_scores_are_printed(folder: Path, image: Path, model: Model, images: NDArray[np.uint8]) -> None:
    (line,) = lines_of(run("score", "--model", folder, image))
    scores = [f"{name} {model.anomaly_score(images[:1], name)[0]:.3f}" for name in SCORES]
    assert line == "\t".join([str(image), *scores])


def test_scores_are_printed_as_json(
    folder: Path, image: Path, model: Model, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    wide = tmp_path / "wide.png"
    Image.fromarray(np.hstack(list(images))).save(wide)
    (line,) = lines_of(run("score", "--model", folder, image, wide, "--json"))
    found = json.loads(line)
    assert [isinstance(entry.pop("regions"), list) for entry in found] == [True, True]
    assert found == [
        {"image": str(image), **expected_scores(model, images[0]), "by_whole": False},
        {"image": str(wide), **expected_scores(model, np.hstack(list(images))), "by_whole": False},
    ]


def test_image_of_another_size_has_no_calibrated_score(folder: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((40, 28), np.uint8)).save(tmp_path / "x.png")
    arguments = ["score", "--model", folder, tmp_path / "x.png", "--json", "--false-alarm-rate", 0.1]
    (result,) = json.loads(lines_of(run(*arguments))[0])
    assert result["calibrated"] is None
    assert result["flagged"]["calibrated"] is None


@pytest.mark.parametrize("rate", [0.05, 0.6])
def test_flagged_is_what_lies_above_the_threshold(
    folder: Path, image: Path, model: Model, rate: float
) -> None:
    arguments = ["score", "--model", folder, image, "--false-alarm-rate", rate]
    (result,) = json.loads(lines_of(run(*arguments, "--json"))[0])
    threshold = model.card.normal_scores.threshold_value
    assert result["flagged"] == {name: result[name] > threshold(name, rate) for name in SCORES}
    (line,) = lines_of(run(*arguments))
    assert line.count(" flagged") == sum(result["flagged"].values())


def test_false_alarm_rate_out_of_range_is_refused(folder: Path, image: Path) -> None:
    result = run("score", "--model", folder, image, "--false-alarm-rate", 5)
    assert_refused(result, "false_alarm_rate must be above 0 and below 1, got 5.0; try 0.05")


def test_model_is_found_in_a_store(folder: Path, image: Path, model: Model, tmp_path: Path) -> None:
    card = replace(model.card, recipe=Recipe.from_preset("article", ClassSource("digits", 1)))
    ModelStore(tmp_path / "models").save(Model(card, model.networks))
    arguments = ["score", *DIGITS, "1", "--store", tmp_path / "models", image]
    assert lines_of(run(*arguments)) == lines_of(run("score", "--model", folder, image))


def test_model_of_other_settings_in_a_store_is_refused(folder: Path, image: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "models" / "digits" / "1" / "article")
    result = run("score", *DIGITS, "1", "--store", tmp_path / "models", image)
    assert_refused(result, "model must be made from the recipe asked for, got one with other settings")


def test_maps_are_written(
    folder: Path, image: Path, model: Model, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    maps = tmp_path / "maps" / "地図"
    lines_of(run("score", "--model", folder, image, "--maps", maps))
    assert {path.name for path in maps.iterdir()} == {
        f"{image.stem}.{name}.{ending}" for name in SCORES for ending in ("npy", "png")
    }
    for name in SCORES:
        anomaly_map = model.term_maps(images[:1]).anomaly_maps(name)[0]
        np.testing.assert_allclose(np.load(maps / f"{image.stem}.{name}.npy"), anomaly_map, rtol=1e-5)
        png = (maps / f"{image.stem}.{name}.png").read_bytes()
        limits = model.card.normal_scores.color_range(name)
        assert png == map_to_png(np.load(maps / f"{image.stem}.{name}.npy"), limits)


def test_maps_of_two_images_never_share_a_file(folder: Path, image: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / f"{image.stem}.jpeg"
    other.parent.mkdir()
    shutil.copy(image, other)
    message = "images must not share the names of their maps, got .*; rename"
    assert_refused(run("score", "--model", folder, image, other, "--maps", tmp_path / "maps"), message)
    assert not (tmp_path / "maps").exists()


def test_maps_never_replace_an_image(folder: Path, image: Path, tmp_path: Path) -> None:
    other = image.with_name(f"{image.stem}.new.png")
    shutil.copy(image, other)
    result = run("score", "--model", folder, image, other, "--maps", tmp_path)
    assert_refused(result, "images must not share the names of their maps")
    assert other.read_bytes() == image.read_bytes()


def test_same_image_may_be_named_twice(folder: Path, image: Path, tmp_path: Path) -> None:
    first, second = lines_of(run("score", "--model", folder, image, image, "--maps", tmp_path / "maps"))
    assert first == second


@pytest.mark.parametrize("option", ["--maps", "--masks", "--csv", "--regions", "--report"])
def test_output_that_cannot_be_written_is_refused(
    folder: Path, image: Path, tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").touch()
    result = run("score", "--model", folder, image, option, tmp_path / "file" / "out" / "x")
    assert_refused(result, rf"{option} must be a place that can be written, got .* \(Not a directory\); free")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows any bytes in the name of a file")
@pytest.mark.parametrize("size", [28, 7], ids=["scored", "skipped"])
def test_name_that_is_not_utf8_does_no_harm(folder: Path, tmp_path: Path, size: int) -> None:
    name = tmp_path / os.fsdecode(b"caf\xe9.png")
    Image.fromarray(np.zeros((size, size), np.uint8)).save(name)
    outputs = [f"{option}={tmp_path / option}" for option in ("--csv", "--report", "--maps")]
    result = run("score", "--model", folder, name, *outputs)
    assert result.exit_code == (0 if size == 28 else 1)
    assert ("caf\ufffd.png" if size == 28 else r"caf\udce9.png") in result.output


def test_name_with_a_line_break_still_gives_one_line(folder: Path, tmp_path: Path) -> None:
    write_small_image(tmp_path / "a\nb.png")
    result = run("score", "--model", folder, tmp_path / "a\nb.png")
    assert re.match(r"Skipped: image '.*a\\nb.png' must be at least 8x8 px", result.stderr)
    assert result.stderr.count("\n") == 2


def write_small_image(path: Path) -> None:
    Image.fromarray(np.zeros((28, 7), np.uint8)).save(path)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, r"image '.*x\.png' must be an existing file, got .*; check its name"),
        (
            lambda path: path.write_text("no image"),
            r"image '.*x\.png' must be PNG, .*; export it in one of these formats",
        ),
        (write_small_image, r"image '.*x\.png' must be at least 8x8 px, got 7x28 px; use larger images.*"),
        (Path.touch, r"image '.*x\.png' must hold data, got 0 bytes; copy or export it again"),
    ],
    ids=["absent", "no image", "too small", "empty"],
)
def test_bad_image_is_skipped_and_the_rest_goes_on(
    folder: Path, image: Path, tmp_path: Path, write: Any, message: str
) -> None:
    write(tmp_path / "x.png")
    result = run("score", "--model", folder, tmp_path / "x.png", image, "--json")
    assert result.exit_code == 1
    assert re.fullmatch(f"Skipped: {message}\nSkipped 1 of 2 files\n", result.stderr), result.stderr
    (entry,) = json.loads(result.stdout)
    assert entry["image"] == str(image)


def test_nothing_but_bad_images_is_an_empty_array(folder: Path) -> None:
    assert run("score", "--model", folder, "x.png", "--json").stdout == "[]\n"


@pytest.mark.parametrize(("given", "rate"), [([], 0.05), (["--false-alarm-rate", 0.6], 0.6)])
def test_masks_are_white_where_something_stands_out(
    folder: Path, image: Path, model: Model, images: NDArray[np.uint8], given: list[object], rate: float
) -> None:
    out = image.parent / "masks"
    lines_of(run("score", "--model", folder, image, "--masks", out, *given))
    thresholds = Thresholds.from_rate(model.card.normal_scores, rate)
    prediction = predict(model, Photo("x", "x"), images[0], thresholds)
    for name in SCORES:
        with Image.open(out / f"{image.stem}.{name}.mask.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), np.where(prediction.mask(name), 255, 0))


@pytest.mark.parametrize("option", ["--maps", "--masks", "--csv", "--regions", "--report"])
def test_output_at_a_url_that_cannot_be_written_is_refused(folder: Path, image: Path, option: str) -> None:
    result = run("score", "--model", folder, image, option, "file:///proc/no-such-folder/x")
    assert_refused(result, rf"{option} must be a place that can be written, got 'file:///proc.*; free")


@pytest.mark.parametrize("option", ["--csv", "--regions", "--report"])
def test_output_never_replaces_an_image(folder: Path, image: Path, option: str) -> None:
    before = image.read_bytes()
    assert_refused(
        run("score", "--model", folder, image, option, image), "outputs must be files of their own"
    )
    assert image.read_bytes() == before


def test_two_outputs_never_share_a_file(folder: Path, image: Path) -> None:
    result = run("score", "--model", folder, image, "--csv", "x", "--report", "./x")
    assert_refused(result, "outputs must be files of their own")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.png"], "--model must be given, or --dataset and --normal, got neither; choose one"),
        ([*DIGITS[:2], "x.png"], "--model must be given, or --dataset and --normal, got only one"),
        ([*DIGITS, "1", "--model", "m", "x.png"], "--model must stand without --dataset, got both; leave"),
        (["--model", "no such folder", "x.png"], "model must be a folder with a card.json, got .*; train"),
        (["--dataset", "emnist", "--normal", "1", "x.png"], "dataset must be one of .*, got 'emnist'"),
        ([*DIGITS, "ten", "x.png"], "class must be one of .*, got 'ten'"),
        ([*DIGITS, "1", "--preset", "best", "x.png"], "preset must be one of article.*, got 'best'"),
        ([*DIGITS, "1", "--store", "no such store", "x.png"], "model must be a folder with a card.json"),
        (
            ["--model", "m", "--backend", "ray", "x.png"],
            "backend must be one of loky, dask, got 'ray'; choose",
        ),
        (
            ["--model", "m", "--backend", "dask", "x.png"],
            "address must be given for the backend dask, got none",
        ),
        (
            ["--model", "m", "--address", "tcp://a:1", "x.png"],
            "address must stand with the backend dask, got",
        ),
        (["--model", "m", "--jobs", "0", "x.png"], "jobs must be at least 1, got 0; leave it out"),
        (["--model", "memory://no/model", "x.png"], "model must be a folder with a card.json, got 'memory"),
        (
            ["--model", "no://such/system", "x.png"],
            "model must be a folder that can be read, got 'no:.*; check",
        ),
        (["--model", "m"], "Missing argument 'IMAGES...'.* Try 'vaead score --help'"),
    ],
)
def test_scoring_without_a_model_is_refused(arguments: list[str], message: str) -> None:
    assert_refused(run("score", *arguments), message)


@pytest.mark.parametrize("name", [CARD, "network0.tflite.gz", "reference0.npz"])
def test_damaged_model_is_refused(folder: Path, image: Path, tmp_path: Path, name: str) -> None:
    damaged = Path(shutil.copytree(folder, tmp_path / "damaged"))
    content = (damaged / name).read_bytes()
    (damaged / name).write_bytes(content[: len(content) // 2])
    assert_refused(run("score", "--model", damaged, image), f"{re.escape(name)} must .*; train the model")


def test_image_whose_maps_cannot_be_named_is_skipped(folder: Path, image: Path, tmp_path: Path) -> None:
    long = image.with_name(f"{'n' * 220}.png")
    shutil.copy(image, long)
    result = run("score", "--model", folder, long, image, "--maps", tmp_path / "maps", "--json")
    assert result.exit_code == 1
    assert [entry["image"] for entry in json.loads(result.stdout)] == [str(image)]
    assert re.search("Skipped: image 'n{220}.png' must have a name of at most 200 bytes", result.stderr)


@pytest.mark.parametrize(
    ("option", "name"), [("--csv", CARD), ("--report", "new.html"), ("--maps", ""), ("--masks", "new")]
)
def test_output_never_touches_the_model(folder: Path, image: Path, option: str, name: str) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    result = run("score", "--model", folder, image, option, folder / name)
    assert_refused(result, "outputs must lie outside the folder of the model, got .*; name another place")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("option", ["--csv", "--regions", "--report"])
def test_table_is_never_named_like_an_image(folder: Path, image: Path, tmp_path: Path, option: str) -> None:
    other = tmp_path / "training" / "1.png"
    other.parent.mkdir()
    shutil.copy(image, other)
    assert_refused(run("score", "--model", folder, image, option, other), "must not be named like an image")
    assert other.read_bytes() == image.read_bytes()


def test_older_table_is_kept_where_another_output_is_refused(
    folder: Path, image: Path, tmp_path: Path
) -> None:
    table, blocked = tmp_path / "table.csv", tmp_path / "blocked"
    table.write_text("older")
    blocked.touch()
    result = run("score", "--model", folder, image, "--csv", table, "--report", blocked / "report.html")
    assert_refused(result, "--report must be a place that can be written")
    assert table.read_text() == "older"


def test_image_without_a_name_is_refused(folder: Path) -> None:
    assert_refused(run("score", "--model", folder, ""), "no argument may be empty, got ''")


@pytest.mark.parametrize(("rate", "code"), [(0.999, 3), (0.001, 0)])
def test_exit_code_tells_of_flagged_images_where_asked(
    folder: Path, image: Path, model: Model, images: NDArray[np.uint8], rate: float, code: int
) -> None:
    limit = model.card.normal_scores.threshold_value("calibrated", rate)
    expected = code if model.anomaly_score(images[:1])[0] > limit else 0
    arguments = ["score", "--model", folder, image, "--false-alarm-rate", rate]
    assert run(*arguments, "--fail-if-flagged").exit_code == expected
    assert run(*arguments).exit_code == 0
    assert expected == 3 or rate == 0.001
