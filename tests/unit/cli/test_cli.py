import json
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from tests.unit.cli.command_line import assert_refused, lines_of, run
from vaead import __version__
from vaead.cli import main
from vaead.model.folder import load_model
from vaead.presets import preset_names
from vaead.recipe import ClassSource, PhotoSource, Recipe

Crops = list[NDArray[np.float32]]
RECIPE = Recipe.from_preset("article", ClassSource("digits", 1)).to_json()
PHOTO_RECIPE = Recipe.from_preset("industrial", PhotoSource()).to_json()


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


def test_help_of_training_names_all_presets() -> None:
    text = " ".join(run("train", "--help").stdout.split())
    assert ", ".join(preset_names()) in text
    assert ", ".join(preset_names(for_photos=True)) in text
    assert "[default: article, with --images industrial]" in text
    assert "industrial" not in run("evaluate", "--help").stdout


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
SMALL = ["--epochs", "2", "--crops", "128", "--latent", "3", "--seed", "5"]
SMALL_PATH = "digits/1/article+crops128+epochs2+latent3+seed5"


def test_training_prints_the_folder(tmp_path: Path, no_arithmetic: Crops) -> None:
    result = run("train", *DIGITS, "1", *SMALL, "--store", tmp_path)
    assert lines_of(result) == [str(tmp_path / SMALL_PATH)]
    assert result.stderr.startswith(f"Training {SMALL_PATH}: 128 crops, 2 epochs\n")
    recipe = load_model(tmp_path / SMALL_PATH).card.recipe
    assert recipe == Recipe.from_preset(
        "article", ClassSource("digits", 1), epochs=2, crops=128, latent_dim=3, seed=5
    )


def test_all_networks_are_told_and_counted(
    tmp_path: Path, no_arithmetic: Crops, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars: list[Any] = []
    make = click.progressbar

    def progressbar(**options: Any) -> Any:
        bars.append(make(**options))
        return bars[-1]

    monkeypatch.setattr(click, "progressbar", progressbar)
    options = ["--preset", "multi-scale", "--epochs", 4, "--crops", 128]
    result = run("train", *DIGITS, "1", *options, "--store", tmp_path)
    assert "multi-scale+crops128+epochs4: 128 crops, 2 networks of 4 epochs each\n" in result.stderr
    (folder,) = lines_of(result)
    assert [len(network.history) for network in load_model(folder).card.networks] == [4, 4]
    assert [(bar.length, bar.pos) for bar in bars] == [(8, 8)]


def test_training_reports_events(tmp_path: Path, no_arithmetic: Crops) -> None:
    result = run("train", *DIGITS, "1", *SMALL, "--store", tmp_path, "--progress", "json")
    start, *reports, done = (json.loads(line) for line in lines_of(result))
    epochs = [each for each in reports if each["event"] == "epoch"]
    assert reports[len(epochs) :][-1] == {"event": "calibration", "share": 1.0}
    assert result.stderr == ""
    (warning,) = done.pop("warnings")
    assert warning.startswith("This model's bottleneck has died")
    assert start == {"event": "start", "epochs": 2, "crops": 128, "path": SMALL_PATH}
    assert done.pop("elapsed_s") >= epochs[-1]["elapsed_s"]  # calibration counts, too
    assert done == {"event": "done", "model": str(tmp_path / SMALL_PATH)}
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
    tmp_path: Path, images: NDArray[np.uint8], no_arithmetic: Crops
) -> None:
    image = tmp_path / "image.png"
    Image.fromarray(images[0]).save(image)
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
        ([*DIGITS, "1", "--seed", "-1"], "seed must be a whole number from 0 .*, got -1; choose"),
        ([*DIGITS, "1", "--progress", "none"], "Invalid value for '--progress'"),
        ([*DIGITS, "1", "--colour", "red"], "No such option '?--colour'?"),
        (
            ["--dataset", "digits"],
            "--images must be given, or --dataset and --normal, got only one of these two",
        ),
        ([], "--images must be given, or --dataset and --normal, got neither; choose one way"),
        ([*DIGITS, "1", "--scale", "0.5"], "--dataset must stand without --scale, got both; leave one"),
        ([*DIGITS, "1", "--preset", "industrial"], "preset must be one of article.*, got 'industrial'"),
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["recalibrate", "--model", "model", "--images", "photos", "--normal", "", "--out", "other"],
        ["score", "--model=", "photo.png"],
        ["watch", "", "--model", "model", "--csv", "log.csv"],
    ],
)
def test_empty_argument_is_not_the_folder_one_is_in(arguments: list[str]) -> None:
    assert_refused(run(*arguments), "no argument may be empty, got '(--model=)?'; is a variable")


def test_recipe_holds_all_settings(tmp_path: Path, no_arithmetic: Crops) -> None:
    recipe = Recipe.from_preset("article", ClassSource("digits", 1), epochs=1, crops=128)
    recipe = replace(recipe, train=replace(recipe.train, batch_size=64))
    (folder,) = lines_of(run("train", "--recipe", recipe.to_json(), "--store", tmp_path))
    assert load_model(folder).card.recipe == recipe


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recipe", "{"], "recipe must be one in JSON, got '{'"),
        (["--recipe", RECIPE, "--epochs", "3"], "--recipe must stand without --epochs, got both; leave one"),
        (["--recipe", RECIPE, "--images", "x"], "recipe must be of photos with --images and of a class"),
        (["--recipe", PHOTO_RECIPE], "recipe must be of photos with --images and of a class without"),
    ],
)
def test_bad_recipe_is_refused(options: list[str], message: str) -> None:
    result = run("train", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
