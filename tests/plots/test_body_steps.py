"""The steps from parameters to a mesh, against smplx's own forward pass."""

import json
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.spatial.transform import Rotation

from posebook.body import load_assets, load_body
from posebook.errors import PosebookError
from posebook.joints import SMPL24
from posebook.plots import body_steps, body_steps_figure, body_steps_png
from posebook.plots.body_steps import AXIS, STEPS, axes_trace
from posebook.plots.show import bundle

RNG = np.random.default_rng(0)
BETAS = torch.from_numpy(RNG.normal(size=10).astype(np.float32))
POSE = Rotation.from_rotvec(0.3 * RNG.normal(size=(24, 3)))
RELATIVE = torch.from_numpy(POSE.as_matrix().astype(np.float32))


@pytest.fixture(scope="module")
def body(body_cache):
    return load_body(level="coarse")


@pytest.fixture(scope="module")
def chart(body):
    return body_steps_figure(body, BETAS, RELATIVE, load_assets("coarse").part_of_face, "a body")


def test_every_step_is_what_smplx_computes(body):
    steps = body_steps(body, BETAS, RELATIVE)
    pose = torch.from_numpy(POSE.as_rotvec().astype(np.float32)).reshape(1, 72)
    with torch.no_grad():
        plain, shaped, posed = (
            body(),
            body(betas=BETAS[None]),
            body(betas=BETAS[None], global_orient=pose[:, :3], body_pose=pose[:, 3:]),
        )
    for found, expected in (
        (steps.template, plain.vertices[0]),
        (steps.shaped, shaped.vertices[0]),
        (steps.rest_joints, shaped.joints[0, :24]),
        (steps.joints, posed.joints[0, :24]),
        (steps.vertices, posed.vertices[0]),
    ):
        np.testing.assert_allclose(found, expected, atol=1e-5)
    chain = Rotation.identity()
    for joint in (0, *(SMPL24.index(f"left_{name}") for name in ("hip", "knee", "ankle"))):
        chain = chain * POSE[joint]
    np.testing.assert_allclose(steps.rotations[SMPL24.index("left_ankle")], chain.as_matrix(), atol=1e-5)


def test_the_slider_shows_one_step_at_a_time(chart):
    (bar,) = chart.layout.sliders
    assert [step.label for step in bar.steps] == list(STEPS)
    shown = np.array([step.args[0]["visible"] for step in bar.steps])  # (steps, traces)
    assert (shown.sum(0) == 1).all() and (shown.sum(1) >= 1).all()  # each trace belongs to one step
    assert [trace.visible for trace in chart.data] == shown[bar.active].tolist()
    assert bar.steps[5].args[1]["title.text"] == f"a body: {STEPS[5]}"
    skinned = chart.data[int(shown[5].argmax())]
    assert set(np.unique(skinned.intensity)) == set(range(1, 25))


def test_axes_are_the_columns_of_the_rotations():
    turn = Rotation.from_euler("z", 90, degrees=True).as_matrix()  # x becomes y, y becomes -x
    trace = axes_trace(np.array([[1.0, 2.0, 3.0]]), turn[None])
    ends = np.stack([trace.x, trace.y, trace.z], -1)[1::3] - [1, 2, 3]
    np.testing.assert_allclose(ends, AXIS * np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]), atol=1e-6)
    assert len(trace.line.color) == 9 and len(set(trace.line.color)) == 3


def test_the_picture_has_a_panel_per_step_and_all_is_small(chart):
    png = body_steps_png(chart)
    picture = np.asarray(Image.open(BytesIO(png)).convert("L")).astype(float)
    ink = [(panel < 250).sum() for panel in np.array_split(picture, len(STEPS), axis=1)]
    assert min(ink) > 500
    assert [trace.visible for trace in chart.data].count(True) == 1  # drawing changed nothing
    assert len(json.dumps(bundle(chart, png))) < 500_000


def test_parameters_of_a_batch_are_refused(body):
    with pytest.raises(PosebookError, match=r"\(24, 3, 3\) of one body"):
        body_steps(body, BETAS[None], RELATIVE[None])
    with pytest.raises(PosebookError, match=r"\(10,\)"):
        body_steps(body, BETAS[:5], RELATIVE)
