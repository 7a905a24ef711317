"""SampleExplorer: browse a dataset, every field of one sample at a time."""

import html

import ipywidgets as widgets

from posebook.data import Dataset
from posebook.explorers.base import Explorer, live, move
from posebook.joints import H36M17
from posebook.plots.images import sample_panels
from posebook.plots.skeleton import bone_points, skeleton_figure
from posebook.plots.style import cube, upright

TEXTS = ("sample_id", "subject", "action", "sequence", "clip", "frame", "fps")


class SampleExplorer(Explorer):
    """One sample: image, 2D joints, parts, mask, depth, 3D skeleton, names.

    Attributes:
        index: slider over the samples.
        panels: PNG of the picture fields.
        facts: HTML of the names and of the person's place before the camera.
        sample: the posebook.data.Sample shown.

    Args:
        dataset: an open posebook.data.Dataset.
    """

    def __init__(self, dataset: Dataset):
        self.dataset = dataset
        self.index = widgets.IntSlider(0, 0, len(dataset) - 1, description="sample", continuous_update=False)
        self.panels, self.facts = widgets.Image(format="png"), widgets.HTML()
        self.figure = live(skeleton_figure(dataset[0].joints3d_h36m17, H36M17))
        self.watch([self.index], self.update)
        super().__init__([self.index, self.panels, widgets.HBox([self.figure, self.facts])])
        self.update()

    def update(self) -> None:
        """Show the sample the slider names."""
        self.sample = sample = self.dataset[self.index.value]
        self.panels.value = sample_panels(sample)
        joints = upright(sample.joints3d_h36m17, "camera")
        with self.figure.batch_update():
            move(self.figure.data[0], bone_points(joints, H36M17)[0])
            for axis, span in zip("xyz", cube(joints), strict=True):
                self.figure.layout.scene[f"{axis}axis"].range = span.tolist()
        facts = {name: getattr(sample, name) for name in TEXTS}
        facts["pelvis (m)"] = ", ".join(f"{v:.2f}" for v in sample.joints3d[0])
        facts["focal length (px)"] = f"{sample.K[0, 0]:.0f}"
        rows = [f"<tr><td>{n}</td><td>{html.escape(str(v))}</td></tr>" for n, v in facts.items()]
        self.facts.value = f"<table>{''.join(rows)}</table>"

    def png(self) -> bytes:
        """The picture fields of the sample shown."""
        return self.panels.value
