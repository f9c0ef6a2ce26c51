"""Names are sorted by the layout they show."""

import pytest

from vaead.data.photos import Photo, sort_photos, sort_uploads
from vaead.errors import InvalidInputError

DATASET = [
    "test/scratch/10.png",
    "test/scratch/2.JPG",
    "test/good/1.tiff",
    "train/good/b.png",
    "train/good/a.webp",
    "ground_truth/scratch/2_mask.png",
    "ground_truth/scratch/10.png",
]


@pytest.mark.parametrize("root", ["", "bottle/", "my data/test/bottle 😀/"])
def test_dataset_is_recognised_wherever_it_lies(root: str) -> None:
    photos = sort_photos([root + name for name in [*DATASET, "license.txt", "train/good/.DS_Store"]])

    def photo(name: str, defect: str, mask: str | None = None) -> Photo:
        return Photo(root + name, root + name, defect, mask and f"{root}ground_truth/{mask}")

    assert photos.train == (photo("train/good/a.webp", "good"), photo("train/good/b.png", "good"))
    assert photos.test == (
        photo("test/good/1.tiff", "good"),
        photo("test/scratch/2.JPG", "scratch", "scratch/2_mask.png"),
        photo("test/scratch/10.png", "scratch", "scratch/10.png"),
    )
    assert (photos.unsorted, photos.rejected) == ((), ())
    assert (photos.to_train, photos.to_score) == (photos.train, photos.test)


def test_plain_folder_has_all_images_inside_it_in_natural_order() -> None:
    photos = sort_photos(["b/1.png", "a10.png", "a2.png", ".hidden/x.png"])
    assert [photo.name for photo in photos.unsorted] == ["a2.png", "a10.png", "b/1.png"]
    assert photos.to_train == photos.to_score == photos.unsorted
    assert photos.rejected == ()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("train/broken/1.png", "must lie in train/good, test/<defect> or ground_truth/<defect>"),
        ("test/1.png", "must lie in train/good"),
        ("cover.png", "must lie in train/good"),
        ("test/scratch/notes.txt", "must be PNG, JPEG, BMP, TIFF or WebP, got another ending"),
        ("ground_truth/scratch/3_mask.png", "must belong to an image, got none of its name in test/"),
    ],
)
def test_misplaced_file_of_a_dataset_is_rejected(name: str, reason: str) -> None:
    (rejected,) = sort_photos([*DATASET, name]).rejected
    assert rejected.name == name
    assert f"{name!r} {reason}" in rejected.reason


def test_other_file_of_a_plain_folder_is_rejected() -> None:
    photos = sort_photos(["a.png", "notes.txt"])
    assert [photo.name for photo in photos.unsorted] == ["a.png"]
    assert "file 'notes.txt' must be PNG, JPEG" in photos.rejected[0].reason


def test_name_that_is_no_text_is_rejected() -> None:
    (rejected,) = sort_photos(["caf\udce9.png", "a.png"]).rejected
    assert rejected.name == r"caf\udce9.png"
    assert "file name must be UTF-8 text without control characters" in rejected.reason


def test_several_datasets_are_refused() -> None:
    match = r"folder must hold one dataset, got 2: 'bottle', 'cable'; name the folder of one of them"
    with pytest.raises(InvalidInputError, match=match):
        sort_photos([f"{name}/train/good/1.png" for name in ("bottle", "cable")])


def test_uploads_keep_their_names_as_source_and_get_safe_ones() -> None:
    photos = sort_uploads(["set\\train\\good\\1.png", "../2.png", "set/train/good/1.png"])
    assert photos.train == (Photo("set/train/good/1.png", "set\\train\\good\\1.png", "good"),)
    reasons = [rejected.reason for rejected in photos.rejected]
    assert "must be a path inside its folder, got '../2.png'" in reasons[0]
    assert "file 'set/train/good/1.png' must be uploaded once, got it again; rename" in reasons[1]
