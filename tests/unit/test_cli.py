import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

from vaead import __version__
from vaead.cli import main
from vaead.images import map_to_png
from vaead.recipe import Recipe
from vaead.store import CARD, Model, ModelStore, load_model
from vaead.terms import SCORES

Crops = list[NDArray[np.float32]]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="vaead")


def lines_of(result: Result) -> list[str]:
    """Standard output of a run without a fault."""
    assert (result.exit_code, result.exception) == (0, None), result.stderr
    return result.stdout.splitlines()


def assert_refused(result: Result, message: str) -> None:
    """One line on standard error, nothing on standard output, exit code 2."""
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(f"Error: .*{message}.*\n", result.stderr), result.stderr


@pytest.fixture
def folder(store: ModelStore, recipe: Recipe) -> Path:
    return store.folder(recipe)


@pytest.fixture
def image(tmp_path: Path, images: NDArray[np.uint8]) -> Path:
    path = tmp_path / "画像 é.png"
    Image.fromarray(images[0]).save(path)
    return path


def commands() -> list[tuple[str, click.Command]]:
    return [("", main), *main.commands.items()]


@pytest.mark.parametrize(("name", "command"), commands(), ids=lambda value: value or "vaead")
def test_help_explains_every_option(name: str, command: click.Command) -> None:
    text = run(*name.split(), "--help").stdout
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help
            assert all(each in text for each in option.opts)
    assert str(command.help).splitlines()[0] in text


def test_version_is_that_of_the_package() -> None:
    assert lines_of(run("--version")) == [f"vaead, version {__version__}"]


def test_datasets_are_listed_with_their_classes() -> None:
    lines = [line.split("\t") for line in lines_of(run("datasets"))]
    assert [line[0] for line in lines] == ["mnist", "fashion_mnist", "digits"]
    assert lines[1][1] == "Fashion-MNIST"
    assert lines[1][2].endswith("7 Sneaker, 8 Bag, 9 Ankle boot")


def test_datasets_are_listed_as_json() -> None:
    (line,) = lines_of(run("datasets", "--json"))
    entries = json.loads(line)
    assert [entry["name"] for entry in entries] == ["mnist", "fashion_mnist", "digits"]
    assert entries[1]["title"] == "Fashion-MNIST"
    assert entries[1]["classes"][9] == "Ankle boot"


DIGITS = ["--dataset", "digits", "--normal"]
SMALL = ["--epochs", "2", "--crops", "128", "--latent", "3", "--patience", "9", "--seed", "5"]
SMALL_PATH = "digits/1/article+crops128+epochs2+latent3+patience9+seed5"


def test_training_prints_the_folder(tmp_path: Path, no_arithmetic: Crops) -> None:
    result = run("train", *DIGITS, "1", *SMALL, "--store", tmp_path)
    assert lines_of(result) == [str(tmp_path / SMALL_PATH)]
    assert result.stderr.startswith(f"Training {SMALL_PATH}: 128 crops, 2 epochs\n")
    recipe = load_model(tmp_path / SMALL_PATH).card.recipe
    assert recipe == Recipe.from_preset("digits", 1, epochs=2, crops=128, latent=3, patience=9, seed=5)


def test_training_reports_events(tmp_path: Path, no_arithmetic: Crops) -> None:
    result = run("train", *DIGITS, "1", *SMALL, "--store", tmp_path, "--progress", "json")
    start, *epochs, done = (json.loads(line) for line in lines_of(result))
    assert result.stderr == ""
    assert start == {"event": "start", "epochs": 2, "crops": 128, "path": SMALL_PATH}
    assert done == {
        "event": "done",
        "elapsed_s": epochs[-1]["elapsed_s"],
        "model": str(tmp_path / SMALL_PATH),
    }
    for number, epoch in enumerate(epochs, start=1):
        seconds = {name: epoch.pop(name) for name in ("elapsed_s", "remaining_s")}
        losses = {
            "loss": 3 + 8 / 128,
            "kl": 8.0,
            "log_variance": 2.0,
            "mahalanobis": 1.0,
            "held_out_loss": 5.0,
        }
        assert epoch == {"event": "epoch", "epoch": number, "epochs": 2, **losses}
        assert all(isinstance(value, float) for value in seconds.values())
    assert len(epochs) == 2


def test_position_aware_model_is_trained_and_scores(
    tmp_path: Path, image: Path, no_arithmetic: Crops
) -> None:
    preset = ["--preset", "position-aware", "--store", tmp_path]
    (folder,) = lines_of(run("train", *DIGITS, "1", *preset, "--epochs", "1", "--crops", "128"))
    assert folder == str(tmp_path / "digits/1/position-aware+crops128+epochs1")
    (line,) = lines_of(run("score", "--model", folder, image))
    assert line.startswith(f"{image}\told ")


def test_class_may_be_given_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("train", *DIGITS, " 7 ", "--store", tmp_path / "file" / "models", "--progress", "json")
    assert "store must be" in result.stderr  # and so the class was found


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "emnist", "--normal", "1"], "dataset must be one of .*, got 'emnist'; choose one"),
        ([*DIGITS, "ten"], "class must be one of .*, got 'ten'; choose one of these"),
        ([*DIGITS, "1", "--preset", "best"], "preset must be one of article.*, got 'best'; choose one"),
        ([*DIGITS, "1", "--epochs", "0"], "epochs must be a whole number from 1 to 1,000, got 0; choose"),
        ([*DIGITS, "1", "--epochs", "x"], "Invalid value for '--epochs'.* Try 'vaead train --help'"),
        ([*DIGITS, "1", "--crops", "127"], "crops must be a whole number from 128 .*, got 127; choose"),
        ([*DIGITS, "1", "--latent", "65"], "latent must be a whole number from 1 to 64, got 65; choose"),
        ([*DIGITS, "1", "--patience", "-1"], "patience must be a whole number from 0 .*, got -1; choose"),
        ([*DIGITS, "1", "--seed", "-1"], "seed must be a whole number from 0 .*, got -1; choose"),
        ([*DIGITS, "1", "--progress", "none"], "Invalid value for '--progress'"),
        ([*DIGITS, "1", "--colour", "red"], "No such option '?--colour'?"),
        (["--dataset", "digits"], "Missing option '--normal'"),
        ([*DIGITS, "1", "--store", __file__ + "/models"], "store must be a folder that can be written"),
    ],
)
def test_bad_training_is_refused(arguments: list[str], message: str) -> None:
    assert_refused(run("train", *arguments), message)


def test_error_is_also_an_event() -> None:
    result = run("train", "--dataset", "emnist", "--normal", "1", "--progress", "json")
    (event,) = (json.loads(line) for line in result.stdout.splitlines())
    assert result.exit_code == 2
    assert result.stderr == f"Error: {event['message']}\n"
    assert event["event"] == "error"


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"]])
def test_bad_command_is_refused(arguments: list[str]) -> None:
    assert_refused(run(*arguments), "No such (command|option) '?-*nonsense'?.*Try 'vaead --help'")


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
    assert json.loads(line) == [
        {"image": str(image), **expected_scores(model, images[0])},
        {"image": str(wide), **expected_scores(model, np.hstack(list(images)))},
    ]


def test_image_of_another_size_has_no_calibrated_score(folder: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((40, 28), np.uint8)).save(tmp_path / "x.png")
    (line,) = lines_of(
        run("score", "--model", folder, tmp_path / "x.png", "--json", "--false-alarm-rate", 0.1)
    )
    (result,) = json.loads(line)
    assert result["calibrated"] is None
    assert result["flagged"]["calibrated"] is None


@pytest.mark.parametrize("rate", [0.05, 0.6])
def test_flagged_is_what_lies_above_the_threshold(
    folder: Path, image: Path, model: Model, rate: float
) -> None:
    arguments = ["score", "--model", folder, image, "--false-alarm-rate", rate]
    (result,) = json.loads(lines_of(run(*arguments, "--json"))[0])
    threshold = {name: model.card.calibration.threshold(name, rate).value for name in SCORES}
    assert result["flagged"] == {name: result[name] > threshold[name] for name in SCORES}
    (line,) = lines_of(run(*arguments))
    assert line.count(" flagged") == sum(result["flagged"].values())


def test_false_alarm_rate_out_of_range_is_refused(folder: Path, image: Path) -> None:
    result = run("score", "--model", folder, image, "--false-alarm-rate", 5)
    assert_refused(result, "false_alarm_rate must be above 0 and below 1, got 5.0; try 0.05")


def test_model_is_found_in_a_store(folder: Path, image: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "models" / "digits" / "1" / "article")
    arguments = ["score", *DIGITS, "1", "--store", tmp_path / "models", image]
    assert lines_of(run(*arguments)) == lines_of(run("score", "--model", folder, image))


def test_maps_are_written(
    folder: Path, image: Path, model: Model, images: NDArray[np.uint8], tmp_path: Path
) -> None:
    maps = tmp_path / "maps" / "地図"
    lines_of(run("score", "--model", folder, image, "--maps", maps))
    assert {path.name for path in maps.iterdir()} == {
        f"{image.stem}.{name}.{ending}" for name in SCORES for ending in ("npy", "png")
    }
    for name in SCORES:
        anomaly_map = model.anomaly_map(images[:1], name)[0]
        np.testing.assert_allclose(np.load(maps / f"{image.stem}.{name}.npy"), anomaly_map, rtol=1e-5)
        png = (maps / f"{image.stem}.{name}.png").read_bytes()
        assert png == map_to_png(np.load(maps / f"{image.stem}.{name}.npy"))


def test_maps_of_two_images_never_share_a_file(folder: Path, image: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / f"{image.stem}.jpeg"
    other.parent.mkdir()
    shutil.copy(image, other)
    message = f"images must not share the names of their maps, got .* for '{image.stem}.old.npy'; rename"
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


def test_maps_that_cannot_be_written_are_refused(folder: Path, image: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("score", "--model", folder, image, "--maps", tmp_path / "file" / "maps")
    assert_refused(result, r"maps must be a folder that can be written, got .* \(Not a directory\); free")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux allows any bytes in the name of a file")
@pytest.mark.parametrize("size", [28, 7], ids=["scored", "refused"])
def test_name_that_is_not_utf8_does_no_harm(folder: Path, tmp_path: Path, size: int) -> None:
    name = tmp_path / os.fsdecode(b"caf\xe9.png")
    Image.fromarray(np.zeros((size, size), np.uint8)).save(name)
    result = run("score", "--model", folder, name)
    assert result.exit_code == (0 if size == 28 else 2)
    assert "caf\ufffd.png" in result.output


def test_name_with_a_line_break_still_gives_one_line(folder: Path, tmp_path: Path) -> None:
    write_small_image(tmp_path / "a\nb.png")
    assert_refused(run("score", "--model", folder, tmp_path / "a\nb.png"), "a b.png: image must be at least")


def write_text(path: Path) -> None:
    path.write_text("no image")


def write_small_image(path: Path) -> None:
    Image.fromarray(np.zeros((28, 7), np.uint8)).save(path)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, r"image must be an existing file, got '.*x\.png'; check its name"),
        (write_text, r"image must be a readable picture, got '.*x\.png' .*; use PNG or JPEG"),
        (write_small_image, r"x\.png: image must be at least 8x8 pixels .* got 28x7; use a larger image"),
    ],
    ids=["absent", "no image", "too small"],
)
def test_bad_image_is_refused(folder: Path, tmp_path: Path, write: Any, message: str) -> None:
    write(tmp_path / "x.png")
    assert_refused(run("score", "--model", folder, tmp_path / "x.png"), message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.png"], "--model must be given, or --dataset and --normal, got neither; name a model"),
        ([*DIGITS[:2], "x.png"], "--model must be given, or --dataset and --normal, got neither"),
        ([*DIGITS, "1", "--model", "m", "x.png"], "--model must stand without --dataset and --normal, got"),
        (["--model", "no such folder", "x.png"], "model must be a folder with a card.json, got .*; train"),
        (["--dataset", "emnist", "--normal", "1", "x.png"], "dataset must be one of .*, got 'emnist'"),
        ([*DIGITS, "ten", "x.png"], "class must be one of .*, got 'ten'"),
        ([*DIGITS, "1", "--preset", "best", "x.png"], "preset must be one of article.*, got 'best'"),
        ([*DIGITS, "1", "--store", "no such store", "x.png"], "model must be a folder with a card.json"),
        (["--model", "m"], "Missing argument 'IMAGES...'.* Try 'vaead score --help'"),
    ],
)
def test_scoring_without_a_model_is_refused(arguments: list[str], message: str) -> None:
    assert_refused(run("score", *arguments), message)


@pytest.mark.parametrize("name", [CARD, "scorer.tflite.gz", "calibration.npz"])
def test_damaged_model_is_refused(folder: Path, image: Path, tmp_path: Path, name: str) -> None:
    damaged = Path(shutil.copytree(folder, tmp_path / "damaged"))
    content = (damaged / name).read_bytes()
    (damaged / name).write_bytes(content[: len(content) // 2])
    assert_refused(run("score", "--model", damaged, image), f"{re.escape(name)} must .*; train the model")
