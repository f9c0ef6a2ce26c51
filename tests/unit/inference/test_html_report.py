import dataclasses
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.data.photos import Photo, Rejected
from vaead.i18n.texts import Texts
from vaead.inference import html_report as report_module
from vaead.inference.html_report import Report, draw, ranked, with_drawings
from vaead.inference.prediction import Prediction, Thresholds, predict
from vaead.model.model import Model
from vaead.scoring.regions import find_regions

RATE = 0.05


def predicted(model: Model, name: str, image: NDArray[np.uint8]) -> Prediction:
    thresholds = Thresholds.from_rate(model.card.normal_scores, RATE)
    prediction = predict(model, Photo(name, name), image, thresholds)
    return dataclasses.replace(prediction, drawing=draw(prediction, model.card.normal_scores))


def make(
    model: Model, images: NDArray[np.uint8], names: list[str], shown: int = 200, language: str = "en"
) -> str:
    found = ranked(predicted(model, name, image) for name, image in zip(names, images, strict=True))
    found[shown:] = [dataclasses.replace(each, drawing=None) for each in found[shown:]]
    return Report(model.card, RATE, Texts(language)).html(found)


def text_of(page: str) -> str:
    """What a reader sees, on one line."""
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append
    parser.feed(re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    return " ".join(" ".join(words).split())


NAMES = [f"image {number}.png" for number in range(5)]


def by_score(model: Model, images: NDArray[np.uint8]) -> list[str]:
    order = np.argsort(-model.anomaly_score(images, "calibrated"))
    return [NAMES[index] for index in order]


def test_most_anomalous_image_comes_first(model: Model, images: NDArray[np.uint8]) -> None:
    page = make(model, images, NAMES)
    assert re.findall(r"<h3>(.*?)</h3>", page) == by_score(model, images)
    assert page.count("<img ") == 10


def test_only_so_many_images_are_shown_and_the_rest_listed(model: Model, images: NDArray[np.uint8]) -> None:
    page = make(model, images, NAMES, shown=2)
    expected = by_score(model, images)
    assert re.findall(r"<h3>(.*?)</h3>", page) == expected[:2]
    assert re.findall(r"<td>(image .*?)</td>", page) == expected[2:]
    assert page.count("<img ") == 4
    assert "3 further images" in text_of(page)


def test_listed_images_have_a_limit_too(
    model: Model, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_module, "LISTED", 1)
    text = text_of(make(model, images, NAMES, shown=2))
    assert "2 more images are not listed; the table of scores has them all." in text


def test_decision_is_said_in_words(model: Model, images: NDArray[np.uint8]) -> None:
    prediction = predicted(model, NAMES[0], images[0])
    limit = model.card.normal_scores.threshold_value("calibrated", RATE)
    text = text_of(make(model, images[:1], NAMES[:1]))
    assert prediction.flagged["calibrated"]
    assert "1 of 1 images are flagged as anomalous." in text
    assert (
        f"Its calibrated score {prediction.scores['calibrated']:.4g} is above the threshold {limit:.4g}."
        in text
    )


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ([], "No region stands out."),
        ([np.s_[:2, :2]], "One region stands out at the top left: 0.51 % of the image."),
        (
            [np.s_[:2, :2], np.s_[20:, 20:]],
            "2 regions stand out, in all 8.7 % of the image; the largest is at",
        ),
    ],
    ids=["none", "one", "two"],
)
def test_regions_are_said_in_words(
    model: Model, images: NDArray[np.uint8], where: list[tuple[slice, slice]], words: str
) -> None:
    mask = np.zeros((28, 28), np.bool_)
    for part in where:
        mask[part] = True
    prediction = predicted(model, "x", images[0])
    assert prediction.drawing is not None
    found = find_regions(mask, np.ones(mask.shape), np.zeros_like)
    drawing = dataclasses.replace(prediction.drawing, regions=found)
    page = Report(model.card, RATE, Texts("en")).html([dataclasses.replace(prediction, drawing=drawing)])
    assert words in text_of(page)


def test_names_are_text_and_never_markup(model: Model, images: NDArray[np.uint8]) -> None:
    name = '<script>alert("1")</script>&amp; "x" onload=1.png'
    page = make(model, images[:1], [name])
    assert "<script" not in page
    assert name in text_of(page)


def test_nothing_is_loaded_from_elsewhere(model: Model, images: NDArray[np.uint8]) -> None:
    page = make(model, images, NAMES)
    assert all(
        source.startswith("data:image/jpeg;base64,") for source in re.findall(r'(?:src|href)="(.*?)"', page)
    )
    assert "http://" not in page
    assert "https://" not in page
    assert "default-src 'none'" in page


def test_image_of_another_size_is_decided_by_new_and_comes_last(
    model: Model, images: NDArray[np.uint8]
) -> None:
    images_by_name = {"wide.png": np.hstack(list(images)), "digit.png": images[0]}
    found = [predicted(model, name, image) for name, image in images_by_name.items()]
    page = Report(model.card, RATE, Texts("en")).html(found)
    assert re.findall(r"<h3>(.*?)</h3>", page) == ["digit.png", "wide.png"]
    assert "Its new score" in text_of(page)


def test_report_speaks_japanese(model: Model, images: NDArray[np.uint8]) -> None:
    page = make(model, images[:1], NAMES[:1], language="ja")
    assert '<html lang="ja">' in page
    assert "1 枚のうち 1 枚が異常と判定されました。" in page


def test_report_of_nothing_is_still_a_page(model: Model) -> None:
    assert "0 of 0 images" in text_of(Report(model.card, RATE, Texts("en")).html([]))


def test_most_anomalous_images_are_drawn_at_the_end(
    model: Model, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_module, "SHOWN", 3)
    drawn = {name: predicted(model, name, image) for name, image in zip(NAMES, images, strict=True)}
    expected = by_score(model, images)
    drawn_before, gone = expected[0], expected[2]
    small = [
        each if name == drawn_before else dataclasses.replace(each, drawing=None)
        for name, each in drawn.items()
    ]
    asked: list[str] = []

    def again(photos: Sequence[Photo]) -> Iterator[Prediction | Rejected]:
        asked.extend(photo.name for photo in photos)
        yield from (Rejected(name, "gone") if name == gone else drawn[name] for name in asked)

    found = with_drawings(small, again)
    assert asked == expected[1:3]
    assert [each.photo.name for each in found] == expected
    assert [each.drawing is not None for each in found] == [True, True, False, False, False]
