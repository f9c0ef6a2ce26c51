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

SIGNATURE = "decode"
"""Name of the function of a program, see `PatchScorer.decode`."""

_BATCH = 512
_BATCH_VALUES = 2**16
"""Patches and their values a call at most: what a network makes of so many still fits into the cache."""

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
        if list(signatures) != [SIGNATURE]:
            raise ModelFormatError(
                f"scorer must have the signature {SIGNATURE} alone, got {sorted(signatures)}; "
                "train the model again"
            )
        self._inputs = signatures[SIGNATURE]["inputs"]
        self._idle.put(interpreter)

    def __reduce__(self) -> tuple[type[PatchScorer], tuple[bytes]]:
        """Pickle and copy take the program, of which interpreters are made anew."""
        return PatchScorer, (self._program,)

    def require(self, network: NetworkConfig) -> None:
        """Run the program once, and see whether it is that of a network.

        Raises:
            ModelFormatError: It takes or gives something else.
        """
        sizes = {"mu": network.patch_values, "sigma2": network.patch_values}
        sizes |= dict.fromkeys(("z_mean", "z_log_var"), network.latent_dim)
        expected = {name: (1, size) for name, size in sizes.items()}
        try:
            patch = np.zeros((1, *network.patch_shape), np.float32)
            decoded = self.decode(patch, np.zeros((1, 2), np.float32))
            found = {name: array.shape for name, array in decoded.items()}
        except (ValueError, RuntimeError, LookupError, MemoryError) as error:
            raise ModelFormatError(
                f"scorer must take patches of {network.patch_size}x{network.patch_size} pixels, got another "
                f"program ({error}); train the model again"
            ) from error
        if found != expected:
            raise ModelFormatError(
                f"scorer must give {expected} for a patch, got {found}; train the model again"
            )

    def decode(self, patches: NDArray[np.float32], positions: NDArray[np.float32]) -> Named:
        """Encode and decode patches.

        Args:
            patches: (n, *patch_shape) in [0, 1], see `NetworkConfig.patch_shape`.
            positions: (n, 2), where each lies in its image, see `PatchGrid.positions`.

        Returns:
            mu, sigma2 (n, patch_values) and z_mean, z_log_var (n, latent_dim).
        """
        try:
            interpreter = self._idle.get_nowait()
        except queue.Empty:
            interpreter = Interpreter(model_content=self._program, num_threads=1)
        try:
            run = interpreter.get_signature_runner(SIGNATURE)
            inputs = {"patches": patches, "positions": positions}
            result: Named = run(**{name: inputs[name] for name in self._inputs})
            return result
        finally:
            self._idle.put(interpreter)
