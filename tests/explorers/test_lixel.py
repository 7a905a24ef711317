"""LixelExplorer driven by its traits, on lines of which the answers are known."""

import base64
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from posebook.errors import PosebookError
from posebook.explorers import LixelExplorer
from posebook.models.i2l.lixel import Lixels

PICTURES, VERTICES, BINS, SIDE = 3, 20, 16, 48
TWINS, CELLS = (4, 11), (6, 8, 4)  # volumes of two vertices; depth, height, width
INDEX = np.arange(BINS)


def made(seed: int = 0) -> dict:
    """Random arguments."""
    chance = np.random.default_rng(seed)
    return {
        "images": chance.integers(0, 256, (PICTURES, SIDE, SIDE, 3), dtype=np.uint8),
        "lixels": Lixels(*chance.normal(0, 2, (3, PICTURES, VERTICES, BINS)).astype(np.float32)),
        "true_mesh": chance.uniform(0, BINS, (PICTURES, VERTICES, 3)).astype(np.float32),
        "faces": chance.integers(0, VERTICES, (30, 3)),
        "volumes": chance.normal(0, 2, (PICTURES, len(TWINS), *CELLS)).astype(np.float32),
        "names": ["one", "two", "three"],
        "volume_vertices": TWINS,
    }


@pytest.fixture(scope="module")
def given():
    return made()


@pytest.fixture
def explorer(given):
    return LixelExplorer(**given)


def softmax(logits: np.ndarray, axes=-1) -> np.ndarray:
    powers = np.exp(logits.astype(float) - logits.max())
    return powers / powers.sum(axes, keepdims=True)


def points(trace) -> np.ndarray:
    return np.stack([trace.x, trace.y, trace.z], axis=-1)


def place(trace) -> tuple[float, float]:
    return trace.x[0], trace.y[0]


def normal_lines(means, widths) -> Lixels:
    """Logits (1, 1, 64) of normal distributions, given per axis."""
    index = np.arange(64)
    return Lixels(*(-((index - m) ** 2)[None, None] / (2 * w**2) for m, w in zip(means, widths, strict=True)))


@pytest.mark.parametrize("picture, vertex, temperature", [(0, 0, 1), (2, 11, 0.5), (1, 19, 3)])
def test_lines_are_softmaxed_and_read_out(explorer, given, picture, vertex, temperature):
    explorer.picture.value, explorer.vertex.value, explorer.temperature.value = picture, vertex, temperature
    chances = softmax(np.stack(given["lixels"])[:, picture, vertex] / temperature)
    mean = chances @ INDEX
    spread = np.sqrt(chances @ INDEX**2 - mean**2)
    truth = given["true_mesh"][picture, vertex]
    np.testing.assert_allclose(explorer.chances, chances, atol=1e-6)
    np.testing.assert_allclose(explorer.coordinates, mean, atol=1e-4)
    np.testing.assert_allclose(explorer.spread, spread, atol=1e-4)
    assert explorer.error == pytest.approx(np.sqrt(((mean - truth) ** 2).sum()), abs=1e-3)
    for text in (given["names"][picture], f"vertex {vertex}:", f"{explorer.error:.1f} bins from the true place"):
        assert text in explorer.caption.value
    for axis, m, s in zip("xyz", mean, spread, strict=True):
        assert f"{axis} {m:.1f} ± {s:.1f}" in explorer.caption.value


def test_the_drawn_lines_carry_three_marks_each(explorer, given):
    explorer.picture.value, explorer.vertex.value = 1, 7
    assert explorer.figure is explorer.lines
    for i, axis in enumerate(given["lixels"]):
        curve, soft, hard, true = explorer.lines.data[4 * i : 4 * i + 4]
        chances = softmax(axis[1, 7])
        np.testing.assert_allclose(curve.y, chances, atol=1e-6)
        np.testing.assert_array_equal(curve.x, INDEX)
        assert [trace.name for trace in (soft, hard, true)] == ["soft-argmax", "argmax", "true"]
        expected = chances @ INDEX, np.argmax(axis[1, 7]), given["true_mesh"][1, 7, i]
        for trace, x in zip((soft, hard, true), expected, strict=True):
            assert trace.x == pytest.approx((x, x), abs=1e-4) and trace.yaxis == curve.yaxis
    assert len({trace.yaxis for trace in explorer.lines.data}) == 3


def test_temperature_widens_a_normal_line_by_its_root_and_keeps_the_mean():
    means, widths = (20, 31.5, 40), (1.5, 2, 2.5)
    image, truth, faces = np.zeros((1, 8, 8, 3), np.uint8), np.array([[[20, 31.5, 44.0]]]), [[0, 0, 0]]
    explorer = LixelExplorer(image, normal_lines(means, widths), truth, faces)
    for temperature in (1, 0.5, 4):
        explorer.temperature.value = temperature
        np.testing.assert_allclose(explorer.coordinates, means, atol=1e-3)
        np.testing.assert_allclose(explorer.spread, np.multiply(widths, temperature**0.5), rtol=2e-3)
        assert explorer.error == pytest.approx(4, abs=1e-3)
    assert (
        "vertex 0: soft-argmax ± standard deviation x 20.0 ± 3.0, y 31.5 ± 4.0, z 40.0 ± 5.0" in explorer.caption.value
    )


@pytest.mark.parametrize("temperature", [1, 2.5])
def test_the_mesh_is_all_lines_read_out_and_stands_upright(explorer, given, temperature):
    explorer.picture.value, explorer.vertex.value, explorer.temperature.value = 2, 6, temperature
    mesh = (softmax(np.stack(given["lixels"], axis=-2)[2] / temperature) * INDEX).sum(-1)
    np.testing.assert_allclose(explorer.vertices, mesh, atol=1e-4)
    surface, dots, chosen = explorer.mesh.data
    for trace in (surface, dots):
        np.testing.assert_allclose(points(trace), mesh * [1, -1, -1], atol=1e-4)  # y and z of the crop point away
    np.testing.assert_allclose(points(chosen), mesh[6:7] * [1, -1, -1], atol=1e-4)
    np.testing.assert_array_equal(np.stack([surface.i, surface.j, surface.k], -1), given["faces"])
    (left, right), (low, high), (back, front) = (explorer.mesh.layout.scene[f"{a}axis"].range for a in "xyz")
    assert left < 0 < BINS < right and low < -BINS < 0 < high and back < -BINS < 0 < front  # the whole box


@pytest.mark.parametrize("trace", [0, 1])
def test_a_click_on_surface_or_dots_chooses_the_vertex(explorer, trace):
    """Through plotly's own dispatch, which is what a browser's click ends in."""
    message = {"event_type": "plotly_click", "device_state": None, "selector": None}
    clicked = {"trace_indexes": [trace], "point_indexes": [17], "xs": [0.0], "ys": [0.0], "zs": [0.0]}
    explorer.mesh._js2py_pointsCallback = {**message, "points": clicked}
    assert explorer.vertex.value == 17 and "vertex 17:" in explorer.caption.value
    assert explorer.mesh.data[trace].hoverinfo != "skip"  # plotly.js reports no clicks on such traces


def test_the_callback_takes_the_first_point_and_ignores_none(explorer):
    explorer.click(None, SimpleNamespace(point_inds=[13, 2]))
    assert explorer.vertex.value == 13
    explorer.click(None, SimpleNamespace(point_inds=[]))
    assert explorer.vertex.value == 13


def test_the_photo_shows_both_places_in_pixels(explorer, given):
    explorer.picture.value, explorer.vertex.value = 1, 3
    image, true, found = explorer.photo.data
    shown = Image.open(BytesIO(base64.b64decode(image.source.removeprefix("data:image/png;base64,"))))
    np.testing.assert_array_equal(np.asarray(shown), given["images"][1])
    chances = softmax(np.stack(given["lixels"])[:2, 1, 3])
    mean = chances @ INDEX
    spread = np.sqrt(chances @ INDEX**2 - mean**2)
    assert place(true) == pytest.approx(given["true_mesh"][1, 3, :2] * 3)  # 48 pixels, 16 bins
    assert place(found) == pytest.approx(mean * 3, abs=1e-3)
    assert (found.error_x.array[0], found.error_y.array[0]) == pytest.approx(spread * 3, abs=1e-3)


def test_lines_imply_independent_axes_and_voxels_need_not(explorer, given):
    explorer.vertex.value, explorer.picture.value, explorer.temperature.value = 11, 2, 2
    x, y = (softmax(axis[2, 11] / 2) for axis in given["lixels"][:2])
    implied, voxels = explorer.twin.data[0], explorer.twin.data[3]
    assert np.shape(implied.z) == (BINS, BINS)
    for row in range(BINS):
        np.testing.assert_allclose(implied.z[row], y[row] * x, atol=1e-6)
    expected = softmax(given["volumes"][2, 1] / 2, (0, 1, 2))
    np.testing.assert_allclose(voxels.z, expected.sum(0), atol=1e-6)
    assert voxels.visible and np.sum(voxels.z) == pytest.approx(1, abs=1e-5)
    _, height, width = np.indices(CELLS)
    found = (expected * width).sum() * BINS / 4, (expected * height).sum() * BINS / 8  # one box, coarser cells
    assert place(explorer.twin.data[5]) == pytest.approx(found, abs=1e-3)
    assert place(explorer.twin.data[2]) == pytest.approx((x @ INDEX, y @ INDEX), abs=1e-3)
    for trace in (explorer.twin.data[1], explorer.twin.data[4]):
        assert place(trace) == pytest.approx(given["true_mesh"][2, 11, :2])
    np.testing.assert_allclose(voxels.x, [0, 4, 8, 12])
    np.testing.assert_allclose(voxels.y, np.arange(8) * 2)


def test_vertices_without_voxels_say_who_has_them(explorer):
    assert explorer.vertex.value == TWINS[0]  # something to compare from the start
    explorer.vertex.value = 5
    assert not any(trace.visible for trace in explorer.twin.data[3:]) and explorer.planes[1].chance is None
    assert explorer.twin.layout.xaxis2.title.text.endswith("4, 11")
    assert explorer.png().startswith(b"\x89PNG")
    explorer.vertex.value = 11
    assert all(trace.visible for trace in explorer.twin.data) and explorer.png().startswith(b"\x89PNG")


def test_without_volumes_only_the_lines_are_drawn(given):
    explorer = LixelExplorer(*(given[name] for name in ("images", "lixels", "true_mesh", "faces")))
    assert len(explorer.twin.data) == 3 and explorer.vertex.value == 0 and "picture 0" in explorer.caption.value
    assert (explorer.vertex.max, explorer.picture.max) == (VERTICES - 1, PICTURES - 1)
    page = Image.open(BytesIO(explorer.png()))
    assert min(page.size) > 500 and "image/png" in explorer._repr_mimebundle_()


def test_half_tensors_with_gradients_are_taken_as_they_come(explorer, given):
    lixels = Lixels(*(torch.tensor(axis).bfloat16().requires_grad_() for axis in given["lixels"]))
    other = LixelExplorer(**given | {"lixels": lixels, "volumes": torch.tensor(given["volumes"]).half()})
    np.testing.assert_allclose(other.chances, explorer.chances, atol=0.01)
    np.testing.assert_allclose(other.planes[1].chance, explorer.planes[1].chance, atol=0.01)


@pytest.mark.parametrize(
    "name, change, message",
    [
        ("images", lambda v: v[..., :2], "images: expected square crops"),
        ("images", lambda v: v[:, :40], "images: expected square crops"),
        ("images", lambda v: v / 255, "images: .*uint8.*got .*float64"),
        ("images", lambda v: v[:2], r"lixels: expected three times \(2, V, bins\)"),
        ("lixels", lambda v: v[:2], "lixels: expected three lines: x, y, z, got 2"),
        ("lixels", lambda v: (v[0], v[1], v[2][..., :9]), "lixels: expected three times"),
        ("true_mesh", lambda v: v[:, :9], r"true_mesh: expected \(3, 20, 3\).*got \(3, 9, 3\)"),
        ("faces", lambda v: v + VERTICES, "faces: .*indices 0 to 19"),
        ("faces", lambda v: v - VERTICES, "faces: .*indices 0 to 19"),
        ("faces", lambda v: v[:, :2], r"faces: expected \(F, 3\)"),
        ("volumes", lambda v: v[:, :1], r"volumes: expected \(3, 2, D, H, W\).*got \(3, 1, 6, 8, 4\)"),
        ("volumes", lambda v: None, "got no volumes. Pass both or neither"),
        ("volume_vertices", lambda v: None, "got no volume_vertices. Pass both or neither"),
        ("volume_vertices", lambda v: (4, VERTICES), r"volume_vertices: .*0 to 19, got \[4, 20\]"),
        ("volume_vertices", lambda v: (-1, 4), r"volume_vertices: .*0 to 19, got \[-1, 4\]"),
        ("names", lambda v: v[:2], "names: expected 3, one a picture, got 2"),
    ],
)
def test_what_does_not_fit_is_refused(given, name, change, message):
    with pytest.raises(PosebookError, match=message):
        LixelExplorer(**given | {name: change(given[name])})


def test_centred_bins_are_drawn_where_the_single_heads_read_them():
    """Voxel j of W and bin i of b stand for the same place when (j + 1/2) / W = (i + 1/2) / b of the box."""
    rng = np.random.default_rng(0)
    lines = Lixels(*rng.normal(size=(3, 1, 4, 16)))
    made = LixelExplorer(np.zeros((1, 64, 64, 3), np.uint8), lines, rng.uniform(0, 15, (1, 4, 3)), [[0, 1, 2]],
                         rng.normal(size=(1, 1, 8, 8, 8)), volume_vertices=[2], centred=True)  # fmt: skip
    np.testing.assert_allclose(made.cells(np.arange(8), 8), np.arange(8) * 2 + 0.5)
    found = made.coordinates[0]
    sixty_fourths = (found + 0.5) * 4 - 0.5
    assert made.photo.data[2].x[0] == pytest.approx(sixty_fourths, abs=1e-5)  # the crop has 64 pixels
    assert made.photo.data[1].x[0] == pytest.approx((made.truth[0] + 0.5) * 4 - 0.5, abs=1e-5)
    np.testing.assert_allclose(made.twin.data[3].x, np.arange(8) * 2 + 0.5)
    assert made.png().startswith(b"\x89PNG")
