"""FlowExplorer: slide a pose along latent directions of the prior, bend a joint, and read its likelihood."""

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch

from posebook.errors import PosebookError
from posebook.explorers.base import Explorer, dropdown, host, live, slider
from posebook.explorers.flat_skeleton import flat_figure, flat_traces, move_flat, page
from posebook.models.selfsup import PosePrior, axis_major, check_prior
from posebook.plots.style import BLUE, GREY, VERMILION, figure

MIDDLE = "latent zero"
SPREAD = 3.0  # standard deviations of latent numbers


class FlowExplorer(Explorer):
    """A pose decoded from the flow's latent numbers, and where its likelihood lies among the given poses'.

    The latent axes of a flow mean nothing by themselves, so the sliders follow the directions that move the middle pose
    most (singular vectors of the decoder's Jacobian there), largest first.

    Attributes:
        start: the pose whose latent numbers are the start, "latent zero" or a number.
        along: sliders, standard deviations along the directions.
        joint, bend: the joint that is moved afterwards, and by how many per cent of the set's scale in x and y.
        shown: (J, 2) the pose. likelihood: its log-likelihood. share: per cent of the given poses that are less likely.
        outside: per cent of the bend that the kept components do not represent, and the likelihood cannot see.
        figure, curve: FigureWidgets; the pose, and the likelihoods of all poses with the pose's.
        caption: HTML with the numbers.

    Args:
        prior: trained.
        poses: (N, J, 2) normalised, to compare with.
        directions: sliders.

    Raises:
        PosebookError: poses that are not the prior's.
    """

    def __init__(self, prior: PosePrior, poses, directions: int = 5):
        self.poses, self.prior, self.joints = torch.as_tensor(poses).detach().float(), prior, prior.structure.joints
        check_prior(self.poses, prior.structure)
        if not 1 <= directions <= prior.flow.count:
            raise PosebookError(f"The flow has {prior.flow.count} directions, {directions} asked for.")
        self.axes = latent_directions(prior)[:directions]  # (directions, K)
        with torch.no_grad():
            self.latents, self.likelihoods = prior.latent(self.poses), prior.log_likelihood(self.poses)
        self.start = dropdown("start", [MIDDLE, *range(len(self.poses))])
        self.along = [slider(f"direction {i + 1}", -SPREAD, SPREAD, step=0.1) for i in range(directions)]
        self.joint = dropdown("joint", self.joints.names)
        self.joint.value = self.joints.names[-1]
        self.bend = [slider(f"bend {axis} (%)", -100, 100, step=5) for axis in "xy"]
        self.reset = widgets.Button(description="reset")
        self.caption = widgets.HTML()
        self.look()
        self._figures()
        self.watch([self.start, *self.along, self.joint, *self.bend], self.update)
        self.reset.on_click(lambda _: self.clear())
        left = widgets.VBox([self.start, *self.along])
        right = widgets.VBox([self.joint, *self.bend, self.reset, self.caption])
        super().__init__([widgets.HBox([left, right]), widgets.HBox([self.figure, self.curve])])
        self.update()

    def _figures(self) -> None:
        reach = 1.05 * float(self.poses.abs().max())
        strong, pale = (flat_traces(self.shown, self.joints, *style) for style in (("pose", 0), ("start", 1)))
        self.figure = live(flat_figure([*pale, *strong], "", reach))
        self.curve = live(likelihood_figure(self.likelihoods.numpy()))

    def clear(self) -> None:
        """All sliders to zero."""
        for control in (*self.along, *self.bend):
            control.value = 0

    @torch.no_grad()
    def look(self) -> None:
        """Decode, bend, and judge."""
        begin = torch.zeros_like(self.latents[:1])
        if self.start.value != MIDDLE:
            begin = self.latents[[self.start.value]]
        moved = begin + torch.tensor([[s.value for s in self.along]]) @ self.axes
        self.begin, straight = self.prior.decode(begin)[0], self.prior.decode(moved)
        bent = straight.clone()
        scale = 0.1 / 100  # the normalised set's scale is 0.1
        bent[0, self.joints.index(self.joint.value)] += scale * torch.tensor([s.value for s in self.bend])
        self.shown = bent[0]
        self.likelihood = float(self.prior.log_likelihood(bent))
        self.share = 100 * float((self.likelihoods < self.likelihood).float().mean())
        self.outside = outside_share(self.prior, bent - straight)

    def update(self) -> None:
        """Look and redraw."""
        self.look()
        half = len(self.figure.data) // 2
        with self.figure.batch_update():
            move_flat(self.figure.data[:half], self.begin, self.joints)
            move_flat(self.figure.data[half:], self.shown, self.joints)
            self.figure.layout.title.text = f"log-likelihood {self.likelihood:.1f}"
        with self.curve.batch_update():
            low = self.curve.layout.xaxis.range[0]
            self.curve.data[1].x = [max(self.likelihood, low)] * 2
            self.curve.layout.title.text = f"{self.share:.0f} % of the poses are less likely"
        lost = f"<br>{self.outside:.0f} % of the bend lies outside the kept components." if self.outside > 0 else ""
        text = f"log-likelihood {self.likelihood:.2f}, above {self.share:.0f} % of the given poses.{lost}"
        self.caption.value = f"<p>{text}</p>"

    def png(self) -> bytes:
        """PNG of the pose and of the likelihoods."""
        return page([self.figure, self.curve])


def latent_directions(prior: PosePrior) -> torch.Tensor:
    """Unit directions of the latent space, those first that move the pose at latent zero most: (K, K) rows."""
    middle = torch.zeros(prior.flow.count, dtype=prior.mean.dtype, device=prior.mean.device)
    decode = lambda z: axis_major(prior.decode(z[None]))[0]  # noqa: E731
    jacobian = torch.autograd.functional.jacobian(decode, middle)  # (2 J, K)
    return torch.linalg.svd(jacobian).Vh


def outside_share(prior: PosePrior, change: torch.Tensor) -> float:
    """Per cent of a change of pose (1, J, 2), as a length, that the prior's components do not represent."""
    numbers = axis_major(change)
    size = float(numbers.norm())
    inside = numbers @ prior.components.T @ prior.components
    return 100 * float((numbers - inside).norm()) / size if size > 1e-9 else 0.0


def likelihood_figure(values: np.ndarray) -> go.Figure:
    """Histogram of log-likelihoods as a line, and a vertical line for one pose; the least likely 1 % set the range."""
    low, high = np.quantile(values, 0.01), values.max()
    low, high = low - max(high - low, 1e-3), high + 0.1 * (high - low)
    counts, edges = np.histogram(values.clip(low, high), bins=30, range=(low, high))
    share = 100 * counts / len(values)
    traces = [
        go.Scatter(x=(edges[1:] + edges[:-1]) / 2, y=host(share), name="given poses", mode="lines",
                   line={"color": BLUE if len(values) > 1 else GREY}),
        go.Scatter(x=[0, 0], y=[0, share.max()], name="this pose", mode="lines", line={"color": VERMILION, "width": 3}),
    ]  # fmt: skip
    chart = figure(traces, "", 400, width=420)
    chart.update_xaxes(title={"text": "log-likelihood"}, range=[float(low), float(high)])
    return chart.update_yaxes(title={"text": "% of poses"}, rangemode="tozero")
