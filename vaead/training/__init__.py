"""All that imports TensorFlow: networks, training, export. May import held_out and version.

Raises:
    MissingExtraError: TensorFlow or Keras is not installed.
"""

from importlib.util import find_spec

from vaead.errors import MissingExtraError

if not (find_spec("tensorflow") and find_spec("keras")):
    raise MissingExtraError("TensorFlow must be installed to train, got none; pip install vaead[train]")
