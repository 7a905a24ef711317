"""SMPL as a function, one step at a time: template, shape, rest joints, rotations, posed joints, skinned mesh.

T(betas) = T_0 + sum_k beta_k S_k;  J(betas) = regressor T(betas);  G_j = G_parent R_j;
p_j = p_parent + G_parent (J_j - J_parent);  v = sum_j w_vj (G_j (T_v - J_j) + p_j), pose blend shapes left out here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from posebook.errors import PosebookError
from posebook.joints import SMPL24
from posebook.plots.images import page_png
from posebook.plots.mesh import mesh_trace
from posebook.plots.skeleton import skeleton_trace
from posebook.plots.style import EYE, GREEN, GREY, INK, PINK, figure, scene
from posebook.plots.twin3d import draw_scene

if TYPE_CHECKING:
    import smplx
    from torch import Tensor

STEPS = ("1 template", "2 + shape", "3 rest joints", "4 rotations", "5 posed joints", "6 skinned mesh")
GHOST = 0.3  # opacity of a mesh that a skeleton is seen through
AXIS = 0.11  # metres, length of the axes that show a joint's rotation
AXES = (PINK, GREEN, GREY)  # colours of x, y, z: not those of left and right


class BodySteps(NamedTuple):
    """What a body model computes on its way from parameters to a mesh; metres, the body's own frame."""

    template: np.ndarray  # (V, 3)
    shaped: np.ndarray  # (V, 3)
    rest_joints: np.ndarray  # (24, 3)
    rotations: np.ndarray  # (24, 3, 3) of every joint in the body's frame
    joints: np.ndarray  # (24, 3) posed; the pelvis stays where it is at rest
    vertices: np.ndarray  # (V, 3) skinned


def body_steps(body: smplx.SMPL, betas: Tensor, relative: Tensor) -> BodySteps:
    """Compute each step of one body.

    Args:
        body: any `smplx.SMPL`; the coarse level of the free body keeps figures small.
        betas: (10,).
        relative: (24, 3, 3) rotations relative to the parent; number 0 turns the whole body.

    Raises:
        PosebookError: other shapes.
    """
    import torch  # here, so that other figures need neither torch nor a body

    from posebook.joint_layer import JointLayer

    betas, relative = (torch.as_tensor(x, dtype=body.v_template.dtype)[None] for x in (betas, relative))
    if tuple(betas.shape) != (1, body.num_betas) or tuple(relative.shape) != (1, len(SMPL24), 3, 3):
        raise PosebookError(f"Expected betas ({body.num_betas},) and rotations (24, 3, 3) of one body, got "
                            f"{tuple(betas.shape[1:])} and {tuple(relative.shape[1:])}.")  # fmt: skip
    with torch.no_grad():
        layer = JointLayer(body)
        rotations, rest = layer.to_global(relative), layer.rest_joints(betas)
        joints = layer(betas, rotations) + rest[:, :1]
        out = body(betas=betas, global_orient=relative[:, :1], body_pose=relative[:, 1:], pose2rot=False)
        shaped = body.v_template + body.shapedirs @ betas[0]
    found = (body.v_template, shaped, rest[0], rotations[0], joints[0], out.vertices[0])
    return BodySteps(*(array.numpy() for array in found))


def body_steps_figure(
    body: smplx.SMPL, betas: Tensor, relative: Tensor, part_of_face: np.ndarray | None = None, title: str = ""
) -> go.Figure:
    """One turnable scene with a slider over STEPS; `show(figure, png=body_steps_png(figure))` adds all six in a row.

    Args:
        body, betas, relative: as `body_steps`.
        part_of_face: (F,) labels 1..24 that colour the skinned mesh by the joint that moves it most; None: plain.
        title: in front of the step's name.
    """
    steps = body_steps(body, betas, relative)
    groups = _traces(steps, np.asarray(body.faces, np.int64), part_of_face)
    reach = np.concatenate([steps.template, steps.shaped, steps.vertices])
    shown = [[step == i for i, group in enumerate(groups) for _ in group] for step in range(len(STEPS))]
    traces = [trace for group in groups for trace in group]
    for trace, visible in zip(traces, shown[0], strict=True):
        trace.visible = visible
    names = [f"{title}: {name}" if title else name for name in STEPS]
    buttons = [{"label": step, "method": "update", "args": [{"visible": visible}, {"title.text": name}]}
               for step, visible, name in zip(STEPS, shown, names, strict=True)]  # fmt: skip
    bar = {"active": 0, "steps": buttons, "currentvalue": {"visible": False}, "pad": {"t": 5, "b": 5}}
    return figure(traces, names[0], 520, scene=scene(reach, EYE), sliders=[bar], showlegend=False)


def _traces(steps: BodySteps, faces: np.ndarray, part_of_face: np.ndarray | None) -> list[list]:
    """What each step shows."""

    def mesh(vertices, parts=None, opacity=1.0):
        return mesh_trace(vertices, faces, parts, opacity=opacity)

    def skeleton(joints, rank=0):
        return skeleton_trace(joints, SMPL24, rank=rank, frame="world")

    return [
        [mesh(steps.template)],
        [mesh(steps.shaped)],
        [mesh(steps.shaped, opacity=GHOST), skeleton(steps.rest_joints)],
        [skeleton(steps.rest_joints, 1), axes_trace(steps.rest_joints, steps.rotations)],
        [skeleton(steps.joints), axes_trace(steps.joints, steps.rotations)],
        [mesh(steps.vertices, part_of_face)],
    ]


def axes_trace(joints: np.ndarray, rotations: np.ndarray) -> go.Scatter3d:
    """Axes of every joint as lines of AXIS metres: x pink, y green, z grey.

    Args:
        joints: (J, 3) metres, world frame.
        rotations: (J, 3, 3); the columns are the axes.
    """
    ends = joints[:, None] + AXIS * np.swapaxes(rotations, 1, 2)  # (J, 3 axes, 3)
    starts = np.broadcast_to(joints[:, None], ends.shape)
    points = np.stack((starts, ends, np.full_like(ends, np.nan)), 2).reshape(-1, 3).astype(np.float32)
    line = {"width": 5, "color": np.repeat(AXES, 3).tolist() * len(joints)}
    return go.Scatter3d(x=points[:, 0], y=points[:, 1], z=points[:, 2], mode="lines", line=line, hoverinfo="skip",
                        showlegend=False)  # fmt: skip


def body_steps_png(chart: go.Figure) -> bytes:
    """All steps of `body_steps_figure` side by side, drawn from the figure's own traces."""
    steps = chart.layout.sliders[0].steps
    page = Figure(figsize=(2.1 * len(steps), 2.5), dpi=100, layout="constrained")
    for panel, step in zip(page.subplots(1, len(steps)), steps, strict=True):
        shown = [trace for trace, visible in zip(chart.data, step.args[0]["visible"], strict=True) if visible]
        draw_scene(panel, go.Figure(shown, chart.layout).update_traces(visible=True))
        panel.set(xlim=(-0.88, 0.88), ylim=(-0.88, 0.88))
        panel.set_title(step.label, fontsize=9, color=INK)
    return page_png(page)
