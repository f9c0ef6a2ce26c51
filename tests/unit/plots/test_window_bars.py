from vaead.plots.window_bars import WindowBar, window_bars

BARS = (
    WindowBar("D", anywhere=(0, 10), here=(2, 4), value=3, note="3.00"),
    WindowBar("M", anywhere=(5, 5), here=(5, 5), value=99, note="99.0"),
)


def test_marks_lie_where_the_values_are_and_never_leave_the_bar() -> None:
    figure = window_bars(BARS)
    assert list(figure.data[0].y) == [1, 0]  # the first on top
    inside, beyond = figure.data[0].x
    assert 0 < inside < 0.5
    assert 0.8 < beyond <= 1


def test_both_ranges_are_drawn_and_can_be_seen_where_they_are_empty() -> None:
    shapes = window_bars(BARS).layout.shapes
    assert len(shapes) == 6
    assert all(shape.x1 > shape.x0 for shape in shapes)
    whole, anywhere, here = shapes[:3]
    assert whole.x0 <= anywhere.x0 <= here.x0 < here.x1 <= anywhere.x1 <= whole.x1


def test_notes_stand_beside_their_bars() -> None:
    assert [(note.text, note.y) for note in window_bars(BARS).layout.annotations] == [
        ("3.00", 1),
        ("99.0", 0),
    ]
