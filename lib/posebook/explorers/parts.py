"""PartsExplorer: turn a person, paint their parts, spoil the painting, and watch the body that is fitted to it."""

import base64
import io
from collections.abc import Sequence
from typing import NamedTuple

import ipywidgets as widgets
import numpy as np
import plotly.graph_objects as go
import torch
from matplotlib.figure import Figure
from PIL import Image
from scipy.spatial.transform import Rotation

from posebook.body import load_assets, load_body, part_groups
from posebook.data.body_batches import BodyBatches
from posebook.data.camera import crop_box, crop_K, full_K, project
from posebook.data.degrade import DEGRADATIONS, degrade
from posebook.data.inputs import PART_INPUTS, group_palette, network_input
from posebook.data.part_maps import render_parts
from posebook.errors import PosebookError
from posebook.explorers.base import WIDE, Explorer, dropdown, host, live, move, slider
from posebook.explorers.body import REACH
from posebook.metrics import confusion_matrix, mpjpe, part_scores
from posebook.models.nbf import NeuralBodyFitting
from posebook.plots.images import draw_image, page_png
from posebook.plots.mesh import face_tint, mesh_trace
from posebook.plots.style import EYE, GREY, INK, figure, scene, upright
from posebook.plots.twin3d import draw_scene
from posebook.profile import DataProfile

PICTURES = (*PART_INPUTS, "joints")  # no "rgb": nobody photographed the person from the other side
PEOPLE = 8  # rows to choose from, unless the caller names them
SCORED = 12  # parts of the F1
GHOST = 0.3  # opacity of the true body where a fitted one is to be seen through it
NO_NETWORK = "no trained network for this input"


class View(NamedTuple):
    """The true body as a camera with a fresh crop sees it; metres, camera frame."""

    vertices: np.ndarray  # (V, 3)
    joints: np.ndarray  # (24, 3)
    K: np.ndarray  # (3, 3) of the crop, pixels


class PartsExplorer(Explorer):
    """From a true body to a part map to a fitted body.

    The person is turned about the picture's vertical axis through the pelvis, drawn anew as 24 parts in a fresh crop,
    and shown to the network of the chosen input: nothing is looked up, each change of a control is a new fit.

    Attributes:
        person: slider over `rows`. turn: degrees. parts: one of PICTURES. kind: one of DEGRADATIONS.
        amount: dial of the degradation, 0 to 1. The same chance at every amount, so that errors only grow.
        clean, labels: (H, W) uint8 24-part labels before and after degradation.
        pixels: (H, W, 3) uint8, the picture that the network sees; `picture` is the FigureWidget that shows it.
        view: the turned true body. figure: FigureWidget, traces "true" and "fitted", both with the pelvis at 0.
        f1: mean over 12 parts of `labels` against `clean`, a fraction. caption: Label with both scores.
        fit: the network's NBFOutput of batch 1, or None. error: its MPJPE over the 24 joints in mm, or None.

    Args:
        batches: test set with its true bodies.
        models: input -> network that was trained on palette pictures of it. They are put into eval mode.
        rows: of the test set, to choose from; PEOPLE rows spread over it by default.

    Raises:
        PosebookError: no rows, rows beyond the set, networks of unknown inputs or of one-hot pictures.
    """

    def __init__(self, batches: BodyBatches, models: dict[str, NeuralBodyFitting] | None = None,
                 rows: Sequence[int] | None = None):  # fmt: skip
        self.batches, self.models = batches, check_models(models or {})
        self.rows = check_rows(rows, len(batches))
        self.body, self.assets = load_body(level="coarse"), load_assets("coarse")
        self.person = widgets.IntSlider(0, 0, len(self.rows) - 1, description="person", style=WIDE)
        self.turn = slider("turn (°)", -180, 180)
        self.parts, self.kind = dropdown("input", PICTURES), dropdown("degradation", DEGRADATIONS)
        self.parts.value = next(iter(self.models), "parts12")
        self.amount = slider("amount", 0, 1, step=0.05)
        self.caption = widgets.Label()
        self.picture, self.figure = live(picture_figure(batches.size)), live(self._bodies())
        self.watch([self.person], self.choose)
        self.watch([self.turn], self.look)
        self.watch([self.parts], self.paint)
        self.watch([self.kind, self.amount], self.update)
        bars = widgets.VBox([self.person, self.turn]), widgets.VBox([self.parts, self.kind, self.amount])
        super().__init__([widgets.HBox(bars), self.caption, widgets.HBox([self.picture, self.figure])])
        self.tint()
        self.choose()

    def _bodies(self) -> go.Figure:
        true, fitted = (mesh_trace(self.assets.template, self.assets.faces, name=n) for n in ("true", "fitted"))
        return figure([true, fitted], height=420, width=460, scene=scene(REACH, EYE), margin={"t": 40})

    def choose(self) -> None:
        """Another person: pose the true body."""
        batch = self.batches.get([self.rows[self.person.value]])
        self.vertices = self.posed(batch.betas, batch.relative)
        self.joints, self.root = host(batch.joints3d[0]), host(batch.root[0])
        self.look()

    @torch.no_grad()
    def posed(self, betas: torch.Tensor, relative: torch.Tensor) -> np.ndarray:
        """(V, 3) metres, camera frame, pelvis at 0, of (1, 10) betas and (1, 24, 3, 3) rotations."""
        betas, relative = betas.cpu().float(), relative.cpu().float()
        out = self.body(betas=betas, global_orient=relative[:, :1], body_pose=relative[:, 1:], pose2rot=False)
        return (out.vertices[0] - out.joints[0, 0]).numpy()  # each level has its own pelvis, millimetres apart

    def turned(self) -> View:
        """The true body after `turn`, and a crop round it."""
        R = Rotation.from_euler("y", self.turn.value, degrees=True).as_matrix().astype(np.float32)
        vertices, joints = (points @ R.T + self.root for points in (self.vertices, self.joints))
        box = crop_box(project(vertices, full_K()), self.batches.dataset.manifest.get("margin", DataProfile.margin))
        return View(vertices, joints, crop_K(full_K(), box, self.batches.size))

    def look(self) -> None:
        """Turn the true body and draw its part map."""
        self.view = view = self.turned()
        mesh = self.assets.faces, self.assets.part_of_face
        self.clean = render_parts(view.vertices, *mesh, view.K, self.batches.size)
        self.update()

    def paint(self) -> None:
        """Another input: other colours, another network."""
        self.kind.disabled = self.amount.disabled = self.parts.value == "joints"
        self.tint()
        self.update()

    def update(self) -> None:
        """Degrade the part map, fit, show."""
        self.labels = self._degraded()
        self.f1 = mean_f1(self.labels, self.clean)
        drawn = self.drawn()
        self.pixels = ((drawn[0].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
        self.fit = self._fitted(drawn)
        joints = torch.from_numpy(self.view.joints - self.view.joints[:1])
        self.error = None if self.fit is None else mpjpe(self.fit.joints[0].cpu(), joints).item()
        self._show()

    def _degraded(self) -> np.ndarray:
        """`clean` after the dial; the same draw for a person whatever the other controls say."""
        if self.parts.value == "joints":
            return self.clean
        chance = torch.Generator().manual_seed(self.rows[self.person.value])
        return degrade(torch.from_numpy(self.clean)[None], self.kind.value, self.amount.value, chance)[0].numpy()

    def drawn(self) -> torch.Tensor:
        """(1, 3, H, W) in [-1, 1], what the network sees."""
        blank = torch.zeros(1, 3, self.batches.size, self.batches.size)
        pixels = torch.from_numpy(project(self.view.joints, self.view.K))[None]
        return network_input(self.parts.value, blank, torch.from_numpy(self.labels)[None], pixels)

    @torch.no_grad()
    def _fitted(self, drawn: torch.Tensor):
        model = self.models.get(self.parts.value)
        return None if model is None else model(drawn.to(model.mean.device))

    def _show(self) -> None:
        name, fit = self.parts.value, self.fit
        score = "degradations are for part maps" if name == "joints" else f"mean F1 of {SCORED} parts {self.f1:.2f}"
        says = NO_NETWORK if fit is None else f"MPJPE of the fit {self.error:.0f} mm over 24 joints"
        self.caption.value = f"{name}: {score}; {says}"
        self.picture.data[0].source = source(self.pixels)
        with self.figure.batch_update():
            true, fitted = self.figure.data
            move(true, upright(self.view.vertices - self.view.joints[0], "camera"))
            if fit is not None:
                move(fitted, upright(self.posed(fit.betas, fit.relative), "camera"))

    def tint(self) -> None:
        """Colour the fitted body as the picture, the true one as a grey ghost; without a network, the true one."""
        count = PART_INPUTS.get(self.parts.value, 24)
        groups = None if count == 1 else part_groups(count)[self.assets.part_of_face]
        colours = face_tint(groups, None if groups is None else group_palette(count))
        fits = self.parts.value in self.models
        with self.figure.batch_update():
            true, fitted = self.figure.data
            true.update(opacity=GHOST if fits else 1.0, **(face_tint(None) | {"color": GREY} if fits else colours))
            fitted.update(visible=fits, **colours)
            self.figure.layout.title.text = "fitted body in colours, true body grey" if fits else "true body"

    def png(self) -> bytes:
        """Picture and bodies side by side, the scores above."""
        page = Figure(figsize=(7.0, 3.9), dpi=100)
        left, right = (page.add_axes((x, 0.02, 0.47, 0.47 * 7.0 / 3.9)) for x in (0.02, 0.51))
        draw_image(left, self.pixels)
        left.set_axis_off()
        draw_scene(right, self.figure)
        right.set(xlim=(-0.8, 0.8), ylim=(-0.8, 0.8))
        left.set_title("what the network sees", fontsize=9, color=INK)
        right.set_title(self.figure.layout.title.text, fontsize=9, color=INK)
        page.suptitle(self.caption.value, fontsize=10, color=INK)
        return page_png(page)


def check_models(models: dict[str, NeuralBodyFitting]) -> dict[str, NeuralBodyFitting]:
    """Networks by input, in eval mode."""
    for name, model in models.items():
        if name not in PICTURES:
            raise PosebookError(f"models: expected inputs among {', '.join(PICTURES)}, got {name!r}.")
        found = model.trunk.conv1.in_channels
        if found != 3:
            raise PosebookError(f"models[{name!r}]: expected a network of palette pictures (3 channels), got one of "
                                f"{found} channels. Train with encoding=\"palette\".")  # fmt: skip
        model.eval()
    return dict(models)


def check_rows(rows: Sequence[int] | None, count: int) -> list[int]:
    """Rows of a set of `count`; PEOPLE of them spread evenly if None."""
    if rows is None:
        rows = np.unique(np.linspace(0, count - 1, min(PEOPLE, count)).round().astype(int)) if count else []
    rows = [int(row) for row in rows]
    if not rows or min(rows) < 0 or max(rows) >= count:
        raise PosebookError(f"Expected rows 0 to {count - 1} of a test set with at least one picture, got {rows}.")
    return rows


def mean_f1(labels: np.ndarray, clean: np.ndarray) -> float:
    """Mean F1 over SCORED parts of 24-part labels (H, W)."""
    groups = part_groups(SCORED)
    return part_scores(confusion_matrix(groups[labels], groups[clean], SCORED + 1)).mean_f1


def picture_figure(size: int) -> go.Figure:
    """Empty figure of one picture of size x size pixels, pixel edges at whole numbers."""
    chart = figure([go.Image(x0=0.5, y0=0.5, source=source(np.zeros((size, size, 3), np.uint8)), hoverinfo="skip")],
                   "what the network sees", 420, width=380, margin={"t": 40})  # fmt: skip
    chart.update_xaxes(visible=False, range=[0, size])
    return chart.update_yaxes(visible=False, range=[size, 0], scaleanchor="x")


def source(pixels: np.ndarray) -> str:
    """(H, W, 3) uint8 as a PNG in a data URI: a hundredth of the numbers written out."""
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, format="png")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
