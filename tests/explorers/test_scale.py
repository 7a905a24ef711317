"""ScaleExplorer driven by its sliders, against the pinhole law written out."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.explorers import ScaleExplorer, scale_curve
from posebook.models.i2l import HeatmapUnits

UNITS = HeatmapUnits(64, 64, 2.0)
K = np.array([[100.0, 0, 30], [0, 120.0, 35], [0, 0, 1]])
FACES = np.array([[0, 1, 2], [0, 2, 3]])
REGRESSOR = np.array([[1.0, 0, 0, 0], [0, 1, 0, 0]])
MESH = np.array([[32.0, 32, 32], [40, 20, 30], [25, 45, 36], [50, 50, 32]])


@pytest.fixture
def explorer():
    return ScaleExplorer(MESH, UNITS, K, 4.0, FACES, REGRESSOR)


def by_hand(focal, depth):
    z = (MESH[:, 2] - 32) / 32 + 4.0 * depth
    points = np.stack([(MESH[:, 0] - 30) / (100 * focal) * z, (MESH[:, 1] - 35) / (120 * focal) * z, z], 1)
    return points - points[0]


@pytest.mark.parametrize(("focal", "depth"), [(1, 1), (0.5, 1), (1, 2), (1.5, 0.8)])
def test_sliders_place_the_mesh_by_the_pinhole_law(explorer, focal, depth):
    explorer.focal.value, explorer.depth.value = focal, depth
    np.testing.assert_allclose(explorer.placed, by_hand(focal, depth), atol=1e-5)
    assert explorer.height == pytest.approx(np.ptp(by_hand(focal, depth)[:, 1]), abs=1e-5)
    assert f"{explorer.height:.2f} m" in explorer.caption.value
    drawn = explorer.figure.data[1]
    np.testing.assert_allclose(np.ptp(drawn.x), np.ptp(explorer.placed[:, 0]), atol=1e-5)


def test_size_goes_with_one_over_the_focal_length(explorer):
    explorer.focal.value = 0.5
    assert explorer.ratio == pytest.approx(2, abs=1e-5)


def test_a_true_mesh_is_drawn_with_its_root_at_the_origin():
    true = np.random.default_rng(0).normal(size=(4, 3))
    drawn = ScaleExplorer(MESH, UNITS, K, 4.0, FACES, REGRESSOR, true).figure.data[0]
    assert np.ptp(drawn.x) == pytest.approx(np.ptp(true[:, 0]), abs=1e-5)


def test_curve_and_picture(explorer):
    chart = scale_curve(explorer, [0.5, 1, 2])
    assert [trace.name for trace in chart.data] == ["focal length", "root depth"]
    np.testing.assert_allclose(chart.data[0].y[0], 4 * chart.data[0].y[2], rtol=1e-5)
    assert explorer.png().startswith(b"\x89PNG")


def test_shapes_that_do_not_fit_are_refused():
    for mesh, camera in ((MESH[None], K), (MESH, K[:2]), (MESH[:3], K)):
        with pytest.raises(PosebookError, match="Expected one mesh"):
            ScaleExplorer(torch.tensor(mesh), UNITS, camera, 4.0, FACES, REGRESSOR)
