import base64
import io

import numpy as np
import plotly.graph_objects as go
import pytest
from numpy.typing import NDArray
from PIL import Image

from vaead.plots.panels import Panel, Scale, article_scale, panels

HOVER = "row {y}, column {x}<br>{value}"
GREY = Scale(0, 255, "Greys", reverse=True)
NATS = Scale(-5, 20, "Blues", "nats", columns=(1, 2))
LOG = Scale(1, 10, "Cividis", "logarithmic", log=True, columns=(1, 2))


def draw(scale: Scale, values: NDArray[np.floating] | None = None) -> go.Figure:
    """Two rows of an image on its own scale and two maps on a shared one."""
    values = np.full((4, 4), 2.0) if values is None else values
    row = [
        Panel(values, 0, "image", "of 255"),
        Panel(values, 1, "old", "nats"),
        Panel(values, 1, "new", "nats"),
    ]
    return panels([row, row], [GREY, scale], HOVER)


def axes(figure: go.Figure, letter: str) -> list[go.layout.XAxis]:
    """The x or y axes of six panels."""
    return [figure.layout[f"{letter}axis{index}"] for index in ("", *range(2, 7))]


def test_article_scale_runs_from_1_to_10_over_all_maps_together() -> None:
    maps = np.array([[[8.0, 6.5]], [[2.0, 4.0]]])
    # 1 + 9 (v - 2) / (8 - 2)
    np.testing.assert_allclose(article_scale(maps), [[[10.0, 7.75]], [[1.0, 4.0]]], rtol=1e-6)


def test_article_scale_of_equal_values_is_1() -> None:
    np.testing.assert_array_equal(article_scale(np.full((2, 3, 3), -7.0)), np.ones((2, 3, 3)))


@pytest.mark.parametrize("letter", ["x", "y"])
def test_zoom_of_all_panels_is_linked(letter: str) -> None:
    first, *others = axes(draw(NATS), letter)
    assert first.matches is None
    assert [axis.matches for axis in others] == [letter] * 5


def test_each_panel_has_axes_of_its_own() -> None:
    pairs = [(trace.xaxis, trace.yaxis) for trace in draw(NATS).data]
    assert pairs == [("x", "y"), *((f"x{index}", f"y{index}") for index in range(2, 7))]


def test_pixels_are_square_and_the_first_row_is_on_top() -> None:
    figure = draw(NATS)
    names = [trace.xaxis for trace in figure.data]
    assert [axis.scaleanchor for axis in axes(figure, "y")] == names
    assert all(axis.range[0] > axis.range[1] for axis in axes(figure, "y"))


def test_axes_are_hidden() -> None:
    figure = draw(NATS)
    assert not any(axis.visible for letter in "xy" for axis in axes(figure, letter))


def test_panels_stand_in_rows_and_columns_without_overlap() -> None:
    figure = draw(NATS)
    columns = [axis.domain for axis in axes(figure, "x")]
    rows = [axis.domain for axis in axes(figure, "y")]
    assert columns[:3] == columns[3:]
    assert len(set(rows[:3])) == len(set(rows[3:])) == 1
    edges = [0.0, *(edge for column in columns[:3] for edge in column), 1.0]
    assert edges == sorted(edges)
    assert rows[0][0] > rows[3][1]


def test_panels_of_one_scale_share_one_colour_axis() -> None:
    figure = draw(NATS)
    assert [trace.coloraxis for trace in figure.data] == ["coloraxis", "coloraxis2", "coloraxis2"] * 2
    shared = figure.layout.coloraxis2
    assert (shared.cmin, shared.cmax) == (-5, 20)
    assert shared.colorscale[-1][1] == "rgb(8,48,107)"  # the last of Plotly's Blues


def test_no_panel_overrides_the_shared_colours() -> None:
    own = [value for trace in draw(NATS).data for value in (trace.zmin, trace.zmax, trace.colorscale)]
    assert own == [None] * 18


def test_image_is_white_where_it_is_bright() -> None:
    axis = draw(NATS).layout.coloraxis
    assert axis.reversescale
    assert axis.colorscale[0][1] == "rgb(255,255,255)"


def test_only_a_scale_with_a_title_has_a_colour_bar() -> None:
    layout = draw(NATS).layout
    assert (layout.coloraxis.showscale, layout.coloraxis2.showscale) == (False, True)
    assert layout.coloraxis2.colorbar.title.text == "nats"


def test_colour_bar_stands_under_its_columns() -> None:
    figure = draw(NATS)
    left, right = figure.layout.xaxis2.domain[0], figure.layout.xaxis3.domain[1]
    bar = figure.layout.coloraxis2.colorbar
    assert bar.x == pytest.approx((left + right) / 2)
    assert 0.9 * (right - left) < bar.len < right - left


def test_room_for_colour_bars_only_where_there_are_some() -> None:
    plain = panels([[Panel(np.zeros((2, 2)), 0, "image")]], [GREY], HOVER)
    assert plain.layout.margin.b == 0
    assert draw(NATS).layout.margin.b > 0


def test_logarithmic_scale_colours_by_the_logarithm() -> None:
    figure = draw(LOG, np.array([[1.0, 10.0], [2.0, 5.0]]))
    np.testing.assert_allclose(figure.data[1].z, [[0, 1], [0.30103, 0.69897]], atol=1e-5)
    axis = figure.layout.coloraxis2
    assert (axis.cmin, axis.cmax) == (0, 1)


def test_logarithmic_colour_bar_is_labelled_with_values() -> None:
    bar = draw(LOG).layout.coloraxis2.colorbar
    assert bar.ticktext == ("1", "2", "5", "10")
    np.testing.assert_allclose(10 ** np.asarray(bar.tickvals), [1, 2, 5, 10])


def test_linear_scale_colours_by_the_value() -> None:
    values = np.array([[-5.0, 20.0], [0.5, 3.0]])
    np.testing.assert_array_equal(draw(NATS, values).data[1].z, values)


def test_hover_shows_pixel_value_and_unit() -> None:
    templates = [trace.hovertemplate for trace in draw(NATS).data[:3]]
    text = "row %{y}, column %{x}<br>%{z:.3g}"
    assert templates == [
        f"{text} of 255<extra>image</extra>",
        f"{text} nats<extra>old</extra>",
        f"{text} nats<extra>new</extra>",
    ]


def test_hover_shows_the_value_and_not_its_logarithm() -> None:
    values = np.array([[1.0, 10.0], [2.0, 5.0]])
    panel = draw(LOG, values).data[1]
    np.testing.assert_array_equal(panel.customdata, values)
    assert "%{customdata:.3g}" in panel.hovertemplate


def test_values_are_sent_once_where_the_scale_is_linear() -> None:
    assert [trace.customdata for trace in draw(NATS).data] == [None] * 6


def test_grey_levels_are_sent_as_bytes_and_maps_in_single_precision() -> None:
    values = np.arange(6, dtype=np.uint8).reshape(2, 3)
    row = [Panel(values, 0, "image"), Panel(values.astype(np.float64), 1, "old")]
    image, old = panels([row], [GREY, NATS], HOVER).data
    assert (image.z.dtype, old.z.dtype) == (np.uint8, np.float32)


def test_squares_of_pixels_stand_and_are_outlined_where_their_pixels_are() -> None:
    inside = np.array([[False, True]])
    picture, outline = panels([[Panel(np.zeros((1, 2)), 0, "image", "", inside)]], [GREY], HOVER, 4).data
    # Columns 0 to 3 and 4 to 7, rows 0 to 3.
    assert [picture.x0, picture.dx, picture.y0, picture.dy] == [1.5, 4, 1.5, 4]
    np.testing.assert_array_equal(outline.x, [-0.5, 1.5, 5.5, 7.5])
    np.testing.assert_array_equal(outline.y, [-0.5, 1.5, 3.5])
    assert picture.hovertemplate.startswith("row %{y:.0f}, column %{x:.0f}<br>")


def test_title_stands_above_its_panel() -> None:
    notes = draw(NATS).layout.annotations
    assert [note.text for note in notes] == ["image", "old", "new"] * 2
    assert (notes[4].xref, notes[4].yref) == ("x5 domain", "y5 domain")
    assert {(note.y, note.yanchor) for note in notes} == {(1.0, "bottom")}


def test_panel_in_colours_is_a_picture_beside_maps() -> None:
    colors = np.zeros((4, 6, 3), np.float32)
    colors[..., 0] = 1.0
    panel = Panel(colors, 0, "window", outlined=np.eye(4, 6, dtype=bool))
    other = Panel(np.zeros((4, 6)), 0, "")
    picture, heatmap, outline = panels([[panel, other]], [GREY], HOVER).data
    assert (picture.type, heatmap.type, outline.type) == ("image", "heatmap", "contour")
    assert (picture.xaxis, outline.xaxis) == ("x", "x")
    content = base64.b64decode(picture.source.partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        assert (image.size, image.getpixel((0, 0))) == ((6, 4), (255, 0, 0))
