"""Explorers driven by their traits, without a browser."""

import base64

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.explorers import BodyExplorer, MetricExplorer, PredictionExplorer, SampleExplorer, VolumeExplorer
from posebook.explorers.metric import NO_ALIGNMENT
from posebook.joints import H36M17, SMPL24

RNG = np.random.default_rng(0)
PERSON = RNG.normal(size=(17, 3)) * 0.3 + [0, 0, 4]


@pytest.fixture(scope="module")
def body():
    return BodyExplorer()


def points(trace) -> np.ndarray:
    return np.stack([trace.x, trace.y, trace.z], axis=-1)


def test_turning_a_joint_moves_what_hangs_on_it_and_nothing_else(body):
    body.clear()
    before = points(body.figure.data[0])
    body.joint.value = "left_elbow"
    body.angles[2].value = 90
    moved = np.linalg.norm(points(body.figure.data[0]) - before, axis=1)
    weights, below = body.assets.weights, [SMPL24.index(f"left_{n}") for n in ("elbow", "wrist", "hand")]
    bound = weights[:, below].sum(1)
    assert moved[bound < 1e-6].max() < 1e-5
    assert moved[bound > 0.99].min() > 0.01
    body.joint.value = "right_knee"
    assert body.angles[2].value == 0 and body.pose[SMPL24.index("left_elbow"), 2] == pytest.approx(np.pi / 2)
    body.reset.click()
    np.testing.assert_allclose(points(body.figure.data[0]), before, atol=1e-6)


def test_betas_change_stature_and_say_so(body):
    body.clear()
    first, height = body.stature.value, np.ptp(body.vertices[:, 1])
    body.shape[0].value = 2.0
    change = np.ptp(body.vertices[:, 1]) - height
    assert abs(change) > 0.02 and body.stature.value != first
    assert f"{height + change:.2f} m" in body.stature.value  # T-pose: what is shown is what is said


def test_parts_and_overlays(body):
    body.clear()
    body.parts.value, body.overlays.value = 6, ("h36m17",)
    mesh, smpl, h36m, *_ = body.figure.data
    assert set(np.unique(mesh.intensity)) == {1, 2, 3, 4, 5, 6}
    assert (smpl.visible, h36m.visible) == (False, True) and mesh.opacity < 1
    knee = 3 * [c for _, c in H36M17.bones].index(H36M17.index("left_knee")) + 1
    expected = body.assets.regressors["h36m17"][H36M17.index("left_knee")] @ body.vertices
    np.testing.assert_allclose(points(h36m)[knee], expected, atol=1e-6)
    body.parts.value, body.overlays.value = "plain", ()
    assert body.figure.data[0].intensity is None and body.figure.data[0].opacity == 1


def test_every_metric_forgives_what_it_should():
    explorer = MetricExplorer(PERSON)
    assert explorer.values[NO_ALIGNMENT] < 1e-9
    explorer.shift[0].value = 100
    assert explorer.values[NO_ALIGNMENT] == pytest.approx(100) and explorer.values["MPJPE"] < 1e-6
    explorer.scale.value = 1.2
    assert explorer.values["MPJPE"] > 5 and explorer.values["N-MPJPE"] < 1e-6
    explorer.turn.value = 90
    assert explorer.values["N-MPJPE"] > 5 and explorer.values["PA-MPJPE"] < 1e-6
    explorer.mirror.value = "reflect x"
    assert explorer.values["PA-MPJPE"] > 5
    assert f"{explorer.values['PA-MPJPE']:.1f} mm" in explorer.table.value


def test_the_scene_holds_the_spoiled_skeleton_wherever_it_goes():
    explorer = MetricExplorer(PERSON)
    for control in (*explorer.offset, *explorer.shift, explorer.scale):
        control.value = control.max
        for axis in "xyz":
            low, high = explorer.figure.layout.scene[f"{axis}axis"].range
            shown = np.concatenate([trace[axis] for trace in explorer.figure.data[:2]])
            assert low < np.nanmin(shown) and np.nanmax(shown) < high


def test_one_moved_joint_counts_one_seventeenth():
    explorer = MetricExplorer(PERSON)
    explorer.joint.value = "left_wrist"
    explorer.offset[1].value = 170
    assert explorer.values["MPJPE"] == pytest.approx(10) and explorer.values["PCK@150"] == pytest.approx(1600 / 17)


def test_predictions_are_sorted_from_worst_to_best():
    target = np.tile(PERSON, (4, 1, 1))
    pred = target.copy()
    for frame, error in enumerate((0.017, 0.051, 0.0, 0.034)):
        pred[frame, 5, 0] += error
    pred += [[[0.0, 0.0, 1.0]]]  # a wrong root depth must not matter
    images = np.zeros((4, 8, 8, 3), np.uint8)
    explorer = PredictionExplorer(torch.tensor(pred, requires_grad=True), target, images=images)
    assert explorer.order.tolist() == [1, 3, 0, 2]
    assert "frame 1: 3.0 mm" in explorer.caption.value
    picture = explorer.picture.value
    explorer.rank.value = 3
    assert "frame 2: 0.0 mm" in explorer.caption.value and explorer.picture.value != picture
    np.testing.assert_allclose(points(explorer.figure.data[0]), points(explorer.figure.data[1]), atol=1e-6)
    with pytest.raises(PosebookError, match="17"):
        PredictionExplorer(np.zeros((4, 14, 3)), np.zeros((4, 14, 3)))


def test_volume_slider_follows_each_stack():
    coarse, fine = np.zeros((17, 2, 6, 6), np.float32), np.zeros((17, 8, 6, 6), np.float32)
    coarse[3, 1, 2, 4] = fine[3, 6, 2, 4] = 1.0
    cells = np.full((17, 3), (4.5, 2.5, 6.5))
    volumes = {"d = 2": torch.tensor(coarse, requires_grad=True), "d = 8": fine}
    explorer = VolumeExplorer(volumes, decoded={"d = 8": cells})
    explorer.joint.value, explorer.stack.value = H36M17.names[3], "d = 2"
    assert (explorer.depth.max, explorer.depth.value) == (1, 1)
    explorer.stack.value = "d = 8"
    assert (explorer.depth.max, explorer.depth.value) == (7, 6) and "depth bin 6 of 8" in explorer.peak.value
    sheet = explorer.slice.data[0]
    assert sheet.z[2][4] == 1.0 and (sheet.x[4], sheet.y[2]) == (4.5, 2.5)
    assert points(explorer.figure.data[1]).tolist() == [[4.5, -2.5, -6.5]]
    explorer.depth.value = 0
    assert np.max(explorer.slice.data[0].z) == 0
    explorer.stack.value = "d = 2"
    assert explorer.depth.value == 1 and len(explorer.figure.data) == 1
    with pytest.raises(PosebookError, match="d = 2"):
        VolumeExplorer({"d = 2": np.zeros((2, 6, 6))})


def test_volumes_open_on_the_finest_stack_whose_surface_follows_its_slider():
    """One bin is a plane: its isosurface is empty at every level."""
    volumes = {f"d = {depth}": np.tile(RNG.random((1, depth, 6, 6), np.float32), (17, 1, 1, 1)) for depth in (1, 16, 4)}
    explorer = VolumeExplorer(volumes)
    assert explorer.stack.value == "d = 16" and explorer.stack.options[0] == "d = 1"
    assert explorer.depth.max == 15 and np.size(explorer.figure.data[0].value) == 16 * 6 * 6
    assert np.shape(explorer.slice.data[0].z) == (6, 6) and "of 16" in explorer.peak.value
    before = explorer.figure.data[0].isomin
    explorer.level.value = 0.8
    assert before == pytest.approx(255 * 0.4) and explorer.figure.data[0].isomin == pytest.approx(255 * 0.8)


class Shelf:
    """The part of a Dataset that SampleExplorer touches, with samples of its schema."""

    def __len__(self):
        return 2

    def __getitem__(self, i):
        from posebook.data import Sample
        from posebook.data.sample import ARRAY_FIELDS

        shapes = {name: [8 if d == "H" else d for d in dims] for name, (dims, _) in ARRAY_FIELDS.items()}
        fields = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        fields |= {"image": np.full((8, 8, 3), 40 * i, np.uint8), "parts": np.full((8, 8), i, np.uint8)}
        fields |= {"joints3d_h36m17": (PERSON + i).astype(np.float32), "mask": np.ones((8, 8), bool)}
        names = {"sample_id": f"s{i}", "subject": "<p1>", "action": "walk", "sequence": "q", "clip": "c"}
        return Sample(**fields, **names, frame=i, fps=30.0, valid={})


def test_browsing_samples_changes_every_panel():
    explorer = SampleExplorer(Shelf())
    first = explorer.panels.value, points(explorer.figure.data[0]), explorer.facts.value
    explorer.index.value = 1
    assert explorer.sample.sample_id == "s1" and explorer.panels.value != first[0]
    step = np.nanmean(points(explorer.figure.data[0]) - first[1], axis=0)
    np.testing.assert_allclose(step, [1, -1, -1], atol=1e-5)  # the camera frame is shown upright
    assert "s1" in explorer.facts.value and "&lt;p1&gt;" in explorer.facts.value


def test_explorers_leave_a_picture_for_readers_without_a_kernel():
    data = MetricExplorer(PERSON)._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in data
