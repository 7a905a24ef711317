"""Image panels: grids of pictures with 2D joints, part maps in the palette, depth maps.

Pictures are shown as PNG only: there is nothing to turn. Pixels are continuous, (0, 0) the corner of the image.
"""

import io
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from posebook.errors import PosebookError
from posebook.joints import H36M17, JointSet
from posebook.plots.skeleton import bone_points
from posebook.plots.style import INK, PAPER, SIDES

DOTS = "#00E5FF"  # of vertices, seen on skin and cloth
DPI = 100


def parts_image(parts: np.ndarray, palette: np.ndarray | None = None) -> np.ndarray:
    """Part labels (H, W) -> RGB (H, W, 3) uint8 in posebook.body's palette (or another (P, 3) one)."""
    if palette is None:
        from posebook.body import PALETTE as palette  # here, so that other pictures need no body
    parts = np.asarray(parts)
    if parts.max(initial=0) >= len(palette):
        raise PosebookError(f"Part label {parts.max()} has no colour: the palette has {len(palette)} rows.")
    return palette[parts]


def depth_image(depth: np.ndarray) -> np.ndarray:
    """Depth (H, W) metres, 0 background -> RGB (H, W, 3) uint8: near bright, far dark, background white."""
    depth = np.asarray(depth, dtype=np.float32)
    body = depth > 0
    low, high = (depth[body].min(), depth[body].max()) if body.any() else (0.0, 1.0)
    share = 0.9 - 0.75 * (depth - low) / max(high - low, 1e-6)
    return np.where(body[..., None], scalar_image(share, 0, 1), np.uint8(255))


def scalar_image(values: np.ndarray, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Any scalar map (H, W) -> RGB (H, W, 3) uint8 in the colour-blind safe cividis scale, clipped to low…high."""
    values = np.asarray(values, dtype=np.float32)
    low, high = (np.nanmin(values) if low is None else low), (np.nanmax(values) if high is None else high)
    share = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
    return (colormaps["cividis"](share)[..., :3] * 255).round().astype(np.uint8)


def image_grid(
    images: Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    joints2d: Sequence[np.ndarray | None] | None = None,
    joint_set: JointSet | None = None,
    columns: int | None = None,
    size: float = 1.6,
    points: Sequence[np.ndarray] | None = None,
) -> bytes:
    """PNG of a grid of pictures.

    Args:
        images: (H, W, 3) uint8 or (H, W, 3) float in 0..1, or (H, W) scalar maps in 0..1.
        titles: one a picture.
        joints2d: (J, 2) continuous pixels of each picture, drawn as a skeleton of `joint_set`; None draws none.
        columns: pictures a row; at most 8 by default.
        size: inches per picture.
        points: (P, 2) continuous pixels of each picture, drawn as small dots, e.g. vertices; None draws none.
    """
    if not len(images) or (joints2d is not None and joint_set is None):
        raise PosebookError("image_grid needs at least one image, and a joint_set where joints2d are given.")
    columns = columns or min(len(images), 8)
    rows = -(-len(images) // columns)
    extra = 0.25 if titles else 0.0
    page = Figure(figsize=(columns * size, rows * (size + extra)), dpi=DPI, layout="constrained")
    panels = page.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels:
        panel.set_axis_off()
    for i, (panel, image) in enumerate(zip(panels, images, strict=False)):
        draw_image(panel, image, joints2d[i] if joints2d is not None else None, joint_set)
        if points is not None:
            panel.plot(*np.asarray(points[i]).T, ".", color=DOTS, markersize=1.2)
        if titles:
            panel.set_title(titles[i], fontsize=8, color=INK, pad=3)
    return page_png(page)


def draw_image(panel, image: np.ndarray, joints: np.ndarray | None = None, joint_set: JointSet | None = None) -> None:
    """One picture with its continuous pixel coordinates, and a 2D skeleton over it."""
    image = scalar_image(image, 0, 1) if np.ndim(image) == 2 else np.asarray(image)
    height, width = image.shape[:2]
    panel.imshow(image, extent=(0, width, height, 0), interpolation="nearest")
    if joints is None:
        return
    points, sides = bone_points(joints, joint_set)
    for start in range(0, len(points), 3):
        ends = points[start : start + 2]
        panel.plot(*ends.T, color=PAPER, linewidth=2.6, solid_capstyle="round")
        panel.plot(*ends.T, color=SIDES[0][sides[start]], linewidth=1.4, solid_capstyle="round")
    panel.set(xlim=(0, width), ylim=(height, 0))


def sample_panels(sample) -> bytes:
    """PNG of one posebook.data.Sample: image, image with its H36M-17 joints, part map, mask, depth."""
    titles = ["image", "joints2d_h36m17", "parts", "mask", "depth"]
    images = [sample.image, sample.image, parts_image(sample.parts), sample.mask * 1.0, depth_image(sample.depth)]
    joints = [None, sample.joints2d_h36m17, None, None, None]
    return image_grid(images, titles, joints, H36M17, size=2.2)


def page_png(page: Figure) -> bytes:
    """PNG bytes of a matplotlib figure, made without pyplot's global state, in at most 256 colours."""
    from PIL import Image

    raw, small = io.BytesIO(), io.BytesIO()
    page.savefig(raw, format="png", facecolor=PAPER)
    picture = Image.open(raw).convert("RGB").quantize(255, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    picture.save(small, format="png", optimize=True)
    return small.getvalue()
