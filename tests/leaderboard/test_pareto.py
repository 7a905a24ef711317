import numpy as np
import pandas as pd
import pytest

from posebook.errors import PosebookError
from posebook.leaderboard.pareto import pareto_figure, pareto_front, staircase
from posebook.plots.twin import png_of


def board(rows):
    columns = ("label", "role", "flops", "mpjpe")
    return pd.DataFrame(rows, columns=columns)


ROWS = [("01 a", "paper", 1e9, 60.0), ("02 b", "rival", 2e9, 50.0), ("03 c", "paper", 3e9, 55.0),
        ("01 floor", "floor", np.nan, 200.0)]  # fmt: skip


def corners(figure):
    """Of the front's line, each once."""
    return list(dict.fromkeys(zip(figure.data[-1].x, figure.data[-1].y, strict=True)))


def test_the_front_of_a_drawn_example():
    assert pareto_front([1, 2, 3, 4], [50, 60, 40, 40]).tolist() == [True, False, True, False]


def test_equal_points_are_both_on_it():
    assert pareto_front([1, 1, 1], [50, 50, 51]).tolist() == [True, True, False]


def test_points_without_a_number_never_are():
    assert pareto_front([1, np.nan, 3], [50, 1, np.nan]).tolist() == [True, False, False]


def test_random_points_against_a_loop_over_all_pairs():
    points = np.random.default_rng(0).integers(0, 12, (40, 2))
    kept = [not any((q <= p).all() and (q < p).any() for q in points) for p in points]
    assert pareto_front(*points.T).tolist() == kept and 0 < sum(kept) < 40


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(PosebookError, match="alike"):
        pareto_front([1, 2], [1])


def test_the_figure_shows_every_method_with_both_numbers_and_steps_down_the_front():
    figure = pareto_figure(board(ROWS))
    shown = {name: (x, y) for trace in figure.data[:-1] for name, x, y in zip(trace.hovertext, trace.x, trace.y)}  # noqa: B905
    assert shown == {"01 a": (1.0, 60.0), "02 b": (2.0, 50.0), "03 c": (3.0, 55.0)}
    assert {trace.name for trace in figure.data} == {"paper", "rival", "Pareto front"}
    low, high = figure.layout.xaxis.range
    assert low < 1 and high > 3  # names at the edge need room
    assert corners(figure) == [(1, 60), (2, 60), (2, 50), (high, 50)]
    assert png_of(figure).startswith(b"\x89PNG")


def test_a_front_of_one_point_is_seen_as_well():
    figure = pareto_figure(board([*ROWS, ("04 best", "paper", 5e8, 40.0)]))
    assert corners(figure) == [(0.5, 60), (0.5, 40), (figure.layout.xaxis.range[1], 40)]


def test_a_table_without_costs_is_refused():
    with pytest.raises(PosebookError, match="both flops and mpjpe"):
        pareto_figure(board(ROWS[3:]))


def test_a_single_point_is_its_own_staircase():
    assert staircase([(1.0, 2.0)]).tolist() == [[1.0, 2.0]]
