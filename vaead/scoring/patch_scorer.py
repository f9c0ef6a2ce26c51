"""Run an exported network on patches. No TensorFlow."""

from __future__ import annotations

import math
import queue
from collections.abc import Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from vaead.config import NetworkConfig
from vaead.errors import ModelFormatError
from vaead.scoring.program_check import require_bounded

SIGNATURES = ("scan", "decode")
"""Functions of a program, see `PatchScorer`."""

_BATCH = 512
"""Patches a call: the activations of so many small ones still fit into the processor's cache."""
_BATCH_VALUES = 2**20
"""Numbers a call at most, so that memory stays bounded with large patches."""

Named = dict[str, NDArray[np.float32]]
"""Arrays by name, one row a patch."""


def batch_size(patch_shape: Sequence[int]) -> int:
    """Patches a call at most."""
    return max(1, min(_BATCH, _BATCH_VALUES // max(1, math.prod(patch_shape))))


class PatchScorer:
    """Runs an exported network on patches, from any number of threads.

    A LiteRT interpreter serves one thread at a time, so idle ones wait in a pool and a new one is made
    when none is idle.
    """

    def __init__(self, program: bytes) -> None:
        """Load a program made by `vaead.training.export.to_litert`.

        Raises:
            ModelFormatError: The bytes are not such a program; see also `require_bounded`.
        """
        require_bounded(program, batch_size)
        self._program = program
        self._idle: queue.SimpleQueue[Interpreter] = queue.SimpleQueue()
        try:
            interpreter = Interpreter(model_content=program, num_threads=1)
            signatures = interpreter.get_signature_list()
        except (ValueError, RuntimeError) as error:
            raise ModelFormatError(
                "scorer must be a LiteRT program, got a file that cannot be read; train the model again"
            ) from error
        if not set(SIGNATURES) <= set(signatures):
            raise ModelFormatError(
                f"scorer must have the signatures {' and '.join(SIGNATURES)}, got {sorted(signatures)}; "
                "train the model again"
            )
        self._inputs = signatures["scan"]["inputs"]
        self._idle.put(interpreter)

    def __reduce__(self) -> tuple[type[PatchScorer], tuple[bytes]]:
        """Pickle and copy take the program, of which interpreters are made anew."""
        return PatchScorer, (self._program,)

    def require(self, network: NetworkConfig) -> None:
        """Run the program once, and see whether it is that of a network.

        Raises:
            ModelFormatError: It takes or gives something else.
        """
        sizes = {"kl": (1,), "log_variance": (1,), "mahalanobis": (1,), "signed_error": (1,)}
        expected: dict[str, tuple[int, ...]] = {**sizes, "z_mean": (1, network.latent_dim)}
        if network.cells > 1:
            expected |= dict.fromkeys(("cells", "signed_cells"), (1, network.cells**2))
        try:
            patch = np.zeros((1, *network.patch_shape), np.float32)
            found = {
                name: array.shape for name, array in self.scan(patch, np.zeros((1, 2), np.float32)).items()
            }
        except (ValueError, RuntimeError, LookupError, MemoryError) as error:
            raise ModelFormatError(
                f"scorer must take patches of {network.patch_size}x{network.patch_size} pixels, got another "
                f"program ({error}); train the model again"
            ) from error
        if found != expected:
            raise ModelFormatError(
                f"scorer must give {expected} for a patch, got {found}; train the model again"
            )

    def scan(self, patches: NDArray[np.float32], positions: NDArray[np.float32]) -> Named:
        """Compute the terms of the scores.

        Args:
            patches: (n, *patch_shape) in [0, 1], see `NetworkConfig.patch_shape`.
            positions: (n, 2), where each lies in its image, see `PatchGrid.positions`.

        Returns:
            kl, log_variance, mahalanobis in nats and signed_error, each (n,), and z_mean (n, latent_dim). If
            `NetworkConfig.cells` is above 1 also cells and signed_cells, (n, cells * cells), into which
            mahalanobis and signed_error are split.
        """
        return self._run("scan", patches, positions)

    def decode(self, patches: NDArray[np.float32], positions: NDArray[np.float32]) -> Named:
        """Decode patches; the arguments are those of `scan`.

        Returns:
            mu, sigma2 (n, patch_values) and z_mean, z_log_var (n, latent_dim).
        """
        return self._run("decode", patches, positions)

    def _run(self, signature: str, patches: NDArray[np.float32], positions: NDArray[np.float32]) -> Named:
        try:
            interpreter = self._idle.get_nowait()
        except queue.Empty:
            interpreter = Interpreter(model_content=self._program, num_threads=1)
        try:
            run = interpreter.get_signature_runner(signature)
            inputs = {"patches": patches, "positions": positions}
            result: Named = run(**{name: inputs[name] for name in self._inputs})
            return result
        finally:
            self._idle.put(interpreter)
