import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead.i18n.texts import Texts
from vaead.inference import html_report as report_module
from vaead.inference.html_report import Report
from vaead.model.model import Model
from vaead.model.prediction import judge
from vaead.scoring.loss_terms import SCORES

RATE = 0.05


def make(
    model: Model, images: NDArray[np.uint8], names: list[str], shown: int = 200, language: str = "en"
) -> str:
    report = Report(model.card, RATE, Texts(language), shown)
    for name, image in zip(names, images, strict=True):
        report.add(name, image, judge(model, image, RATE))
    return report.html()


def text_of(page: str) -> str:
    """What a reader sees, on one line."""
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append  # type: ignore[method-assign]
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
    judgement = judge(model, images[0], RATE)
    limit = model.card.normal_scores.threshold_value("calibrated", RATE)
    text = text_of(make(model, images[:1], NAMES[:1]))
    assert judgement.flagged["calibrated"]
    assert "1 of 1 images are flagged as anomalous." in text
    assert (
        f"Its calibrated score {judgement.scores['calibrated']:.4g} is above the threshold {limit:.4g}."
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
    judgement = dataclasses.replace(judge(model, images[0], RATE), masks=dict.fromkeys(SCORES, mask))
    report = Report(model.card, RATE, Texts("en"))
    report.add("x", images[0], judgement)
    assert words in text_of(report.html())


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


def test_image_of_another_size_is_judged_by_new_and_comes_last(
    model: Model, images: NDArray[np.uint8]
) -> None:
    report = Report(model.card, RATE, Texts("en"))
    wide = np.hstack(list(images))
    for name, image in (("wide.png", wide), ("digit.png", images[0])):
        report.add(name, image, judge(model, image, RATE))
    page = report.html()
    assert re.findall(r"<h3>(.*?)</h3>", page) == ["digit.png", "wide.png"]
    assert "Its new score" in text_of(page)


def test_report_speaks_japanese(model: Model, images: NDArray[np.uint8]) -> None:
    page = make(model, images[:1], NAMES[:1], language="ja")
    assert '<html lang="ja">' in page
    assert "1 枚のうち 1 枚が異常と判定されました。" in page


def test_report_of_nothing_is_still_a_page(model: Model) -> None:
    assert "0 of 0 images" in text_of(Report(model.card, RATE, Texts("en")).html())
