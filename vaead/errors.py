"""Errors that a user can act on.

Every message reads "{argument} must be {rule}, got {value!r}; {what to do}". The command line prints
it on one line and the app shows the same sentence. Anything else that is raised is a bug.
"""


class VaeadError(Exception):
    """Base of every error that vaead raises on purpose."""


class InvalidInputError(VaeadError, ValueError):
    """An argument, an image or a setting breaks a rule."""


class UnknownNameError(VaeadError, LookupError):
    """A dataset, class, preset, network or score of that name does not exist."""


class DataUnavailableError(VaeadError, OSError):
    """A dataset could neither be read nor downloaded."""


class ModelNotFoundError(VaeadError, FileNotFoundError):
    """No model is stored where one was asked for."""


class ModelFormatError(VaeadError, ValueError):
    """A stored model is incomplete, damaged or from a newer version of vaead."""


class StoreError(VaeadError, OSError):
    """The model store cannot be written."""


class MissingExtraError(VaeadError, ImportError):
    """A package is not installed that only an extra of vaead brings."""


class TrainingError(VaeadError, RuntimeError):
    """Training could not start or did not reach its end."""


class WorkersError(VaeadError, RuntimeError):
    """The processes that share the work could not be reached, or were lost."""
