"""3D scenes: frames, cameras, bones, meshes and volumes."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from posebook.errors import PosebookError
from posebook.joints import COCO17, H36M17, LSP14, SMPL24
from posebook.plots import mesh_figure, png_of, skeleton_figure, volume_figure, volume_slices
from posebook.plots.perspective import Perspective
from posebook.plots.skeleton import bone_points, spread
from posebook.plots.style import VIEWS, cube, upright
from posebook.plots.volume import slice_picks

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("joints", [SMPL24, H36M17, COCO17, LSP14], ids=lambda s: s.name)
def test_every_bone_is_one_segment_with_a_break(joints):
    points, sides = bone_points(RNG.normal(size=(len(joints), 3)), joints)
    assert len(points) == 3 * len(joints.bones) == len(sides)
    assert np.isnan(points[2::3]).all() and np.isfinite(points[0::3]).all() and np.isfinite(points[1::3]).all()
    names = [joints.names[child] for _, child in joints.bones]
    assert [s == 0 for s in sides[::3]] == [n.startswith("left") for n in names]


def test_camera_frame_is_turned_not_mirrored():
    points = RNG.normal(size=(3, 3))  # as the columns of a basis
    turned = upright(points, "camera")
    assert np.linalg.det(turned) == pytest.approx(np.linalg.det(points), rel=1e-5)
    assert upright([[0, -1, 5]], "camera").tolist() == [[0, 1, -5]]  # image up is up, far is away from the viewer
    with pytest.raises(PosebookError, match="pixels"):
        upright(points, "pixels")


def test_cube_keeps_proportions_and_holds_the_points():
    points = RNG.normal(size=(50, 3)) * [1, 5, 0.2]
    ranges = cube(np.vstack((points, [np.nan] * 3)))
    assert np.ptp(np.ptp(ranges, axis=1)) == pytest.approx(0, abs=1e-9)
    assert (points > ranges[:, 0]).all() and (points < ranges[:, 1]).all()


def test_side_by_side_skeletons_do_not_touch():
    a, b, c = spread([RNG.normal(size=(17, 3)) for _ in range(3)])
    assert a[:, 0].max() + 0.2 < b[:, 0].min() and b[:, 0].max() + 0.2 < c[:, 0].min()


def test_several_skeletons_of_different_sets_share_one_scene():
    chart = skeleton_figure([RNG.normal(size=(24, 3)), RNG.normal(size=(17, 3))], [SMPL24, H36M17], ["a", "b"])
    assert [t.type for t in chart.data] == ["scatter3d"] * 4  # two skeletons, two legend entries
    for skeleton, entry in zip(chart.data[:2], chart.data[2:], strict=True):
        assert (entry.name, entry.line.color) == (skeleton.name, skeleton.line.color[0])
    assert chart.layout.scene.camera.up.y == 1
    with pytest.raises(PosebookError, match="17"):
        skeleton_figure(RNG.normal(size=(24, 3)), H36M17)


@pytest.mark.parametrize("view", ["front", "side"])
@pytest.mark.parametrize("stretch", [[0.3, 1, 0.2], [1, 1, 1], [0.1, 1, 1], [1, 0.1, 1]])
def test_every_joint_is_in_the_picture(view, stretch):
    """Near points look larger: with the eye in its place a low near foot would be cut off."""
    joints = RNG.uniform(-1, 1, (17, 3)) * stretch + [0, 0, 5]
    chart = skeleton_figure(joints, H36M17, view=view)
    xy, distance = Perspective.of(chart)(upright(joints, "camera"))
    assert np.abs(xy).max() < 0.98 and distance.min() > 0
    eye = np.array([chart.layout.scene.camera.eye[a] for a in "xyz"])
    farther = np.linalg.norm(eye) / np.linalg.norm(VIEWS[view])
    np.testing.assert_allclose(eye, np.multiply(VIEWS[view], farther), atol=1e-9)
    assert farther == pytest.approx(1) or (farther > 1 and np.abs(xy).max() > 0.96)  # no farther than needed


def test_perspective_puts_nearer_things_larger_and_right_right():
    camera = Perspective(np.array([[-1, 1]] * 3), eye=(0.0, 0.0, 2.0))
    near, far, right, up = camera(np.array([[0.5, 0, 1], [0.5, 0, -1], [1, 0, 0], [0, 1, 0]])).xy
    assert near[0] > far[0] > 0 and right[0] > 0 and up[1] > 0
    # a point half a cube right of the centre, two cubes away, under a field of view of 45 degrees
    assert right[0] == pytest.approx(0.25 / np.tan(np.radians(22.5)))


def test_mesh_twin_shows_the_near_side():
    # two squares facing the viewer, the near one with label 1 hides the far one with label 2
    square = np.float32([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    vertices = np.vstack((square + [0, 0, 0.5], square - [0, 0, 0.5]))
    faces = np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]])
    palette = np.uint8([[0, 0, 0], [250, 0, 0], [0, 0, 250]])
    png = png_of(mesh_figure(vertices, faces, np.array([1, 1, 2, 2]), palette))
    red, green, blue = np.asarray(Image.open(BytesIO(png)).convert("RGB"))[230, 240]
    assert red > 150 and green < 60 and blue < 60


def test_faces_beyond_the_vertices_are_refused():
    with pytest.raises(PosebookError, match="below V"):
        mesh_figure(np.zeros((3, 3)), np.array([[0, 1, 3]]))


def blob(z: int, y: int, x: int) -> np.ndarray:
    """A peak in a 8 x 16 x 16 volume."""
    grid = np.indices((8, 16, 16))
    return np.exp(-((grid[0] - z) ** 2 + (grid[1] - y) ** 2 + (grid[2] - x) ** 2) / 4)


def test_volume_points_sit_at_cell_centres():
    chart = volume_figure(blob(2, 3, 10), level=0.99, kind="points", peak=np.array([10.5, 3.5, 2.5]))
    cells, decoded = chart.data
    assert (cells.x[0], cells.y[0], cells.z[0]) == (10.5, -3.5, -2.5) == (decoded.x[0], decoded.y[0], decoded.z[0])
    surface = volume_figure(blob(2, 3, 10)).data[0]
    assert surface.type == "isosurface" and surface.value.dtype == np.uint8


def test_slices_hold_the_peak_and_wrong_volumes_are_refused():
    assert 5 in slice_picks(blob(5, 3, 10), 3) and len(slice_picks(blob(5, 3, 10), 3)) == 3
    assert volume_slices(blob(5, 3, 10), 4).startswith(b"\x89PNG")
    with pytest.raises(PosebookError, match=r"\(D, H, W\)"):
        volume_slices(np.zeros((17, 8, 16, 16)))
    with pytest.raises(PosebookError, match="cloud"):
        volume_figure(blob(2, 3, 10), kind="cloud")
