"""How many epochs a preset needs: one-against-rest AUROC by epochs, and with early stopping.

All test images; an image's score is its largest window. Run: python -m benchmarks.epochs
"""

from __future__ import annotations

import tempfile
from typing import Any

from sklearn.metrics import roc_auc_score

from benchmarks import report
from vaead import ModelStore, Recipe, load_dataset, train
from vaead.model.store import Model
from vaead.scoring.loss_terms import SCORES

NORMALS = (("mnist", 1), ("fashion_mnist", 5))
PRESETS = ("article", "position-aware")
EPOCHS = (1, 2, 5, 10)
PATIENCE = 2


def auroc(model: Model) -> dict[str, float]:
    """One-against-rest AUROC of each score on all test images."""
    dataset = load_dataset(model.card.recipe.dataset)
    truth = dataset.test.labels != model.card.recipe.normal
    terms = model.term_maps(dataset.test.images)
    return {score: round(float(roc_auc_score(truth, terms.image_scores(score))), 4) for score in SCORES}


def run() -> dict[str, Any]:
    """Train with each number of epochs, and with early stopping."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for preset in PRESETS:
            for dataset, normal in NORMALS:
                for epochs, patience in (*((epochs, 0) for epochs in EPOCHS), (EPOCHS[-1], PATIENCE)):
                    recipe = Recipe.from_preset(dataset, normal, preset, epochs=epochs, patience=patience)
                    model = train(recipe, ModelStore(folder))
                    results.append(
                        {
                            "preset": preset,
                            "normal": [dataset, normal],
                            "epochs": epochs,
                            "patience": patience,
                            "epochs_run": len(model.card.history),
                            "held_out_loss": model.card.history[-1]["held_out_loss"],
                            "auroc": auroc(model),
                        }
                    )
                    print(results[-1], flush=True)
    return {"seed": 0, "runs": results}


def rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Lines for the table of the README."""
    lines = []
    for preset in PRESETS:
        for normal in NORMALS:
            runs = [r for r in result["runs"] if r["preset"] == preset and r["normal"] == list(normal)]
            by_epochs = ", ".join(
                f"{r['epochs']}: {r['auroc']['new']:.3f}" for r in runs if not r["patience"]
            )
            stopped = next(r for r in runs if r["patience"])
            lines.append(
                (
                    f"AUROC of new, `{preset}`, {normal[0]} {normal[1]} against the rest, by epochs",
                    f"{by_epochs}; early stopping ran {stopped['epochs_run']}: {stopped['auroc']['new']:.3f}",
                )
            )
    return lines


if __name__ == "__main__":
    report.save("epochs", run())
