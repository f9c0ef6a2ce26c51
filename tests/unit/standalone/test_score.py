"""score.py against vaead: all kinds of models and images, in a process that cannot import vaead or SciPy."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from vaead import shipped
from vaead.data.photos import Photo
from vaead.ignored import IgnoredRegion
from vaead.inference.golden import renew_golden, save_with_golden
from vaead.inference.predict import PredictSettings, predict_each
from vaead.inference.prediction import Prediction, Thresholds
from vaead.model.folder import load_model, save_model
from vaead.model.model import Model
from vaead.recipe import PhotoSource, Recipe

_BLOCKED = ("vaead", "scipy", "sklearn", "msgspec", "streamlit")


class Line:
    """A folder on the machine of a line: a model with score.py, and no vaead."""

    def __init__(self, folder: Path, empty: Path) -> None:
        self.folder = folder
        for name in _BLOCKED:
            (empty / f"{name}.py").write_text(f"raise ImportError('{name} is blocked')")
        self._variables = os.environ | {"PYTHONPATH": str(empty)}

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, self.folder / "score.py", *arguments]
        return subprocess.run(
            [str(each) for each in command],
            env=self._variables,
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def scores(self, *arguments: object) -> list[tuple[dict[str, float], str]]:
        """Scores and decision of each line."""
        result = self.run(*arguments)
        assert result.returncode == 0, result.stderr
        found = []
        for line in result.stdout.splitlines():
            _, *words, decision = line.split("\t")
            found.append(({name: float(value) for name, value in map(str.split, words)}, decision))
        return found


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder of modules that cannot be imported."""
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def expected(model: Model, files: list[Path], rate: float = 0.05) -> list[tuple[dict[str, float], str]]:
    settings = PredictSettings(Thresholds.from_rate(model.card.normal_scores, rate))
    predictions = list(predict_each(model, [Photo(file.name, str(file)) for file in files], settings))
    assert all(isinstance(each, Prediction) for each in predictions), predictions
    return [(each.scores, "flagged" if each.flagged[each.main_score] else "normal") for each in predictions]


def assert_agree(line: Line, model: Model, files: list[Path], *options: object) -> None:
    found, wanted = line.scores(*options, *files), expected(model, files, *options[1:])
    assert [decision for _, decision in found] == [decision for _, decision in wanted]
    for (scores, _), (wanted_scores, _) in zip(found, wanted, strict=True):
        assert scores == pytest.approx(wanted_scores, rel=1e-5)


def train(photos: list[NDArray[np.uint8]], source: PhotoSource) -> Model:
    from vaead.training.pipeline import train_photos

    settings = {"patch_size": 16, "stride": 6, "latent_dim": 4, "epochs": 1, "crops": 512, "seed": 3}
    return train_photos(photos, Recipe.from_preset("industrial", source, **settings))


def save(folder: Path, name: str, pixels: NDArray[np.generic], **options: object) -> Path:
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / name, **options)
    return folder / name


@pytest.fixture(scope="session")
def aligned(photos: list[NDArray[np.uint8]]) -> Model:
    """A model of aligned colour photos of 24x20 pixels, half their size, in light of their own."""
    small = [np.stack([photo[:20, :24], photo[8:28, 8:32], photo[20:40, 12:36]], axis=2) for photo in photos]
    return train(small, PhotoSource("rgb", 0.5, aligned=True, even_light=True))


def test_photos_of_any_size_and_format(
    photo_model: Model, photos: list[NDArray[np.uint8]], tmp_path: Path, empty: Path
) -> None:
    save_with_golden(tmp_path / "model", photo_model)
    grey, images = photos[0], tmp_path / "images"
    colour = np.stack([grey, grey[::-1], 255 - grey], axis=2)
    exif = Image.Exif()
    exif[0x0112] = 6
    files = [
        save(images, "画像.png", grey),
        save(images, "turned.jpg", colour, exif=exif),
        save(images, "clear.png", np.dstack([colour, grey])),
        save(images, "deep.png", grey.astype(np.uint16) * 250),
        save(images, "bits.bmp", grey > 128),
        save(images, "noise.webp", np.random.default_rng(0).integers(0, 256, (70, 50, 3), np.uint8)),
        save(images, "blank.tif", np.full((40, 40), 255, np.uint8)),
    ]
    Image.fromarray(colour).convert("P").save(images / "palette.png")
    assert_agree(Line(tmp_path / "model", empty), photo_model, [*files, images / "palette.png"])


def test_photos_of_several_kinds(
    photo_model: Model, photos: list[NDArray[np.uint8]], tmp_path: Path, empty: Path
) -> None:
    (network,) = photo_model.networks
    arrays = network.reference.arrays()
    kinds = np.concatenate([network.scorer.scan(photo[None]).content for photo in photos[:2]])
    middle = np.concatenate([arrays["middle"], arrays["middle"] - 1])
    arrays |= {"kinds": kinds, "middle": middle}
    several = type(network.reference).from_arrays(arrays)
    model = Model(photo_model.card, [network.with_reference(several)], photo_model.windows)
    save_with_golden(tmp_path / "model", model)
    files = [save(tmp_path / "images", f"{number}.png", photo) for number, photo in enumerate(photos)]
    assert expected(model, files)[0] == expected(photo_model, files)[0]
    assert expected(model, files)[1] != expected(photo_model, files)[1]
    assert_agree(Line(tmp_path / "model", empty), model, files)


def test_decision_at_another_rate(
    photo_model: Model, photos: list[NDArray[np.uint8]], tmp_path: Path, empty: Path
) -> None:
    save_with_golden(tmp_path / "model", photo_model)
    files = [save(tmp_path / "images", f"{number}.png", photo) for number, photo in enumerate(photos)]
    line = Line(tmp_path / "model", empty)
    assert_agree(line, photo_model, files, "--false-alarm-rate", 0.6)
    assert {decision for _, decision in expected(photo_model, files, 0.6)} == {"flagged", "normal"}


def test_aligned_colour_photos_in_even_light_at_half_their_size(
    aligned: Model, tmp_path: Path, empty: Path
) -> None:
    save_with_golden(tmp_path / "model", aligned)
    random = np.random.default_rng(0)
    sizes = [(40, 48, 3), (40, 48, 3), (60, 50, 3)]
    files = [
        save(tmp_path / "images", f"{number}.png", random.integers(0, 256, size, np.uint8))
        for number, size in enumerate(sizes)
    ]
    files.append(save(tmp_path / "images", "grey.png", random.integers(60, 90, (40, 48), np.uint8)))
    wanted = expected(aligned, files)
    assert [list(scores) for scores, _ in wanted[1:3]] == [["old", "new", "calibrated"], ["old", "new"]]
    assert_agree(Line(tmp_path / "model", empty), aligned, files)


def test_models_that_leave_out_a_region(
    aligned: Model, photo_model: Model, photos: list[NDArray[np.uint8]], tmp_path: Path, empty: Path
) -> None:
    region = np.zeros((40, 48), np.bool_)
    region[:25, 20:] = True
    random = np.random.default_rng(0)
    colours = [random.integers(0, 256, (40, 48, 3), np.uint8) for _ in range(2)]
    for name, model, pictures in (("aligned", aligned, colours), ("free", photo_model, photos[:2])):
        source = replace(model.card.recipe.source, ignored=IgnoredRegion.from_mask(region))
        card = replace(model.card, recipe=replace(model.card.recipe, source=source))
        folder = tmp_path / name
        save_with_golden(folder, Model(card, model.networks, model.windows).leaving_out(source.ignored))
        files = [save(folder / "images", f"{number}.png", each) for number, each in enumerate(pictures)]
        leaving_out = load_model(folder)
        assert expected(leaving_out, files) != expected(model, files)
        assert_agree(Line(folder, empty), leaving_out, files)


@pytest.mark.parametrize("preset", ["article", "multi-scale"])
def test_class_of_a_dataset(preset: str, images: NDArray[np.uint8], tmp_path: Path, empty: Path) -> None:
    model = load_model(shipped.MODELS / "digits" / "1" / preset)
    save_model(tmp_path / "model", model)
    renew_golden(tmp_path / "model", model)
    files = [save(tmp_path / "images", f"{number}.png", image) for number, image in enumerate(images)]
    files.append(save(tmp_path / "images", "blank.png", np.zeros((28, 28), np.uint8)))
    assert_agree(Line(tmp_path / "model", empty), model, files)


def test_golden_scores_are_proved_without_vaead(photo_model: Model, tmp_path: Path, empty: Path) -> None:
    save_with_golden(tmp_path / "model", photo_model)
    line = Line(tmp_path / "model", empty)
    assert len(line.scores("--check")) == 3
    golden = tmp_path / "model" / "golden.json"
    (value,) = {scores["new"] for scores, _ in line.scores("--check")[:1]}
    text = golden.read_text()
    start = text.index('"new": ') + len('"new": ')
    golden.write_text(f"{text[:start]}{value * 1.001}{text[text.index(',', start) :]}")
    result = line.run("--check")
    assert result.returncode == 1
    assert [each for each in result.stdout.splitlines() if ": new must be " in each and ", got " in each]


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda folder: (folder / "card.json").unlink(), "No such file"),
        (lambda folder: (folder / "card.json").write_text("{"), "cannot be read"),
        (lambda folder: (folder / "card.json").write_text('{"format_version": 4}'), "must be 8, got 4"),
        (lambda folder: (folder / "reference0.npz").write_bytes(b"PK"), "cannot be read"),
        (lambda folder: (folder / "network0.tflite.gz").write_bytes(b"no"), "Not a gzipped file"),
    ],
)
def test_broken_model_is_one_sentence(
    photo_model: Model, tmp_path: Path, empty: Path, spoil: object, problem: str
) -> None:
    save_with_golden(tmp_path / "model", photo_model)
    spoil(tmp_path / "model")
    result = Line(tmp_path / "model", empty).run("a.png")
    assert (result.returncode, result.stdout) == (2, "")
    assert problem in result.stderr
    assert "Traceback" not in result.stderr


def test_bad_images_are_named_and_the_others_scored(
    photo_model: Model, photos: list[NDArray[np.uint8]], tmp_path: Path, empty: Path
) -> None:
    save_with_golden(tmp_path / "model", photo_model)
    images = tmp_path / "images"
    good = save(images, "good.png", photos[0])
    (images / "text.png").write_text("no image")
    (images / "half.png").write_bytes(good.read_bytes()[:900])
    small = save(images, "small.png", photos[0][:10])
    frames = [Image.fromarray(photo) for photo in photos[:2]]
    frames[0].save(images / "two.tif", save_all=True, append_images=frames[1:])
    buffer = io.BytesIO()
    Image.fromarray(photos[0].astype(np.int32)).save(buffer, "TIFF")
    (images / "deep.tif").write_bytes(buffer.getvalue())
    bad = [images / name for name in ("absent.png", "text.png", "half.png", "two.tif", "deep.tif")]
    result = Line(tmp_path / "model", empty).run(*bad, small, good)
    assert result.returncode == 2
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == [str(good)]
    lines = [line for line in result.stderr.splitlines() if "cannot be scored" in line]
    assert [line.partition(": cannot")[0] for line in lines] == [str(each) for each in (*bad, small)]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [(), ("--false-alarm-rate", 0, "a.png"), ("--check", "a.png")])
def test_bad_arguments_are_refused(
    photo_model: Model, tmp_path: Path, empty: Path, arguments: tuple[object, ...]
) -> None:
    save_with_golden(tmp_path / "model", photo_model)
    result = Line(tmp_path / "model", empty).run(*arguments)
    assert result.returncode == 2
    assert "give images, or --check; and a false-alarm rate" in result.stderr
