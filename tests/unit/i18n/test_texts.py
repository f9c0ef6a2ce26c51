"""The catalogues of the interface against each other and against the code that uses them."""

import ast
import re
from collections.abc import Iterator
from string import Formatter
from typing import NamedTuple

import pytest

from vaead.calibration.diagnostics import TrainingDiagnostics
from vaead.data.datasets import dataset_names, get_spec
from vaead.data.photos.made_defects import KINDS
from vaead.data.photos.reasons import sentences
from vaead.data.screws.generator import DEFECTS
from vaead.i18n import why
from vaead.i18n.texts import FOLDER, LANGUAGES, Texts, _load
from vaead.metrics.baselines import BASELINES
from vaead.metrics.image import METRICS
from vaead.model.normal_windows import QUANTITIES
from vaead.photo_defaults import CHANGES
from vaead.recipe import COLORS
from vaead.scoring.loss_terms import SCORES, TERMS
from vaead.ui.compare import canvas
from vaead.ui.compare.inspector import CASES
from vaead.ui.method.section import STEPS
from vaead.ui.shared import spoken
from vaead.ui.shared.controls import CONTROLS, LESSONS, PAIRS, options
from vaead.ui.your_images import boxes, metrics

SOURCES = sorted(FOLDER.parents[1].rglob("*.py"))
ENGLISH = _load("en")
OTHERS = [language for language in LANGUAGES if language != "en"]

EVALUATED = (
    "misses",
    "false_alarm_images",
    "by_f1",
    "by_recall",
    "recall",
    "precision",
    "false_alarm_rate",
)

STORY_NAMES = (*LESSONS, *(f"{dataset}_{normal}_{anomalous}" for dataset, normal, anomalous in PAIRS))

# Keys put together in the code, each {place} written as {}, with all the keys they stand for.
PATTERNS = {
    "agreement.{}": ["agreement.higher", "agreement.lower"],
    "class.{}.{}": [
        f"class.{name}.{number}"
        for name in dataset_names()
        for number, class_name in enumerate(get_spec(name).class_names)
        if class_name != str(number)
    ],
    "baseline.{}": [f"baseline.{name}" for name in BASELINES],
    "compare.{}": ["compare.normal", "compare.anomalous"],
    "control.{}": [f"control.{key}" for key in CONTROLS],
    "control.{}_help": [f"control.{key}_help" for key in CONTROLS if f"control.{key}_help" in ENGLISH],
    "control.{}_image": ["control.normal_image", "control.anomalous_image"],
    "defect.{}": [f"defect.{kind}" for kind in ("good", *DEFECTS)],
    "details.{}": [f"details.{name}" for name in ("terms", "decoder", "network", "training", *TERMS)],
    "decision.{}": [f"decision.{name}" for name in ("neither", "normal", "anomalous", "both")],
    "evaluate.{}": [f"evaluate.{name}" for name in (*METRICS, *EVALUATED)],
    "evaluate.paper_{}": [f"evaluate.paper_{winner}" for winner in ("old", "new", "equal")],
    "training_warning.{}": [f"training_warning.{name}" for name in TrainingDiagnostics(0, 99).warnings],
    "inspector.{}": [f"inspector.{name}" for name in (*QUANTITIES, *CASES)],
    "method.{}_title": [f"method.{step}_title" for step in STEPS],
    "method.{}_text": [f"method.{step}_text" for step in STEPS],
    "page.{}": [f"page.{path}" for path in ("compare", "evaluate", "images", "method", "reference")],
    "option.{}.{}": [
        f"option.{key}.{value}"
        for key in (
            "dataset",
            "preset",
            "view",
            "colors",
            "rule",
            "instead",
            "score",
            "threshold",
            "matrix",
            "made_image",
            "compared",
        )
        for value in options(key, {})
    ],
    "own.metric_{}": [f"own.metric_{name}" for name in metrics.NAMES],
    "own.model_{}": [f"own.model_{kind}" for kind in ("none", "broken", "damaged", "classes")],
    "instead.{}": ["instead.edited", "instead.blank", "instead.noise", "instead.upside_down"],
    "canvas.{}": [f"canvas.{name}" for name in (*canvas.TOOLS, "canvas")],
    "variant.{}": [f"variant.{change}" for change in CHANGES],
    "regions.{}": [
        f"regions.{name}" for name in ("place", "size", "area", "largest", "mean", "normal_below")
    ],
    "boxes.{}": [f"boxes.{name}" for name in boxes.TOOLS],
    "mistakes.{}": [f"mistakes.{name}" for name in ("threshold", "flagged", "found")],
    "trials.{}": [f"trials.{name}" for name in ("settings", "auroc", "found", "time")],
    "thumbs.{}": ["thumbs.previous", "thumbs.next"],
    "kept.{}": ["kept.now", "kept.kept"],
    "definition.{}": [f"definition.{score}" for score in SCORES],
    "definition.{}_formula": [f"definition.{score}_formula" for score in SCORES],
    "stories.{}": [f"stories.{name}" for name in STORY_NAMES],
    "stories.{}_text": [f"stories.{name}_text" for name in LESSONS],
    "lesson.{}": [f"lesson.{name}" for name in LESSONS],
    "stories.{}_{}_{}_text": [f"stories.{dataset}_{n}_{a}_text" for dataset, n, a in PAIRS],
    "defect_trials.{}": [f"defect_trials.{kind}" for kind in KINDS],
    "photo_defaults.color_{}": [f"photo_defaults.color_{color}" for color in COLORS],
    "photo_defaults.light_{}": ["photo_defaults.light_on", "photo_defaults.light_off"],
    "photo_defaults.aligned_{}": ["photo_defaults.aligned_on", "photo_defaults.aligned_off"],
    "reason.{}": [f"reason.{kind}" for kind in sentences()],
    "report.place_{}{}": [f"report.place_{row}{column}" for row in range(3) for column in range(3)],
    "streamlit.{}": [f"streamlit.{word}" for word in spoken._WORDS],
    "score.{}": [f"score.{score}" for score in SCORES],
    "why.{}": [f"why.{case}" for case in why.CASES],
    "verdict.{}": [f"verdict.{name}" for name in ("all", "none")],
}

SAME_IN_ALL_LANGUAGES = {
    "option.dataset.mnist",
    "option.dataset.fashion_mnist",
    "option.colors.Cividis",
    "option.colors.Viridis",
    "compare.image_title",
    "compare.score_title",
    "own.metric_aupro",
    "own.score_title",
    "stories.mnist_1_9",
    "trials.auroc",
}

FILLED_IN_BY_FIGURES = {"compare.hover", "compare.gallery_hover", "matrix.hover"}


class Use(NamedTuple):
    """A place in the code that takes a text; `values` is None if they cannot be read off the code."""

    where: str
    key: str
    values: set[str] | None


def _key(node: ast.expr) -> str | None:
    match node:
        case ast.Constant(value=str(key)):
            return key
        case ast.JoinedStr(values=parts):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
    return None


def _is_catalogue(function: ast.expr) -> bool:
    """Whether a function is `texts`, `texts.get` or `Texts(...)`."""
    match function:
        case ast.Name(id="texts") | ast.Attribute(attr="_texts"):
            return True
        case ast.Attribute(value=ast.Name(id="texts"), attr="get"):
            return True
        case ast.Call(func=ast.Name(id="Texts")):
            return True
    return False


def _uses() -> Iterator[Use]:
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _is_catalogue(node.func):
                key = _key(node.args[0])
                where = f"{source.name}:{node.lineno}"
                assert key is not None, f"{where}: a key must be a string or an f-string"
                names = {keyword.arg for keyword in node.keywords}
                yield Use(where, key, None if None in names else {name for name in names if name})


USES = list(_uses())


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_the_search_finds_the_uses() -> None:
    assert {"control.settings", "compare.caption", "link.bad", "class.{}.{}", "verdict.{}"} <= {
        use.key for use in USES
    }


@pytest.mark.parametrize("language", OTHERS)
def test_languages_have_the_same_keys(language: str) -> None:
    assert set(_load(language)) == set(ENGLISH)


@pytest.mark.parametrize("language", OTHERS)
def test_languages_have_the_same_places(language: str) -> None:
    other = _load(language)
    different = {key for key in ENGLISH if places(ENGLISH[key]) != places(other[key])}
    assert different == set()


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_untranslated(language: str) -> None:
    other = _load(language)
    assert {key for key in ENGLISH if ENGLISH[key] == other[key]} == SAME_IN_ALL_LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_has_space_around_it(language: str) -> None:
    assert {key for key, text in _load(language).items() if not text or text != text.strip()} == set()


def test_every_key_in_the_code_exists() -> None:
    assert [use for use in USES if "{}" not in use.key and use.key not in ENGLISH] == []


def test_every_pattern_in_the_code_is_expanded_here() -> None:
    assert {use.key for use in USES if "{}" in use.key} == set(PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_key_of_a_pattern_exists(pattern: str) -> None:
    form = re.compile(re.escape(pattern).replace(r"\{\}", ".+"))
    assert all(form.fullmatch(key) for key in PATTERNS[pattern])
    assert set(PATTERNS[pattern]) <= set(ENGLISH)


def test_every_key_is_used() -> None:
    used = {use.key for use in USES} | {key for keys in PATTERNS.values() for key in keys}
    assert set(ENGLISH) - used == set()


def test_every_place_is_filled_in() -> None:
    wrong = [
        use
        for use in USES
        if "{}" not in use.key
        and use.values is not None
        and use.key not in FILLED_IN_BY_FIGURES
        and use.values != places(ENGLISH[use.key])
    ]
    assert wrong == []


def test_places_of_hover_texts_are_those_the_figures_fill_in() -> None:
    assert places(ENGLISH["compare.hover"]) == {"x", "y", "value"}
    assert places(ENGLISH["compare.gallery_hover"]) == {"number"}
    assert places(ENGLISH["matrix.hover"]) == {"normal", "anomalous", "value"}


def test_values_are_put_into_their_places() -> None:
    assert Texts("ja")("training.running", epoch=2, epochs=9) == "学習中: エポック 2 / 9"


def test_braces_in_a_value_stay_as_they_are() -> None:
    assert Texts("en")("training.failed", message="{x}") == "The training failed: {x}"


def test_unknown_key_is_a_bug() -> None:
    with pytest.raises(KeyError, match=r"no\.such\.key"):
        Texts("en")("no.such.key")


@pytest.mark.parametrize("step", STEPS)
def test_steps_of_the_method_have_few_words(step: str) -> None:
    assert len(ENGLISH[f"method.{step}_text"].split()) <= 60


@pytest.mark.parametrize("language", LANGUAGES)
def test_reference_of_the_method_exists(language: str) -> None:
    assert Texts(language).method.startswith("# ")


def test_lines_of_japanese_are_joined_without_a_space() -> None:
    page = Texts("ja").method
    assert re.search(r"[ぁ-ん]\n *[ぁ-ん]", page) is None
    assert "\n\n## " in page


@pytest.mark.parametrize("language", OTHERS)
def test_reference_has_the_same_parts_in_every_language(language: str) -> None:
    def parts(page: str) -> list[str]:
        return re.findall(r"^(#+|\||- |\d\.)", page, re.MULTILINE)

    assert parts(Texts(language).method) == parts(Texts("en").method)


# Names, units, file formats and what is typed into a terminal; the rest of a Japanese text is Japanese.
LATIN_IN_JAPANESE = {
    *("vaead", "MNIST", "Fashion", "scikit", "learn", "Cividis", "Viridis", "arXiv", "MVTec", "AD", "LOCO"),
    *("VisA", "BTAD", "AUROC", "AUPR", "AUPRO", "ROC", "ELBO", "nat", "mu", "sigma", "px", "MB", "GB", "CSV"),
    *("ZIP", "HTML", "PNG", "JPEG", "BMP", "TIFF", "WebP", "EXIF", "UTF", "deflate", "card", "json"),
    *("train", "test", "good", "ground", "truth"),  # folders of datasets
    *("golden", "score", "py"),  # files of a model
    *("Delete", "Enter", "Shift"),  # keys
}


def test_japanese_texts_hold_no_english_word() -> None:
    found = {}
    for key, text in _load("ja").items():
        plain = re.sub(r"`[^`]*`|\{[^}]*\}|<[^>]*>|vaead train --images", "", text)
        words = set(re.findall("[A-Za-z]{2,}", plain)) - LATIN_IN_JAPANESE
        if words:
            found[key] = words
    assert found == {}
