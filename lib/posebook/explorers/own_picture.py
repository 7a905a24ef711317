"""OwnPictureExplorer: one's own picture, a box, and every method that has weights, over the picture and in space."""

from collections.abc import Sequence
from pathlib import Path

import ipywidgets as widgets
import numpy as np

from posebook.errors import PosebookError
from posebook.explorers.base import WIDE, Explorer, live, slider
from posebook.explorers.own_picture_figures import (
    Shown,
    box_shape,
    colour_of,
    overlay_trace,
    page,
    picture_figure,
    points_of,
    space_figure,
    space_traces,
)
from posebook.explorers.own_picture_files import guess_box, read_picture
from posebook.methods import FOCAL, Looked, Method, default_root_depth, look
from posebook.methods.method import DEPTH_MARGIN
from posebook.plots.style import scene
from posebook.video import box_table, open_frames
from posebook.video.frames import natural


class OwnPictureExplorer(Explorer):
    """Choose pictures, a box, a focal length, a root depth and methods.

    Attributes:
        upload: FileUpload; several files are frames, in the order of their names.
        frame: slider over the pictures.
        x, y, width, height: box of the frame shown, pixels; dragging over the picture sets them.
        focal: slider, pixels. depth: slider, metres from the camera to the root; where `auto` is ticked it follows from
            the box and the focal length.
        rows: the methods shown. apart: people in a row, else where each method says that they stand.
        people: what is shown, one `Shown` a method. status: HTML, who stands where, and what is missing.
        picture: FigureWidget of the picture. figure: FigureWidget of the people.

    Args:
        pictures: list of (H, W, 3) uint8 RGB, frames of one person; or what `open_frames` takes.
        box: (4,) x, y, width, height for all frames, or (T, 4); None looks for a person.
        methods: with weights.
        focal: pixels; of an unknown camera.
        missing: sentences about methods without weights, shown below.

    Raises:
        PosebookError: no picture, a box that is none.
    """

    def __init__(self, pictures, box, methods: Sequence[Method], focal: float = FOCAL, missing: Sequence[str] = ()):
        self.methods, self.missing = {m.name: m for m in methods}, list(missing)
        self.colours = {name: colour_of(i) for i, name in enumerate(self.methods)}
        self.people: list[Shown] = []
        self.showing = False
        self._controls(float(focal))
        self.picture, self.figure = live(picture_figure(np.zeros((8, 8, 3), np.uint8))), live(space_figure([]))
        self.picture.data[0].on_selection(lambda trace, points, selector: self.select(selector))
        self.take(pictures, box)
        self.upload.observe(lambda _: self.uploaded(), names="value")
        self.watch([self.frame], self.show_frame)
        self.watch([self.x, self.y, self.width, self.height], self.change_box)
        self.watch([self.rows], self.update)
        self.watch([self.focal, self.depth, self.auto, self.apart], self.update)
        bar = widgets.HBox([self.x, self.y, self.width, self.height])
        camera = widgets.HBox([self.focal, self.depth, self.auto])
        methods_bar = widgets.HBox([self.rows, widgets.VBox([self.apart, self.frame])])
        super().__init__([self.upload, bar, camera, methods_bar, self.status,
                          widgets.HBox([self.picture, self.figure])])  # fmt: skip
        self.update()

    def _controls(self, focal: float) -> None:
        self.upload = widgets.FileUpload(accept="image/*", multiple=True, description="own picture")
        short = {"description_width": "50px"}
        self.x, self.y, self.width, self.height = (
            widgets.FloatText(0, description=name, style=short, layout={"width": "150px"})
            for name in ("x", "y", "width", "height")
        )
        self.focal = slider("focal length, px", focal / 4, 4 * focal, focal, focal / 100)
        self.depth = slider("root depth, m", 0.2, 100, 4, 0.05)
        self.auto = widgets.Checkbox(True, description="depth from the box", indent=False)
        self.apart = widgets.Checkbox(True, description="side by side", indent=False)
        self.frame = widgets.IntSlider(0, 0, 0, description="frame", style=WIDE)
        self.rows = widgets.SelectMultiple(options=list(self.methods), value=list(self.methods), description="methods",
                                           rows=min(max(len(self.methods), 1), 6), style=WIDE)  # fmt: skip
        self.status = widgets.HTML()

    def take(self, pictures, box=None) -> None:
        """Other pictures; a box for all frames, one a frame, or None to look for a person."""
        self.pictures = list(open_frames(pictures))
        if box is None:
            box = guess_box(self.pictures[0])
        boxes = np.asarray(box, dtype=np.float64)
        if boxes.shape not in ((4,), (len(self.pictures), 4)) or not (boxes[..., 2:] > 0).all():
            raise PosebookError(
                f"Expected a box x, y, width, height in pixels, or one for each of {len(self.pictures)} frames, got "
                f"{boxes.tolist()}."
            )
        self.boxes = np.array(np.broadcast_to(boxes, (len(self.pictures), 4)))
        self.looked: dict[str, Looked | str] = {}
        self.frame.max, self.frame.value = len(self.pictures) - 1, 0
        self._show_box()
        self._show_picture()

    def uploaded(self) -> None:
        """Take the files of the upload button; what cannot be read is said, and the old picture stays."""
        files = sorted(self.upload.value, key=lambda f: natural(Path(f["name"])))
        try:
            self.take([read_picture(f["name"], bytes(f["content"])) for f in files])
        except PosebookError as error:
            self.status.value = f"<b>{error}</b>"
            return
        self.update()

    def select(self, selector) -> None:
        """A box drawn with the mouse."""
        (x0, x1), (y0, y1) = selector.xrange, selector.yrange
        self.set_box(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))

    def set_box(self, x: float, y: float, width: float, height: float) -> None:
        """All four numbers of the frame's box at once: the networks run once."""
        self.boxes[self.frame.value] = x, y, width, height
        self._show_box()
        self.looked = {}
        self.update()

    def change_box(self) -> None:
        """One of the four numbers was typed."""
        if self.showing:
            return
        typed = [control.value for control in (self.x, self.y, self.width, self.height)]
        if not np.allclose(typed, self.boxes[self.frame.value]):
            self.set_box(*typed)

    def show_frame(self) -> None:
        """Another frame."""
        self._show_box()
        self._show_picture()
        self.update()

    def _show_box(self) -> None:
        box = self.boxes[self.frame.value].tolist()
        self.showing = True  # the four controls change one after the other: no half-changed box is run
        for control, value in zip((self.x, self.y, self.width, self.height), box, strict=True):
            control.value = value
        self.showing = False

    def _show_picture(self) -> None:
        new = picture_figure(self.pictures[self.frame.value])
        with self.picture.batch_update():
            self.picture.update_layout(new.layout, overwrite=True)
            self.picture.data[0].update(x=new.data[0].x, y=new.data[0].y)

    def root_depth(self) -> float:
        """Metres: the slider's, or the default of the box."""
        if not self.auto.value:
            return self.depth.value
        side = self.boxes[self.frame.value, 2:].max() * DEPTH_MARGIN
        return default_root_depth(self.focal.value, side)

    def update(self) -> None:
        """Run what has not run yet, place everybody, and redraw."""
        row, depth = self.frame.value, self.root_depth()
        chosen = {name: self._look(name) for name in self.rows.value}
        self.people = [Shown(found.method, found.placed(row, self.focal.value, depth), self.colours[name])
                       for name, found in chosen.items() if isinstance(found, Looked)]  # fmt: skip
        self._redraw()
        told = [f"{p.method.name}: {p.placed.height:.2f} m tall in the picture, {p.placed.depth:.1f} m away"
                + (f" <i>({p.method.warning})</i>" if p.method.warning else "") for p in self.people]  # fmt: skip
        failed = [f"{name}: {found}" for name, found in chosen.items() if isinstance(found, str)]
        self.status.value = "<br>".join([*told, *failed, *self.missing])

    def _look(self, name: str) -> Looked | str:
        if name not in self.looked:
            count = len(self.pictures)
            try:
                boxes = box_table(np.arange(count), self.boxes, np.zeros(count))
                self.looked[name] = look(self.methods[name], self.pictures, boxes)
            except PosebookError as error:
                self.looked[name] = str(error)
        return self.looked[name]

    def _redraw(self) -> None:
        traces = space_traces(self.people, self.apart.value)
        with self.picture.batch_update():
            self.picture.data = self.picture.data[:1]
            self.picture.add_traces([overlay_trace(shown) for shown in self.people])
            self.picture.layout.shapes = [box_shape(self.boxes[self.frame.value])]
        with self.figure.batch_update():
            self.figure.data = []
            self.figure.add_traces(traces)
            if traces:
                self.figure.layout.scene.update({k: v for k, v in scene(points_of(traces)).items() if "axis" in k})

    def png(self) -> bytes:
        """The picture, and a column a method."""
        caption = f"focal length {self.focal.value:.0f} px, root depth {self.root_depth():.1f} m"
        return page(self.pictures[self.frame.value], self.boxes[self.frame.value], self.people, caption)
