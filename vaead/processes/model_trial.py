"""Try a model out in a process of its own: `python -m vaead.processes.model_trial FOLDER`.

A model that a visitor brings may be made to crash whoever runs it, or to fill the memory. This process may
die of it; the server must not.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from vaead.errors import VaeadError
from vaead.model.model import Model
from vaead.model.store import load_model
from vaead.scoring.loss_terms import SCORES

_MOST_S = 60
_MOST_BYTES = 3_000_000_000
"""Address space, of which a sound model needs less than half."""
_REFUSED = 3
"""Exit code; the reason is printed then."""


class TrialError(VaeadError):
    """The model cannot be used; the text says why, and is empty where nobody knows."""


def try_out(folder: Path) -> None:
    """Load a model and judge an image with it, in another process.

    Raises:
        TrialError: That failed.
    """
    command = [sys.executable, "-m", __name__, str(folder)]
    root = Path(__file__).parents[2]
    try:
        ended = subprocess.run(command, capture_output=True, cwd=root, timeout=_MOST_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise TrialError from error
    if ended.returncode:
        raise TrialError(
            ended.stdout.decode(errors="replace").strip() if ended.returncode == _REFUSED else ""
        )


def use(model: Model) -> None:
    """Ask a model for all that the page asks of it, with the smallest image that it takes."""
    networks = model.card.recipe.networks
    side = max(network.patch_size for network in networks)
    shape = model.card.image_shape or (side, side)
    colors = () if networks[0].channels == 1 else (networks[0].channels,)
    terms = model.term_maps(np.zeros((1, *shape, *colors), np.float32))
    calibration = model.card.normal_scores
    for score in SCORES:
        terms.anomaly_maps(score)
        calibration.color_range(score)
        calibration.heat_range(score)
        terms.mask_above(score, calibration.threshold_value(score, 0.05, "window"))
        calibration.threshold_value(score, 0.05)


def _limit_memory() -> None:
    try:
        import resource  # not on every system
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))


def _main(folder: str) -> int:
    _limit_memory()
    try:
        model = load_model(folder)
    except VaeadError as error:
        sys.stdout.buffer.write(str(error).encode())
        return _REFUSED
    use(model)
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
