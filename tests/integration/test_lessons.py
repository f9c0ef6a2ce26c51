"""What the lessons of the page Compare say of their pairs, measured with the shipped models."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from vaead import ClassSource, Recipe, load_dataset
from vaead.model.model import Model
from vaead.model.normal_windows import NormalWindows, Quantities, quantities
from vaead.model.store import ModelStore
from vaead.ui.shared.controls import LESSONS
from vaead.ui.shared.pairs import draw_pair, make_image
from vaead.ui.shared.windows import NORMALS, Window

USUAL = (0.025, 0.975)


@dataclass(frozen=True)
class Lesson:
    model: Model
    pair: NDArray[np.uint8]
    found: Quantities
    normal: NormalWindows
    framed: Window

    def value(self, name: str, window: Window) -> float:
        return float(self.found[name][window.image, *window.place])

    def here(self, name: str, window: Window) -> float:
        return self.normal.rank_here(name, window.place, self.value(name, window))

    def anywhere(self, name: str, window: Window) -> float:
        return self.normal.rank_anywhere(name, self.value(name, window))

    def worst(self, name: str, image: int) -> Window:
        values = self.found[name][image]
        return Window(image, divmod(int(values.argmax()), values.shape[1]))


def lesson_of(name: str) -> Lesson:
    story = LESSONS[name]
    model = ModelStore().load(Recipe.from_preset("article", ClassSource(story.dataset, story.normal)))
    test = load_dataset(story.dataset).test
    images = {"normal": test.of_class(story.normal), "anomalous": test.of_class(story.anomalous)}
    numbers = draw_pair(story.pair, {role: len(each) for role, each in images.items()})
    normal, anomalous = (images[role][number] for role, number in numbers.items())
    made = make_image(story.instead, normal, story.pair)
    pair = np.stack([normal, anomalous if made is None else made])
    found = quantities(model, model.networks[0].scorer.scan(pair))
    hottest = Window.hottest(found)
    framed = hottest if story.window is None else Window.of_number(story.window, model.grid(pair))
    return Lesson(model, pair, found, NormalWindows.of(model, images["normal"][:NORMALS], 1), framed)


@pytest.mark.usefixtures("data_dir")
def test_calibration_finds_a_black_patch_where_pullovers_have_a_sleeve() -> None:
    lesson = lesson_of("calibration")
    for score in ("old", "new"):
        worst = lesson.worst(score, 0)
        assert lesson.value("mahalanobis", worst) > lesson.found["mahalanobis"][1].max()
        assert USUAL[0] < lesson.here("mahalanobis", worst) < USUAL[1]
    top, left, side, _ = lesson.framed.frame(lesson.model.grid(lesson.pair))
    assert lesson.pair[1, top : top + side, left : left + side].max() < 8  # of 255
    assert lesson.here("kl", lesson.framed) == 1
    # A sleeve is there in nearly all pullovers.
    patches = load_dataset("fashion_mnist").test.of_class(2)[:, top : top + side, left : left + side]
    assert (patches.max(axis=(1, 2)) > 0).mean() > 0.99


@pytest.mark.usefixtures("data_dir")
def test_complex_patch_has_a_usual_error() -> None:
    lesson = lesson_of("complex")
    assert lesson.framed == lesson.worst("old", 0)
    assert lesson.value("old", lesson.framed) > lesson.found["old"][1].max()
    assert lesson.anywhere("log_variance", lesson.framed) > 0.95
    assert lesson.anywhere("mahalanobis", lesson.framed) < 0.7
    assert lesson.found["new"][0].max() < lesson.found["new"][1].max()


@pytest.mark.usefixtures("data_dir")
def test_new_does_not_see_that_a_patch_is_rare_and_complex() -> None:
    lesson = lesson_of("new")
    assert lesson.framed == lesson.worst("old", 1)
    assert min(lesson.anywhere(term, lesson.framed) for term in ("kl", "log_variance")) > 0.99
    assert lesson.value("new", lesson.framed) < lesson.found["new"][0].max()
    assert lesson.found["new"][1].max() < lesson.found["new"][0].max()
    assert lesson.found["old"][1].max() > lesson.found["old"][0].max()


@pytest.mark.usefixtures("data_dir")
def test_blank_image_is_more_normal_than_nearly_all_pullovers_with_old_and_new() -> None:
    lesson = lesson_of("blank")
    normal, scores = lesson.model.card.normal_scores, lesson.model.image_scores(lesson.pair)
    assert max(normal.rank(score, float(scores[score][1])) for score in ("old", "new")) < 0.01
    assert scores["calibrated"][1] > normal.threshold_value("calibrated", 0.05)
