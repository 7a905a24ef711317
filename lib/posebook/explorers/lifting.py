"""LiftingExplorer: turn the virtual camera round a lifted pose and see what each loss term says."""

import math

import ipywidgets as widgets
import torch

from posebook.errors import PosebookError
from posebook.explorers.base import WIDE, Explorer, host, live, move, slider
from posebook.explorers.flat_skeleton import flat_figure, flat_traces, move_flat, page
from posebook.models.selfsup import Lifter, LossWeights, PosePrior, Views, check_prior, pose_losses, run_cycle
from posebook.models.selfsup.rotation import rotation_x, rotation_y
from posebook.plots.skeleton import bone_points, skeleton_trace
from posebook.plots.style import EYE, figure3d, scene, upright

MEANINGS = {
    "two_d": "first pose against the reprojected one",
    "three_d": "first lift, turned, against the second lift",
    "deformation": "difference to the partner, before and after",
    "flow": "how unlikely the turned pose is",
    "bones": "relative bone lengths against their means",
}


class LiftingExplorer(Explorer):
    """One pose through the cycle: lift, turn, project, lift again, turn back, project.

    Attributes:
        pose: slider over N. azimuth, elevation: sliders, degrees, of R = Rx(elevation) Ry(azimuth) Rx(own angle).
        level: checkbox; off, the lifter's own angle is taken as 0.
        cycle: Cycle of the pose and its partner, the next pose (for the deformation term).
        values: term -> unweighted value for this pose. weighted: term -> times its weight.
        first, second, scene: FigureWidgets: the given and the reprojected pose, the turned pose, both lifts in 3D.
        table: the terms as HTML.

    Args:
        lifter: of the prior's joints.
        prior: judges turned poses; names the structure.
        poses: (N, J, 2) normalised, N >= 2.
        weights: of the losses.

    Raises:
        PosebookError: poses that are not the structure's, fewer than two.
    """

    def __init__(self, lifter: Lifter, prior: PosePrior, poses, weights: LossWeights | None = None):
        self.poses = torch.as_tensor(poses).detach().float()
        check_prior(self.poses, prior.structure)
        if lifter.num_joints != self.poses.shape[1]:
            raise PosebookError(f"The lifter has {lifter.num_joints} joints, the poses {self.poses.shape[1]}.")
        self.lifter, self.prior, self.weights = lifter, prior, weights or LossWeights()
        self.joints = prior.structure.joints
        self.pose = widgets.IntSlider(0, 0, len(self.poses) - 1, description="pose", style=WIDE)
        self.azimuth, self.elevation = slider("azimuth (°)", -180, 180, 60), slider("elevation (°)", -60, 60)
        self.level = widgets.Checkbox(True, description="level by the lifter's angle", style=WIDE)
        self.table = widgets.HTML()
        self.run()
        self._figures()
        self.watch([self.pose, self.azimuth, self.elevation, self.level], self.update)
        bar = widgets.VBox([self.pose, self.azimuth, self.elevation, self.level])
        super().__init__([widgets.HBox([bar, self.table]), widgets.HBox([self.first, self.second, self.scene])])
        self.update()

    def _figures(self) -> None:
        reach = 1.05 * float(self.poses.abs().max())
        pose, again, turned = self._flat()
        given = flat_traces(pose, self.joints, "given", 0)
        self.first = live(flat_figure([*flat_traces(again, self.joints, "after the cycle", 1), *given], "", reach))
        self.second = live(flat_figure(flat_traces(turned, self.joints, "turned", 0), "", reach))
        lifts = [host(p[0]) for p in (self.cycle.turned, self.cycle.turned_again)]
        names = ("first lift", "second lift")
        traces = [skeleton_trace(p, self.joints, n, r) for p, n, r in zip(lifts, names, range(2), strict=True)]
        self.scene = live(figure3d(traces, "both lifts, turned", height=400))
        box = 11 * reach * torch.tensor([[-1.0, -1, -1], [1, 1, 1]])
        self.scene.update_layout(scene=scene(host(box), EYE), width=400)
        self.figure = self.first

    def _flat(self):
        return self.cycle.pose[0], self.cycle.pose_again[0], self.cycle.turned_pose[0]

    def views(self, angle: torch.Tensor) -> Views:
        """The views that the sliders ask for, for angles (B,)."""
        own = angle if self.level.value else torch.zeros_like(angle)
        tilt, around = (torch.full_like(angle, math.radians(s.value)) for s in (self.elevation, self.azimuth))
        return Views(tilt, around, own, rotation_x(tilt) @ rotation_y(around) @ rotation_x(own))

    @torch.no_grad()
    def run(self) -> None:
        """One cycle of the pose and its partner, and the terms of the pose."""
        rows = [self.pose.value, (self.pose.value + 1) % len(self.poses)]
        structure = self.prior.structure
        self.cycle = run_cycle(self.lifter, self.poses[rows], self.views, structure.root)
        pair = pose_losses(self.cycle, self.prior, structure)
        twice = run_cycle(self.lifter, self.poses[rows[:1] * 2], self.views, structure.root)
        alone = pose_losses(twice, self.prior, structure)  # means over the same pose twice: its own terms
        terms = alone._replace(deformation=pair.deformation)._asdict()
        self.values = {name: float(value) for name, value in terms.items()}
        self.weighted = {name: getattr(self.weights, name) * value for name, value in self.values.items()}

    def update(self) -> None:
        """Run, redraw, rewrite the table."""
        self.run()
        pose, again, turned = self._flat()
        half, own = len(self.first.data) // 2, math.degrees(float(self.cycle.first.angle[0]))
        with self.first.batch_update():
            move_flat(self.first.data[:half], again, self.joints)
            move_flat(self.first.data[half:], pose, self.joints)
            self.first.layout.title.text = f"first view, L_2D {self.values['two_d']:.3f}"
        with self.second.batch_update():
            move_flat(self.second.data, turned, self.joints)
            self.second.layout.title.text = f"second view, L_NF {self.values['flow']:.1f}"
        with self.scene.batch_update():
            for trace, points in zip(self.scene.data, (self.cycle.turned, self.cycle.turned_again), strict=False):
                move(trace, bone_points(upright(host(points[0]), "camera"), self.joints)[0])
        rows = [self._row(name) for name in self.values]
        head = f"<p>The lifter's angle: {own:.1f}°. Sum of weighted terms: {sum(self.weighted.values()):.3f}</p>"
        titles = "<tr><td><b>term</b></td><td><b>value</b></td><td><b>times weight</b></td><td></td></tr>"
        self.table.value = f"{head}<table>{titles}{''.join(rows)}</table>"

    def _row(self, name: str) -> str:
        numbers = f"<td align='right'>{self.values[name]:.3f}</td><td align='right'>{self.weighted[name]:.3f}</td>"
        return f"<tr><td>{name}</td>{numbers}<td>{MEANINGS[name]}</td></tr>"

    def text(self) -> str:
        """The table as lines of text."""
        own = math.degrees(float(self.cycle.first.angle[0]))
        lines = [f"azimuth {self.azimuth.value:.0f}°, elevation {self.elevation.value:.0f}°",
                 f"the lifter's angle {own:.1f}°", "", f"{'term':12}{'value':>9}{'weighted':>10}"]  # fmt: skip
        lines += [f"{name:12}{value:9.3f}{self.weighted[name]:10.3f}" for name, value in self.values.items()]
        return "\n".join([*lines, f"{'sum':12}{'':9}{sum(self.weighted.values()):10.3f}"])

    def png(self) -> bytes:
        """PNG of both views, both lifts and the table."""
        return page([self.first, self.second, self.scene], self.text())
