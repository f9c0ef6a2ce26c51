"""Writes benchmarks/RESULTS.md and the table of the README from results/*.json and the shipped models."""

from __future__ import annotations

import importlib
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks import report
from benchmarks.report import Table
from vaead import shipped
from vaead.metrics.class_pairs import Pairs, pairs_file
from vaead.presets import SHIPPED_PRESETS
from vaead.scoring.loss_terms import SCORES

RESULTS = Path(__file__).parent / "RESULTS.md"
README = Path(__file__).parents[1] / "README.md"
SECTIONS = (
    "aims",
    "one_class",
    "pairs",
    "photos",
    "leather",
    "epochs",
    "choices",
    "screws",
    "screws_few",
    "training",
    "scoring",
    "folder",
    "first_picture",
    "layout_shift",
    "visitors",
    "rough_visitors",
)
DATASETS = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
CLASSICAL = {
    "pca_error": "PCA",
    "nearest_neighbour": "nearest neighbour",
    "isolation_forest": "isolation forest",
    "mahalanobis": "Mahalanobis distance",
}
_BEGIN, _END = "<!-- results -->", "<!-- /results -->"
_INTRODUCTION = """# Results

Written by `make bench` from `results/*.json`, which also name the seeds, the day and the versions; not to be
edited by hand. In brackets: the run before. [README.md](README.md) says what each benchmark does. AUROC is
0.5 by chance and 1 if every anomalous image scores above every normal one.
"""


def write() -> None:
    """Replace both by tables of all results on disk."""
    results = {name: found for name in SECTIONS if (found := report.load(name)) is not None}
    parts = [_INTRODUCTION.strip(), _machine(results)]
    for name, result in results.items():
        parts += map(str, _tables(name, result))
        if name == "one_class":
            parts += map(str, (_pairs_won(), _shipped_pairs()))
    RESULTS.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    head, rest = README.read_text(encoding="utf-8").split(_BEGIN)
    table = summary(results["one_class"], results["screws"]).grid()
    README.write_text(f"{head}{_BEGIN}\n{table}\n{_END}{rest.split(_END)[1]}", encoding="utf-8")


def _tables(name: str, result: dict[str, Any]) -> list[Table]:
    """The tables of a result beside those of the run before, if there are any of this kind."""
    make = importlib.import_module(f"benchmarks.{name}").tables
    tables: list[Table] = make(result)
    before = report.load(name, report.BEFORE)
    try:
        old = {table.title: table for table in make(before)} if before else {}
    except KeyError:  # it was measured in another way
        old = {}
    return [table.beside(old[table.title]) if table.title in old else table for table in tables]


def summary(one_class: dict[str, Any], screws: dict[str, Any]) -> Table:
    """Six rows for the README: both datasets with both presets, screws by image and by pixel."""
    auroc, rows = one_class["auroc"], []
    for dataset, title in DATASETS.items():
        best = max(CLASSICAL, key=lambda method: mean(auroc[method][dataset]))
        for preset in SHIPPED_PRESETS:
            figures = [_figure(auroc[f"{preset}, {score}"][dataset]) for score in SCORES]
            baseline = f"{_figure(auroc[best][dataset])} ({CLASSICAL[best]})"
            rows.append([f"{title}, `{preset}`", *figures, baseline])
    seeds = screws["presets"]["industrial"]["seeds"]
    images = [_figure([seed["image_auroc"][score] for seed in seeds]) for score in SCORES]
    pixels = [_figure([seed["pixel"][score]["auroc"] for seed in seeds]) for score in SCORES]
    rows += [["Screws, images", *images, ""], ["Screws, pixels", *pixels, ""]]
    return Table("", ("mean AUROC", *SCORES, "best classical method"), rows)


def _figure(values: list[float]) -> str:
    return f"{mean(values):.3f}"


def _pairs_won() -> Table:
    steps = (("new", "old"), ("calibrated", "new"))
    rows = []
    for preset in SHIPPED_PRESETS:
        for dataset, title in DATASETS.items():
            found = [_pairs(dataset, preset).difference(*step) for step in steps]
            rows.append([f"{title}, `{preset}`", *(f"{each.wins} of {each.pairs}" for each in found)])
    return Table(
        "All pairs of classes: how often one score has the higher AUROC",
        ("models", *(f"{score} above {other}" for score, other in steps)),
        rows,
        "90 pairs of each dataset by the models that come with vaead, all test images. Some pairs stay hard "
        "for every score: sandal against sneaker, and pullover, coat and shirt against each other.\n\n"
        "![Each dot is a pair of classes](../docs/pairs.png)",
    )


def _shipped_pairs() -> Table:
    rows = []
    for dataset, normal, anomalous in (("mnist", 1, 9), ("fashion_mnist", 7, 9), ("fashion_mnist", 2, 3)):
        for preset in SHIPPED_PRESETS:
            pairs = _pairs(dataset, preset)
            first = pairs.seeds.index(0)
            figures = [f"{pairs.auroc[score][first, normal, anomalous]:.3f}" for score in SCORES]
            rows.append([f"`{dataset}` {normal} against {anomalous}, `{preset}`", *figures])
    return Table("The models that come with vaead: AUROC of three pairs", ("pair, model", *SCORES), rows)


def _pairs(dataset: str, preset: str) -> Pairs:
    pairs = Pairs.read(shipped.MODELS / pairs_file(dataset, preset))
    if pairs is None:
        raise FileNotFoundError(f"table of all pairs of {dataset}, {preset}; run `vaead pretrain`")
    return pairs


def _machine(results: dict[str, dict[str, Any]]) -> str:
    machine = next(iter(results.values()))["machine"]
    return f"Measured on {machine['cores']} cores of {machine['processor']}, shared with other work."
