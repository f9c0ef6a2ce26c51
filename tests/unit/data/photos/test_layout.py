"""Names are sorted by the layout they show."""

import unicodedata

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
        masks = () if mask is None else (f"{root}ground_truth/{mask}",)
        return Photo(root + name, root + name, defect, masks)

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
        ("train/broken/1.png", "must show a normal part to train on, got one in the folder 'broken'"),
        ("train/sorted/1.png", "must lie in train/good, test/<defect> or ground_truth/<defect>"),
        ("cover.png", "must lie in train/good"),
        ("test/scratch/notes.txt", "must be PNG, JPEG, BMP, TIFF or WebP, got another ending"),
        ("ground_truth/scratch/3_mask.png", "must belong to an image, got none of its name;"),
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


def names(photos: tuple[Photo, ...]) -> list[str]:
    return [photo.name for photo in photos]


VISA = [
    *(f"Data/Images/Normal/{number:03d}.JPG" for number in range(3)),
    *(f"Data/Images/Anomaly/{number:03d}.JPG" for number in range(2)),
    *(f"Data/Masks/Anomaly/{number:03d}.png" for number in range(2)),
]


@pytest.mark.parametrize("root", ["", "candle/", "test/candle/"])
def test_visa_is_read_as_what_it_is(root: str) -> None:
    photos = sort_photos([root + name for name in [*VISA, "image_anno.csv"]])
    assert names(photos.train) == [root + name for name in VISA[:3]]
    assert names(photos.test) == [root + name for name in VISA[3:5]]
    assert [photo.masks for photo in photos.test] == [(root + name,) for name in VISA[5:]]
    assert {photo.defect for photo in photos.test} == {"Anomaly"}
    assert photos.to_score == (*photos.train, *photos.test)
    assert photos.rejected == ()


def test_one_folder_a_class() -> None:
    photos = sort_photos(["set/normal/1.png", "set/abnormal/2.png", "set/scratch/3.png", "set/mask/2.png"])
    assert names(photos.train) == ["set/normal/1.png"]
    assert [(photo.name, photo.defect, photo.masks) for photo in photos.test] == [
        ("set/abnormal/2.png", "abnormal", ("set/mask/2.png",)),
        ("set/scratch/3.png", "scratch", ()),
    ]


@pytest.mark.parametrize(
    "names_",
    [
        ["Train/Good/A1.PNG", "Test/Good/A1.PNG", "Test/Scratch/A1.PNG", "Ground_Truth/Scratch/A1_Mask.PNG"],
        ["train/ok/1.bmp", "test/ok/1.bmp", "test/ko/1.bmp", "ground_truth/ko/1.png"],
        ["train/OK_front/1.png", "test/ok_front/1.png", "test/def_front/1.png", "masks/def_front/1.png"],
        ["train/1.png", "test/good/1.png", "test/bad/1.png", "gt/bad/1-mask.png"],
        ["normal/1.png", "test/good/1.png", "test/bad/1.png", "ground truth/bad/1 gt.png"],
    ],
    ids=["capitals", "BTAD", "casting", "flat", "normal beside test"],
)
def test_names_of_splits_and_classes_in_other_words(names_: list[str]) -> None:
    photos = sort_photos(names_)
    train, good, defective, mask = names_
    assert names(photos.train) == [train]
    assert names(photos.test) in ([good, defective], [defective, good])
    masks = {photo.name: (photo.defect == "good", photo.masks) for photo in photos.test}
    assert masks == {good: (True, ()), defective: (False, (mask,))}
    assert photos.rejected == ()


def test_loco_has_validation_photos_and_several_masks_an_image() -> None:
    photos = sort_photos(
        [
            "train/good/000.png",
            "validation/good/000.png",
            "test/logical_anomalies/000.png",
            "ground_truth/logical_anomalies/000/000.png",
            "ground_truth/logical_anomalies/000/001.png",
        ]
    )
    assert names(photos.validation) == ["validation/good/000.png"]
    (photo,) = photos.test
    assert photo.masks == tuple(f"ground_truth/logical_anomalies/000/00{number}.png" for number in range(2))
    assert photos.rejected == ()


@pytest.mark.parametrize(
    "names_",
    [
        ["parts/1.png", "defects/1.png"],
        ["1.png", "masks/1.png"],
        ["1.png", "test/1.png"],
        ["batch 1/1.png", "NG/1.png"],
        ["写真/1.png", "不良品/1.png"],
    ],
)
def test_folders_of_anomalies_masks_and_tests_are_never_trained_on(names_: list[str]) -> None:
    photos = sort_photos(names_)
    assert photos.to_train == ()
    assert len(photos.to_score) == len(names_) - ("masks/1.png" in names_)


def test_defective_photos_of_a_training_folder_are_left_out() -> None:
    photos = sort_photos(["train/ok/1.png", "train/def_front/1.png", "test/ok/1.png"])
    assert names(photos.train) == ["train/ok/1.png"]
    assert "got one in the folder 'def_front'" in photos.rejected[0].reason


@pytest.mark.parametrize(
    "folder",
    [
        "@eaDir",
        "#recycle",
        "$RECYCLE.BIN",
        "lost+found",
        ".Trash-1000",
        "System Volume Information",
        "__MACOSX",
    ],
)
def test_litter_is_left_out_without_a_word(folder: str) -> None:
    photos = sort_photos(["1.png", f"{folder}/1.png", f"sub/{folder}/x/1.png"])
    assert names(photos.unsorted) == ["1.png"]
    assert photos.rejected == ()


def test_mask_is_found_in_the_other_form_of_unicode() -> None:
    photo = unicodedata.normalize("NFC", "test/scratch/ガ é.png")
    mask = unicodedata.normalize("NFD", "ground_truth/scratch/ガ é_mask.png")
    photos = sort_photos(["train/good/1.png", photo, mask])
    assert photos.test[0].masks == (mask,)


@pytest.mark.parametrize(
    ("first", "second"),
    [("A1.png", "a1.PNG"), ("Train/good/1.png", "train/good/2.png"), ("\u00e9.png", "e\u0301.png")],
)
def test_names_that_are_one_on_other_systems_are_refused(first: str, second: str) -> None:
    with pytest.raises(InvalidInputError, match="differ in more than capitals or the form of accents"):
        sort_photos([first, second])


def test_photo_of_two_classes_with_one_name_gets_its_own_mask() -> None:
    photos = sort_photos(
        ["train/good/1.png", "test/a/1.png", "test/b/1.png", "ground_truth/a/1.png", "ground_truth/1.png"]
    )
    assert [photo.masks for photo in photos.test] == [("ground_truth/a/1.png",), ()]
    assert [each.name for each in photos.rejected] == ["ground_truth/1.png"]
