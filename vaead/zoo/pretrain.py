"""Train the models that come with vaead: of all classes, measured on test images, and of the demo."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from vaead.data.datasets import get_spec, load_dataset
from vaead.data.photos import read_photo
from vaead.errors import ModelFormatError, ModelNotFoundError
from vaead.inference.golden import save_with_golden
from vaead.inference.read_photos import read_options
from vaead.metrics.class_pairs import Pairs, pairs_file
from vaead.metrics.image import class_aurocs
from vaead.model.card import ModelCard
from vaead.model.folder import load_model
from vaead.model.model import Model
from vaead.model.split_scores import SplitScores
from vaead.model.store import ModelStore
from vaead.paths import AnyPath, absolute, write_whole
from vaead.processes.workers import Workers
from vaead.recipe import ClassSource, Recipe
from vaead.scoring.loss_terms import SCORES
from vaead.zoo import screw_demo

_ONE_AT_A_TIME = threading.Lock()


def recipes(datasets: Sequence[str], presets: Sequence[str], seeds: int) -> list[Recipe]:
    """The models of all classes, the first seed of every class before the second.

    Raises:
        UnknownNameError: There is no such dataset or preset.
    """
    return [
        Recipe.from_preset(preset, ClassSource(dataset, normal), seed=seed)
        for seed, preset, dataset in itertools.product(range(seeds), presets, datasets)
        for normal in range(len(get_spec(dataset).class_names))
    ]


def pretrain(wanted: Sequence[Recipe], store: ModelStore, workers: Workers) -> Iterator[Recipe]:
    """Train and measure models that the store does not hold yet, several at a time.

    Args:
        wanted: What to train.
        store: Where to; models without `model.keras`, which their recipes can make again. Workers on other
            machines write there themselves.
        workers: Who trains.

    Yields:
        Each recipe once its model is there, in no fixed order.

    Raises:
        VaeadError: A training has failed, or the workers were lost; the models of others are kept.
    """
    missing = [recipe for recipe in wanted if not is_measured(recipe, store)]
    yield from (recipe for recipe in wanted if recipe not in missing)
    root = absolute(store.root)
    yield from workers.map(_train_and_measure, ((recipe, root) for recipe in missing), ordered=False)


def is_measured(recipe: Recipe, store: ModelStore) -> bool:
    """True if the store holds the model of a recipe, readable and with its AUROC."""
    try:
        return recipe in store and bool(store.load(recipe).card.auroc)
    except ModelFormatError:
        return False


def _train_and_measure(task: tuple[Recipe, AnyPath]) -> Recipe:
    recipe, root = task
    # A worker of Dask may run several tasks in one process, but what is random there belongs to all of it.
    with _ONE_AT_A_TIME:
        return _trained_and_measured(recipe, ModelStore(root))


def _trained_and_measured(recipe: Recipe, store: ModelStore) -> Recipe:
    # Each process has a core of its own; TensorFlow reads these when it is imported.
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    from vaead.training.pipeline import train

    model = train(recipe, store)
    source = recipe.class_source
    dataset = load_dataset(source.dataset)
    split = SplitScores.compute(model, dataset.test.images)
    auroc = {
        score: class_aurocs(values, dataset.test.labels, source.normal)
        for score, values in split.image.items()
    }
    rounded = {score: {name: round(v, 5) for name, v in values.items()} for score, values in auroc.items()}
    card = replace(model.card, auroc=rounded)
    folder = store.save(Model(card, model.networks))
    if isinstance(folder, Path):
        split.write(folder, dataset.test.images)
    return recipe


def pretrain_demo(store: ModelStore) -> AnyPath:
    """Train the model of the demo, if the store does not hold it yet, and return its folder.

    Raises:
        VaeadError: The training has failed, or the store cannot be written.
    """
    folder, recipe = store.find(screw_demo.model_folder()), screw_demo.recipe()
    try:
        if load_model(folder).card.recipe == recipe:
            return folder
    except (ModelFormatError, ModelNotFoundError):
        pass
    from vaead.training.pipeline import train_photos

    options = read_options(recipe)
    normal = screw_demo.SET.photos.train
    photos = [read_photo(screw_demo.SET.read(photo.source), photo.name, options) for photo in normal]
    folder = store.root / screw_demo.model_folder()
    save_with_golden(folder, train_photos(photos, recipe))
    return folder


def write_pairs(trained: Sequence[Recipe], store: ModelStore) -> list[AnyPath]:
    """Gather the AUROCs in the cards of models into one file for each dataset and preset.

    A file holds `seeds`, by seed and score a matrix of AUROCs, rows normal and columns anomalous classes
    with None on the diagonal and where there is no model; and `measured`, the day of the last model. Other
    seeds in a file that is there already are kept; a damaged file is replaced.

    Raises:
        ModelNotFoundError: A model is not in the store.
        ModelFormatError: A card is damaged.
    """
    files = []
    for dataset, preset in sorted({(recipe.class_source.dataset, recipe.preset) for recipe in trained}):
        cards = [
            store.load_card(recipe)
            for recipe in trained
            if (recipe.class_source.dataset, recipe.preset) == (dataset, preset)
        ]
        file = store.root / pairs_file(dataset, preset)
        write_whole(file, _with_other_seeds(_measured(cards, dataset), file).to_json().encode())
        files.append(file)
    return files


def _measured(cards: Sequence[ModelCard], dataset: str) -> Pairs:
    """AUROCs from the cards of all models of a dataset and preset."""
    seeds = tuple(sorted({card.recipe.train.seed for card in cards}))
    auroc = {
        score: np.array([_matrix(cards, dataset, seed, score) for seed in seeds], np.float64)
        for score in SCORES
    }
    return Pairs(max(card.created for card in cards)[:10], seeds, auroc)


def _with_other_seeds(pairs: Pairs, file: AnyPath) -> Pairs:
    """Add the seeds that a file holds besides these."""
    try:
        known = Pairs.read(file)
    except ModelFormatError:  # damaged: the page that finds out says that this command makes it again
        known = None
    return pairs if known is None else known.updated(pairs)


def _matrix(cards: Sequence[ModelCard], dataset: str, seed: int, score: str) -> list[list[float | None]]:
    classes = range(len(get_spec(dataset).class_names))
    rows = {
        card.recipe.class_source.normal: card.auroc[score] for card in cards if card.recipe.train.seed == seed
    }
    return [[rows.get(normal, {}).get(str(anomalous)) for anomalous in classes] for normal in classes]
