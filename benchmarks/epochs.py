"""Whether a longer or a shorter training of photos would find more defects.

The learning rate falls to 0 over the epochs, so that each number of epochs is a training of its own, and to
stop early would be another one. Beside the AUROC stand the loss on held-out photos and the AUROC on made-up
defects, which are all that a user would have to choose by.

Run: python -m benchmarks epochs
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from benchmarks.photos import VARIABLE, measure
from benchmarks.report import Table

EPOCHS = (5, 10, 20)
_SEED = 0


def run() -> dict[str, Any]:
    """Train on every set with each number of epochs."""
    root = os.environ.get(VARIABLE)
    if not root:
        raise click.ClickException(f"{VARIABLE} must name a folder of sets of photos, got nothing")
    sets: dict[str, dict[str, Any]] = {}
    for folder in sorted(path for path in Path(root).iterdir() if path.is_dir()):
        for epochs in EPOCHS:
            found = measure(folder, _SEED, epochs=epochs)
            sets.setdefault(folder.name, {})[str(epochs)] = found
            print(folder.name, epochs, found, flush=True)
    return {"seed": _SEED, "sets": sets}


def tables(result: dict[str, Any]) -> list[Table]:
    """One row a set and number of epochs."""
    rows = [
        [
            name,
            epochs,
            f"{found['auroc']['calibrated']:.3f}",
            f"{found['trial_auroc']:.3f}",
            f"{found['held_out_loss']:,.0f}",
            f"{found['seconds']:.0f} s",
        ]
        for name, runs in result["sets"].items()
        for epochs, found in runs.items()
    ]
    return [
        Table(
            "Real photos: how long to train, `industrial`, 1 seed",
            ("set", "epochs", "calibrated", "on made-up defects", "loss, nats a held-out patch", "training"),
            rows,
            "The preset has 10. A longer training lowers the loss, but finds no more.",
        )
    ]
