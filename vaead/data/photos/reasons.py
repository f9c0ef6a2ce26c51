"""Why a file or an upload is refused: every sentence in one place, so that it can be said in any language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vaead.errors import InvalidInputError

FORMATS_TEXT = "PNG, JPEG, BMP, TIFF or WebP"

SENTENCES: Mapping[str, str] = {
    # Names
    "not_text": "file name must be UTF-8 text without control characters, got {name!r}; rename the file",
    "outside": "file name must be a path inside its folder, got {name!r}; remove '..', a drive letter or "
    "a slash at its start",
    "repeated": "file {name!r} must be uploaded once, got it again; rename one of the two",
    "ending": "file {name!r} must be "
    + FORMATS_TEXT
    + ", got another ending; export it in one of these formats",
    # Places
    "datasets": "folder must hold one dataset, got {count}: {roots}; name the folder of one of them",
    "misplaced": "file {name!r} must lie in train/good, test/<defect> or ground_truth/<defect>, got another "
    "place in a dataset; move it",
    "unused_mask": "mask {name!r} must belong to an image, got none of its name in test/; rename or remove "
    "it",
    # ZIPs
    "zip_damaged": "ZIP {name!r} must be a complete ZIP file, got {problem!r}; pack it again",
    "zip_entries": "ZIP {name!r} must hold at most {most} files, got more; split it into several ZIPs",
    "zip_bytes": "ZIP {name!r} must unpack to at most {most}, got {found}; split it into several ZIPs",
    "zip_empty": "ZIP {name!r} must hold at least one image, got none; pack images into it",
    "zip_damaged_file": "file {name!r} must be undamaged in its ZIP, got {problem!r}; pack it again",
    "zip_false_size": "file {name!r} must unpack to the {declared} bytes that its ZIP declares, got {found}; "
    "pack it again",
    "zip_repeated": "file {name!r} must stand in its ZIP once, got it again; rename one of the two",
    "zip_link": "file {name!r} must be an ordinary file, got a symbolic link; pack the image itself",
    "zip_special": "file {name!r} must be an ordinary file, got a special file; pack the image itself",
    "zip_password": "file {name!r} must be packed without a password, got an encrypted file; pack it again "
    "without",
    "zip_in_zip": "file {name!r} must be an image, got a ZIP inside a ZIP; unpack it and pack its images",
    "zip_method": "file {name!r} must be packed with the usual method 'deflate', got another one; pack it "
    "again",
    "zip_file_bytes": "file {name!r} must have at most {most}, got {found}; save it smaller or compressed",
    "zip_ratio": "file {name!r} must unpack to at most {most} times its packed size, got {found} times; save "
    "it as PNG before packing",
    # Images
    "empty": "image {name!r} must hold data, got 0 bytes; copy or export it again",
    "bytes": "image {name!r} must have at most {most}, got more; save it smaller or compressed",
    "format": "image {name!r} must be "
    + FORMATS_TEXT
    + ", got {format} content; export it in one of these formats",
    "unknown_format": "image {name!r} must be "
    + FORMATS_TEXT
    + ", got content of no known image format; export it in one of these formats",
    "damaged": "image {name!r} must be a complete {format} file, got one that cannot be decoded ({problem}); "
    "copy it again, or export it with 8 or 16 bit",
    "pictures": "image {name!r} must hold one picture, got {count} frames or pages; save each one as a file "
    "of its own",
    "samples": "image {name!r} must have 8 or 16 bit without sign, got 32-bit or signed pixels, whose range "
    "is not known; save it with 8 or 16 bit",
    "planes": "image {name!r} must have its 16-bit colours side by side, got one plane for each colour; save "
    "it 'interleaved' or as PNG",
    "pixels": "image {name!r} must have at most {most} million pixels, got {found} px; save it smaller or "
    "cut it into parts",
    "pixels_unknown": "image {name!r} must have at most {most} million pixels, got far more; save it smaller "
    "or cut it into parts",
    "pixels_at_scale": "image {name!r} must have at most {most} million pixels at scale {scale}, got {found} "
    "px; save it smaller or cut it into parts",
    "small": "image {name!r} must be at least {least} px, got {found} px; use larger images or a smaller "
    "patch size",
    "small_at_scale": "image {name!r} must be at least {least} px at scale {scale}, got {found} px; use "
    "larger images or a smaller patch size",
    "memory": "image {name!r} must fit into memory, got one that does not; use a smaller image or close "
    "other programs",
    "not_finite": "image {name!r} must get finite scores, got {found}; train again with another seed",
    # Masks
    "mask_size": "mask {name!r} must be as large as its image, {wanted} px, got {found} px; export the mask "
    "at the size of the image",
    "mask_dark": "mask {name!r} must be white where anomalous, got {found} of white at most; save anomalous "
    "pixels as 255 with 8 bit",
    # All together
    "few_normals": "normal images must be at least 2, got {found}; add photos of other normal parts, 20 or "
    "more if you can",
    "equal_normals": "normal images must differ, got {found} with the same pixels; add photos of other "
    "normal parts",
    "many_images": "images must be at most {most}, got {found}; upload fewer, or use the command line, which "
    "has no such limit",
    "many_bytes": "upload must have at most {most}, got {found}; upload less, or use the command line, which "
    "has no such limit",
}
"""English sentences by kind, with {places} for values. The catalogue has the others."""


@dataclass(frozen=True)
class Reason:
    """Why something is refused.

    Attributes:
        kind: A key of `SENTENCES`.
        values: What fills the places of the sentence.
    """

    kind: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        return SENTENCES[self.kind].format(**self.values)


class PhotoError(InvalidInputError):
    """A file or an upload that is refused, with the reason; its text is the English sentence."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def refusal(kind: str, **values: object) -> PhotoError:
    """Make the error for a kind of `SENTENCES`.

    >>> str(refusal("empty", name="a.png"))
    "image 'a.png' must hold data, got 0 bytes; copy or export it again"
    """
    return PhotoError(Reason(kind, values))
