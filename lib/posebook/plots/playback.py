"""A clip of skeletons that plays: plotly frames with a button and a slider, beside the video's pictures if given."""

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure
from PIL import Image

from posebook.errors import PosebookError
from posebook.joints import JointSet
from posebook.plots.images import page_png
from posebook.plots.skeleton import bone_points, skeleton_trace
from posebook.plots.style import EYE, INK, figure, scene, swatch, upright
from posebook.plots.twin3d import draw_scene

HIGH = 220  # pixels of the stored pictures' height: 100 frames are then about 1 MB
SPLIT = 0.42  # share of the width that the pictures get


def playback_figure(
    skeletons,
    joint_set: JointSet,
    fps: float,
    images: Sequence[np.ndarray] | None = None,
    frame: str = "camera",
    title: str = "",
) -> go.Figure:
    """Animated skeletons that can be turned while they play.

    Args:
        skeletons: (T, J, 3) metres, or name -> (T, J, 3), drawn over one another; NaN hides a joint.
        joint_set: of all of them.
        fps: frames per second.
        images: T pictures (H, W, 3) uint8 beside them, stored small as JPEG.
        frame: "camera" or "world", the frame of the joints.
        title: of the figure.

    Raises:
        PosebookError: clips of different lengths, joints that do not fit.
    """
    named = dict(skeletons) if isinstance(skeletons, Mapping) else {"": skeletons}
    named = {name: np.asarray(joints, dtype=np.float32) for name, joints in named.items()}
    length = _check(named, joint_set, fps, images)
    traces = [skeleton_trace(joints[0], joint_set, name, rank, frame)
              for rank, (name, joints) in enumerate(named.items())]  # fmt: skip
    moves = [[_moved(joints[t], joint_set, frame) for joints in named.values()] for t in range(length)]
    if images is not None:
        pictures = [_jpeg(image) for image in images]
        traces.append(go.Image(source=pictures[0], hoverinfo="skip"))
        moves = [[*move, go.Image(source=picture)] for move, picture in zip(moves, pictures, strict=True)]
    swatches = [swatch(trace) for trace in traces if trace.type == "scatter3d" and trace.legendgroup]
    space = scene(np.concatenate([upright(j, frame).reshape(-1, 3) for j in named.values()]), EYE)
    chart = figure([*traces, *swatches], title, 520, scene=space, **_controls(length, fps))
    chart.frames = [go.Frame(data=move, traces=list(range(len(traces))), name=str(t)) for t, move in enumerate(moves)]
    if images is not None:
        chart.layout.scene.domain.x = [SPLIT, 1]
        chart.update_xaxes(visible=False, domain=[0, SPLIT - 0.02])
        chart.update_yaxes(visible=False, scaleanchor="x")
    return chart


def playback_png(chart: go.Figure, count: int = 6) -> bytes:
    """Film strip of a playback figure: `count` frames spread over the clip, for readers without plotly."""
    shown = np.unique(np.linspace(0, len(chart.frames) - 1, count).round().astype(int))
    pictures = any(trace.type == "image" for trace in chart.data)
    page = Figure(figsize=(1.7 * len(shown), 4.2 if pictures else 2.4), dpi=100, layout="constrained")
    panels = page.subplots(1 + pictures, len(shown), squeeze=False)
    for column, t in enumerate(shown):
        moved = chart.frames[t].data
        bodies = [go.Scatter3d({**trace.to_plotly_json(), **{a: move[a] for a in "xyz"}})
                  for trace, move in zip(chart.data, moved, strict=False) if trace.type == "scatter3d"]  # fmt: skip
        draw_scene(panels[-1, column], go.Figure(bodies, chart.layout))
        panels[-1, column].set(xlim=(-0.8, 0.8), ylim=(-0.95, 0.95))
        if pictures:
            panels[0, column].imshow(_pixels(moved[-1].source))
            panels[0, column].set_axis_off()
        panels[0, column].set_title(f"frame {t}", fontsize=9, color=INK)
    return page_png(page)


def _check(named: dict[str, np.ndarray], joint_set: JointSet, fps: float, images) -> int:
    shapes = {name: joints.shape for name, joints in named.items()}
    lengths = {shape[0] for shape in shapes.values() if len(shape) == 3 and shape[1:] == (len(joint_set), 3)}
    counts = lengths if images is None else lengths | {len(images)}
    fits = [shape[1:] == (len(joint_set), 3) for shape in shapes.values()]
    if not all(fits) or len(counts) != 1 or not min(counts) or not fps > 0:
        raise PosebookError(
            f"Expected clips (T, {len(joint_set)}, 3) of one length, as many pictures, and fps above 0; got {shapes}, "
            f"{'no' if images is None else len(images)} pictures and {fps} fps."
        )
    return counts.pop()


def _moved(joints: np.ndarray, joint_set: JointSet, frame: str) -> go.Scatter3d:
    points = bone_points(upright(joints, frame), joint_set)[0]
    return go.Scatter3d(x=points[:, 0], y=points[:, 1], z=points[:, 2])


def _controls(length: int, fps: float) -> dict:
    """Layout of the play and pause buttons and the slider."""
    still = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    going = still | {"frame": {"duration": 1000 / fps, "redraw": True}, "fromcurrent": True}
    buttons = [{"label": "▶", "method": "animate", "args": [None, going]},
               {"label": "❚❚", "method": "animate", "args": [[None], still]}]  # fmt: skip
    steps = [{"label": str(t), "method": "animate", "args": [[str(t)], still]} for t in range(length)]
    menu = {"type": "buttons", "direction": "left", "buttons": buttons, "x": 0, "y": 0, "xanchor": "left",
            "yanchor": "top", "pad": {"t": 25}}  # fmt: skip
    bar = {"steps": steps, "x": 0.16, "len": 0.84, "y": 0, "currentvalue": {"prefix": "frame "}, "pad": {"t": 5}}
    return {"updatemenus": [menu], "sliders": [bar], "margin": {"b": 90}}


def _jpeg(image: np.ndarray) -> str:
    picture, data = Image.fromarray(np.asarray(image)), io.BytesIO()
    if picture.height > HIGH:
        picture = picture.resize((round(picture.width * HIGH / picture.height), HIGH), Image.Resampling.BILINEAR)
    picture.save(data, format="jpeg", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode()


def _pixels(source: str) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(base64.b64decode(source.split(",", 1)[1]))))
