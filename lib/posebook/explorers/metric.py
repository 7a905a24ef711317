"""MetricExplorer: spoil a skeleton in one way at a time and watch which metric notices."""

import ipywidgets as widgets
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from posebook.explorers.base import Explorer, dropdown, live, move, slider
from posebook.joints import H36M17, JointSet
from posebook.metrics import auc, mpjpe, n_mpjpe, pa_mpjpe, pck, root_relative
from posebook.plots.skeleton import bone_points, skeleton_figure
from posebook.plots.style import scene, upright

MIRRORS = ("no", "reflect x", "swap left and right names")
PERCENT = ("PCK@150", "AUC")
NO_ALIGNMENT = "MPJPE without alignment"


def spoil(
    joints: np.ndarray, joint_set: JointSet, shift: np.ndarray, scale: float, turn: float, mirror: str,
    joint: str, offset: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Move one joint, mirror, scale and turn about the root, then shift everything.

    Args:
        joints: (J, 3) metres, camera frame.
        shift: (3,) metres for all joints.
        scale: factor about the root.
        turn: degrees about the camera's y axis through the root.
        mirror: one of MIRRORS.
        joint: name of the joint that `offset` (3,) metres moves first.

    Returns:
        (J, 3) float64
    """
    moved = np.array(joints, dtype=float)
    moved[joint_set.index(joint)] += offset
    root = moved[list(joint_set.root)].mean(0)
    local = moved - root
    if mirror == "reflect x":
        local = local * [-1, 1, 1]
    if mirror == "swap left and right names":
        local = local[list(joint_set.flip)]
    turned = Rotation.from_euler("y", turn, degrees=True).apply(scale * local)
    return turned + root + shift


def score(pred: np.ndarray, target: np.ndarray, joint_set: JointSet) -> dict[str, float]:
    """Every metric of one skeleton (J, 3), metres; all but the first after moving both roots to 0."""
    pred, target = torch.as_tensor(pred), torch.as_tensor(target, dtype=torch.float64)
    values = {NO_ALIGNMENT: mpjpe(pred, target).item()}
    pred, target = (root_relative(x, joint_set.root)[None] for x in (pred, target))
    metrics = {"MPJPE": mpjpe, "N-MPJPE": n_mpjpe, "PA-MPJPE": pa_mpjpe, "PCK@150": pck, "AUC": auc}
    return values | {name: metric(pred, target).item() for name, metric in metrics.items()}


class MetricExplorer(Explorer):
    """A true skeleton (pale) and a spoiled copy (strong), with every metric of the copy.

    Attributes:
        joint, offset: the joint that is moved, and by how many millimetres in x, y, z.
        shift, scale, turn, mirror: what is done to all joints.
        values: metric name -> value; millimetres, or percent for PCK and AUC.
        table: the same as HTML.

    Args:
        target: (J, 3) metres, camera frame.
    """

    def __init__(self, target: np.ndarray, joint_set: JointSet = H36M17):
        self.target, self.joint_set = np.asarray(target, dtype=float), joint_set
        self.joint = dropdown("joint", joint_set.names)
        self.joint.value = joint_set.names[-1]
        self.offset = [slider(f"joint {axis} (mm)", -400, 400, step=10) for axis in "xyz"]
        self.shift = [slider(f"all {axis} (mm)", -500, 500, step=10) for axis in "xyz"]
        self.scale = slider("scale", 0.5, 1.5, 1.0, 0.01)
        self.turn = slider("turn (°)", -180, 180)
        self.mirror = dropdown("mirror", MIRRORS)
        self.table = widgets.HTML()
        pair = [self.target, self.target]
        self.figure = live(skeleton_figure(pair, joint_set, ["moved", "true"]))
        controls = [*self.offset, *self.shift, self.scale, self.turn, self.mirror]
        self.watch([self.joint, *controls], self.update)
        left = widgets.VBox([self.joint, *self.offset, self.mirror])
        right = widgets.VBox([*self.shift, self.scale, self.turn])
        super().__init__([widgets.HBox([left, right, self.table]), self.figure])
        self.update()

    def moved(self) -> np.ndarray:
        """The spoiled copy (J, 3), metres."""
        shift, offset = (np.array([s.value for s in group]) / 1000 for group in (self.shift, self.offset))
        how = (self.scale.value, self.turn.value, self.mirror.value)
        return spoil(self.target, self.joint_set, shift, *how, self.joint.value, offset)

    def update(self) -> None:
        """Spoil, score, redraw."""
        moved = self.moved()
        self.values = score(moved, self.target, self.joint_set)
        with self.figure.batch_update():
            move(self.figure.data[0], bone_points(upright(moved, "camera"), self.joint_set)[0])
            space = scene(upright(np.concatenate((moved, self.target)), "camera"))
            self.figure.layout.scene.update({name: axis for name, axis in space.items() if "axis" in name})
        texts = {n: f"{v:.1f} {'%' if n in PERCENT else 'mm'}" for n, v in self.values.items()}
        rows = [f"<tr><td>{name}</td><td align='right'>{text}</td></tr>" for name, text in texts.items()]
        self.table.value = f"<table>{''.join(rows)}</table>"
