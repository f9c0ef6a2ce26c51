"""Folder names that tell what photos are for, in the words of public datasets and of production lines."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Role = Literal["train", "test", "validation", "normal", "anomalous", "mask"]

_WORDS: dict[Role, str] = {
    "train": "train, training",
    "test": "test, tests, testing",
    "validation": "validation, valid, val",
    "normal": "good, ok, okay, normal, normals, nominal, healthy, intact, pass, passed, io, defect free, "
    "defectfree, no defect, no defects, non defective, without defect, without defects, 正常, 正常品, 良品",
    "anomalous": "anomaly, anomalies, anomalous, abnormal, bad, ko, nok, ng, nio, not ok, not good, no good, "
    "def, defect, defects, defective, fail, failed, fault, faults, faulty, reject, rejects, rejected, "
    "broken, damaged, outlier, outliers, 異常, 異常品, 不良, 不良品, 欠陥",
    "mask": "mask, masks, gt, groundtruth, ground truth, annotation, annotations, segmentation, マスク",
}
_ROLES: dict[str, Role] = {word: role for role, words in _WORDS.items() for word in words.split(", ")}
_PART_OF_NAME = ("normal", "anomalous", "mask")
"""Roles that one word of a longer name may give, as in 'ok_front' or 'logical_anomalies'."""
_NEGATIONS = {"no", "not", "non", "without", "un"}


def folded(name: str) -> str:
    """A name to compare: the same in capitals and in either Unicode form of its accents.

    >>> folded("Train/Cafe\u0301") == folded("train/caf\u00e9")
    True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def role_of(folder: str) -> Role | None:
    """The role that the name of a folder gives to the photos in it; None where it says nothing.

    >>> [role_of(name) for name in ("Train", "OK_front", "non-defective", "KO", "Ground Truth", "batch 7")]
    ['train', 'normal', 'normal', 'anomalous', 'mask', None]
    """
    words = re.split(r"[\s_.\-]+", unicodedata.normalize("NFKC", folder).casefold().strip())
    role = _ROLES.get(" ".join(words))
    if role is not None or _NEGATIONS.intersection(words):
        return role
    found = (_ROLES.get(word) for word in (words[0], words[-1]))
    return next((role for role in found if role in _PART_OF_NAME), None)
