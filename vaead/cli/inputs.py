"""Find the photos that a user names, and name those that are skipped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

import click

from vaead.cli.options import one_line
from vaead.data.photos import Photo, Rejected, find_photos
from vaead.data.photos.names import is_image_name
from vaead.errors import InvalidInputError
from vaead.paths import is_url


def list_photos(sources: Sequence[str]) -> tuple[list[Photo], list[Rejected]]:
    """Find the photos that a user names.

    Args:
        sources: Images and folders, as paths or URLs. Folders are listed with all folders inside them; of a
            dataset, the photos for testing count.

    Returns:
        Photos, whose `name` is relative to the folder that was named; and files that are no images.

    Raises:
        InvalidInputError: A folder holds no image, a dataset no image for testing, or there are several.
        DataUnavailableError: A folder cannot be listed.
    """
    photos: list[Photo] = []
    rejected: list[Rejected] = []
    for source in sources:
        photo = as_photo(source)
        if photo is not None:
            photos.append(photo)
        else:
            found = find_photos(source)
            if not found.to_score:
                raise InvalidInputError(
                    "images must be photos, a plain folder of them, or a dataset with test/<defect>, got "
                    f"none to score in {source!r}; name its folder train/good to score that"
                )
            photos += found.to_score
            rejected += found.rejected
    return photos, rejected


def as_photo(source: str) -> Photo | None:
    """What a user names as one photo; None for a folder."""
    is_photo = is_image_name(source) if is_url(source) else not Path(source).is_dir()
    return Photo(PurePath(source).name, source) if is_photo else None


class Skipped:
    """Files that are left out: a line each on standard error, and how many it were."""

    def __init__(self) -> None:
        self._shown: set[tuple[str, str]] = set()

    @property
    def count(self) -> int:
        """Number of files."""
        return len(self._shown)

    def show(self, rejected: Iterable[Rejected]) -> None:
        """Print why files are left out, each once."""
        for each in rejected:
            if (each.name, each.reason) not in self._shown:
                self._shown.add((each.name, each.reason))
                # What is wrong with all images alike names none of them.
                named = "" if repr(each.name)[1:-1] in each.reason else f"{each.name!r}: "
                click.echo(f"Skipped: {named}{one_line(each.reason)}", err=True)

    def sum_up(self, used: int) -> None:
        """Print how many files were left out, if any was.

        Args:
            used: Number of files that were not.
        """
        if self.count:
            click.echo(f"Skipped {self.count} of {used + self.count} files", err=True)
