"""Skeletons in 3D: any joint set, several over one another or side by side, left blue and right orange."""

import numpy as np
import plotly.graph_objects as go

from posebook.errors import PosebookError
from posebook.joints import JointSet
from posebook.plots.style import SIDES, VIEWS, figure3d, upright

GAP = 0.25  # metres between skeletons side by side


def side(name: str) -> int:
    """0 for a left joint, 1 for a right one, 2 for the middle."""
    return 0 if name.startswith("left") else 1 if name.startswith("right") else 2


def bone_points(joints: np.ndarray, joint_set: JointSet) -> tuple[np.ndarray, np.ndarray]:
    """All bones as one polyline with breaks.

    Args:
        joints: (J, 3) or (J, 2).

    Returns:
        (3 * bones, 3 or 2) parent, child, NaN per bone, and (3 * bones,) uint8 side of the child (see `side`).
    """
    joints = np.asarray(joints, dtype=np.float32)
    if joints.ndim != 2 or len(joints) != len(joint_set):
        raise PosebookError(f"Expected {len(joint_set)} rows, the joints of {joint_set.name}; got {joints.shape}.")
    gap = np.full(joints.shape[1], np.nan, dtype=np.float32)
    points = np.stack([p for parent, child in joint_set.bones for p in (joints[parent], joints[child], gap)])
    sides = np.repeat([side(joint_set.names[child]) for _, child in joint_set.bones], 3)
    return points, sides.astype(np.uint8)


def skeleton_trace(
    joints: np.ndarray, joint_set: JointSet, name: str = "", rank: int = 0, frame: str = "camera"
) -> go.Scatter3d:
    """One skeleton as one line trace with markers at the joints.

    Args:
        joints: (J, 3) metres.
        name: legend entry, which `figure3d` adds as a trace of its own.
        rank: 0 for the strongest colours, 1 and 2 for skeletons behind it.
        frame: "camera" or "world", the frame of `joints`.
    """
    points, sides = bone_points(upright(joints, frame), joint_set)
    tint = {"color": [SIDES[rank % len(SIDES)][s] for s in sides]}
    text = [n for parent, child in joint_set.bones for n in (joint_set.names[parent], joint_set.names[child], "")]
    return go.Scatter3d(
        x=points[:, 0], y=points[:, 1], z=points[:, 2], name=name or joint_set.name, mode="lines+markers", text=text,
        hoverinfo="text+name", line={"width": 7 - 2 * min(rank, 2), **tint}, marker={"size": 3, **tint},
        showlegend=False, legendgroup=name or None,
    )  # fmt: skip


def skeleton_figure(
    skeletons: list[np.ndarray] | np.ndarray,
    joint_set: JointSet | list[JointSet],
    names: list[str] | None = None,
    side_by_side: bool = False,
    frame: str = "camera",
    title: str = "",
    view: str = "front",
) -> go.Figure:
    """Draw one or several skeletons in one scene.

    Args:
        skeletons: (J, 3) or a list of (J, 3), metres.
        joint_set: one for all, or one for each.
        names: legend entries.
        side_by_side: put them next to one another along x; the title then lists the names from left to right.
        frame: "camera" or "world", the frame of the joints.
        view: "front" or "side", where the reader starts.
    """
    if view not in VIEWS:
        raise PosebookError(f"Unknown view {view!r}: expected one of {', '.join(VIEWS)}.")
    skeletons = [skeletons] if np.ndim(skeletons[0]) == 1 else list(skeletons)
    sets = list(joint_set) if isinstance(joint_set, list | tuple) else [joint_set] * len(skeletons)
    names = list(names) if names else [""] * len(skeletons)
    if not len(skeletons) == len(sets) == len(names):
        raise PosebookError(f"Got {len(skeletons)} skeletons, {len(sets)} joint sets and {len(names)} names.")
    if side_by_side:
        skeletons = spread(skeletons)
        title = ": ".join(text for text in (title, ", ".join(filter(None, names))) if text)
        names = [""] * len(names)
    ranks = [0] * len(skeletons) if side_by_side else range(len(skeletons))
    traces = [skeleton_trace(s, j, n, r, frame) for s, j, n, r in zip(skeletons, sets, names, ranks, strict=True)]
    return figure3d(traces, title, eye=VIEWS[view])


def spread(skeletons: list[np.ndarray]) -> list[np.ndarray]:
    """Move skeletons next to one another along x, the first one leftmost, each centred in its own width."""
    moved, edge = [], 0.0
    for joints in skeletons:
        joints = np.asarray(joints, dtype=np.float32)
        low, high = joints[:, 0].min(), joints[:, 0].max()
        centre = joints.mean(0) * np.float32([0, 1, 1])  # same height and depth for all
        moved.append(joints - centre + np.float32([edge - low, 0, 0]))
        edge += float(high - low) + GAP
    return moved
