"""BodyExplorer: pose and shape sliders on the free body, part colours, joint sets over it."""

import ipywidgets as widgets
import numpy as np
import torch

from posebook.body import PALETTE, load_assets, load_body, part_groups
from posebook.explorers.base import Explorer, dropdown, live, move, slider
from posebook.joints import COCO17, H36M17, LSP14, SMPL24
from posebook.own_body import FREE
from posebook.plots.mesh import face_tint, mesh_trace
from posebook.plots.skeleton import bone_points, skeleton_trace
from posebook.plots.style import EYE, figure, scene

BETAS = 4  # sliders; the later components move millimetres
PARTS = ("plain", 24, 12, 6, 3, 1)
OVERLAYS = {s.name: s for s in (SMPL24, H36M17, COCO17, LSP14)}
REACH = np.float32([[-0.95, -1.25, -0.95], [0.95, 0.95, 0.95]])  # metres round the pelvis that every pose stays in


class BodyExplorer(Explorer):
    """The free body with sliders.

    Attributes:
        joint: joint whose rotation the three `angles` sliders show.
        angles: degrees of its axis-angle vector, x y z.
        shape: the first betas.
        parts: colouring, one of PARTS.
        overlays: joint sets drawn over the body.
        pose: (24, 3) float32 radians, all joints.
        vertices: (V, 3) metres, what is shown.

    Args:
        level: of the body; "coarse" keeps the sliders fluent.
    """

    def __init__(self, level: str = "coarse"):
        self.body, self.assets = load_body(FREE, level=level), load_assets(level, FREE)
        self.pose, self._busy = np.zeros((24, 3), np.float32), False
        self.joint = dropdown("joint", SMPL24.names)
        self.joint.value = "left_shoulder"
        self.angles = [slider(f"rotate {axis} (°)", -150, 150) for axis in "xyz"]
        self.shape = [slider(f"beta {i}", -3, 3, step=0.1) for i in range(BETAS)]
        self.parts = widgets.Dropdown(options=PARTS, value="plain", description="parts")
        self.overlays = widgets.SelectMultiple(options=tuple(OVERLAYS), description="joint sets", rows=len(OVERLAYS))
        self.reset = widgets.Button(description="T-pose, mean shape", layout={"width": "auto"})
        self.stature = widgets.Label()
        self.figure = self._figure()
        self.joint.observe(lambda _: self._show_angles(), names="value")
        self.watch(self.angles, self._turn)
        self.watch([*self.shape, self.parts, self.overlays], self.update)
        self.reset.on_click(lambda _: self.clear())
        left = widgets.VBox([self.joint, *self.angles, self.parts])
        right = widgets.VBox([*self.shape, self.reset, self.stature])
        super().__init__([widgets.HBox([left, right, self.overlays]), self.figure])
        self.update()

    def _figure(self):
        body = mesh_trace(self.assets.template, self.assets.faces)
        sets = enumerate(OVERLAYS.values())
        empty = [skeleton_trace(np.zeros((len(s), 3)), s, "", rank, "world") for rank, s in sets]
        chart = figure([body, *empty], height=520)
        chart.layout.scene = scene(REACH, EYE)
        return live(chart)

    @property
    def betas(self) -> np.ndarray:
        """(10,) float32, zero beyond the sliders."""
        return np.float32([s.value for s in self.shape] + [0] * (10 - BETAS))

    def clear(self) -> None:
        """Back to T-pose and mean shape."""
        self.pose[:] = 0
        for control in self.shape:
            control.value = 0
        self._show_angles()
        self.update()

    def _show_angles(self) -> None:
        """Put the chosen joint's rotation into the sliders, without turning anything."""
        self._busy = True
        for control, angle in zip(self.angles, np.degrees(self.pose[SMPL24.index(self.joint.value)]), strict=True):
            control.value = float(angle)
        self._busy = False

    def _turn(self) -> None:
        if not self._busy:
            self.pose[SMPL24.index(self.joint.value)] = np.radians([s.value for s in self.angles])
            self.update()

    @torch.no_grad()
    def update(self) -> None:
        """Pose the body and redraw."""
        pose = torch.from_numpy(self.pose)
        out = self.body(
            betas=torch.from_numpy(self.betas)[None], global_orient=pose[None, 0], body_pose=pose[1:].reshape(1, 69)
        )
        pelvis = out.joints[0, 0]
        self.vertices = (out.vertices[0] - pelvis).numpy()
        sets = {"smpl24": (out.joints[0, :24] - pelvis).numpy()}
        sets |= {name: self.assets.regressors[name] @ self.vertices for name in OVERLAYS if name != "smpl24"}
        with self.figure.batch_update():
            mesh, *skeletons = self.figure.data
            move(mesh, self.vertices)
            mesh.update(opacity=0.35 if self.overlays.value else 1.0, **self._tint())
            for name, trace in zip(OVERLAYS, skeletons, strict=True):
                move(trace, bone_points(sets[name], OVERLAYS[name])[0])
                trace.visible = name in self.overlays.value
        self.stature.value = f"stature in T-pose: {self._stature():.2f} m"

    def _tint(self) -> dict:
        if self.parts.value == "plain":
            return face_tint(None)
        labels = part_groups(self.parts.value)[self.assets.part_of_face]
        return face_tint(labels, PALETTE)

    def _stature(self) -> float:
        """Metres from sole to crown of the unposed body of these betas."""
        offsets = torch.einsum("k,vk->v", torch.from_numpy(self.betas), self.body.shapedirs[:, 1])
        height = self.body.v_template[:, 1] + offsets
        return float(height.max() - height.min())
