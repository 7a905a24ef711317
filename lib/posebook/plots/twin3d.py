"""PNG twins of 3D scenes: meshes, skeletons and volumes through plotly's own camera, back to front."""

import numpy as np
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb

from posebook.plots.perspective import Perspective
from posebook.plots.style import GREY, LINES

KINDS_3D = ("mesh3d", "scatter3d", "isosurface")
UNIT_CUBE_EDGES = [(a, a ^ (1 << bit)) for a in range(8) for bit in range(3) if not a & (1 << bit)]


def draw_scene(panel, figure) -> None:
    """Draw every trace of a figure's scene, meshes first."""
    camera = Perspective.of(figure)
    order = {"mesh3d": 0, "isosurface": 1, "scatter3d": 2}
    if any(trace.type == "isosurface" for trace in figure.data):
        draw_box(panel, camera)
    for trace in sorted(reversed(figure.data), key=lambda t: order[t.type]):
        if trace.visible is False:
            continue
        points = np.stack([np.asarray(trace[a], dtype=float) for a in "xyz"], axis=-1)
        if trace.type == "mesh3d":
            draw_mesh(panel, camera, trace, points)
        elif trace.type == "isosurface":
            keep = np.asarray(trace.value) >= trace.isomin
            draw_cells(panel, camera, points[keep], np.asarray(trace.value)[keep] / trace.isomax, trace.colorscale)
        else:
            draw_scatter(panel, camera, trace, points)
    aspect = panel.figure.get_figwidth() / panel.figure.get_figheight()
    panel.set(xlim=(-aspect, aspect), ylim=(-1, 1), aspect="equal")
    panel.set_axis_off()


def colours_of(values, scale, low: float, high: float) -> np.ndarray:
    """RGB (N, 3) in 0..1 of numbers in a plotly colour scale (steps and ramps alike)."""
    stops = np.array([s for s, _ in scale])
    rgb = np.array([parse(c) for _, c in scale])
    share = np.clip((np.asarray(values, dtype=float) - low) / (high - low), 0, 1)
    return np.stack([np.interp(share, stops, rgb[:, c]) for c in range(3)], axis=-1)


def parse(colour: str) -> tuple[float, float, float]:
    """'#rrggbb', a name or 'rgb(r,g,b)' -> three numbers in 0..1."""
    if colour.startswith("rgb("):
        return tuple(int(c) / 255 for c in colour[4:-1].split(","))
    return to_rgb(colour)


def draw_mesh(panel, camera: Perspective, trace, points: np.ndarray) -> None:
    """Faces towards the viewer, far ones first, shaded by their angle."""
    faces = np.stack([trace.i, trace.j, trace.k], axis=-1).astype(int)
    corners = points[faces]  # (F, 3, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    xy, distance = camera(points)
    triangles = xy[faces]
    (ax, ay), (bx, by) = (triangles[:, k].T - triangles[:, 0].T for k in (1, 2))
    front = ax * by - ay * bx > 0  # counter-clockwise on the picture
    far_first = np.flatnonzero(front)[np.argsort(-distance[faces[front]].mean(1))]
    if trace.intensity is None:
        colours = np.broadcast_to(parse(trace.color), (len(faces), 3))
    else:
        colours = colours_of(trace.intensity, trace.colorscale, trace.cmin, trace.cmax)
    shade = 0.45 + 0.55 * np.abs(camera.toward(normals))
    rgb = np.clip(colours * shade[:, None], 0, 1)[far_first]
    style = {"facecolors": rgb, "edgecolors": rgb, "linewidths": 0.4, "alpha": trace.opacity or 1.0}
    if style["alpha"] < 1:
        style["linewidths"] = 0
    panel.add_collection(PolyCollection(triangles[far_first], **style))


def draw_scatter(panel, camera: Perspective, trace, points: np.ndarray) -> None:
    """Lines with breaks at NaN, and markers."""
    xy, distance = camera(points)
    name = trace.name if trace.name and trace.showlegend is not False else None
    if "lines" in trace.mode:
        ends = np.stack((xy[:-1], xy[1:]), axis=1)
        whole = np.isfinite(ends).all((1, 2))
        colours = point_colours(trace.line, len(xy))[:-1][whole]
        far_first = np.argsort(-(distance[:-1] + distance[1:])[whole])
        width = (trace.line.width or 4) / 2.2
        lines = LineCollection(ends[whole][far_first], colors=colours[far_first], linewidths=width, capstyle="round")
        panel.add_collection(lines)
        if name:
            panel.plot([], [], color=point_colours(trace.line, 1)[0], linewidth=width, label=name)
            name = None
    if "markers" in trace.mode:
        size = np.broadcast_to(trace.marker.size, len(xy)).astype(float) * 0.9
        shape = {"cross": "P", "x": "X"}.get(trace.marker.symbol, "o")
        panel.scatter(*xy.T, s=size**2, c=point_colours(trace.marker, len(xy)), marker=shape, linewidths=0,
                      alpha=trace.marker.opacity, zorder=3, label=name)  # fmt: skip


def point_colours(style, count: int) -> np.ndarray:
    """RGB (N, 3) of a line's or marker's colour: one for all, one each, or numbers in a scale."""
    if style.color is None or isinstance(style.color, str):
        return np.broadcast_to(parse(style.color or GREY), (count, 3))
    if isinstance(style.color[0], str):
        return np.array([parse(colour) for colour in style.color])
    return colours_of(style.color, style.colorscale, style.cmin, style.cmax)


def draw_cells(panel, camera: Perspective, points: np.ndarray, share: np.ndarray, scale) -> None:
    """Cells of a volume above its level, in place of the isosurface round them."""
    xy, distance = camera(points)
    far_first = np.argsort(-distance)
    colours = colours_of(share, scale, 0, 1)[far_first]
    panel.scatter(*xy[far_first].T, s=36, c=colours, alpha=0.55, linewidths=0, marker="o")


def draw_box(panel, camera: Perspective) -> None:
    """Edges of the scene's cube."""
    corners = np.array([[camera.ranges[axis][a >> axis & 1] for axis in range(3)] for a in range(8)])
    xy = camera(corners).xy
    edges = [(xy[a], xy[b]) for a, b in UNIT_CUBE_EDGES]
    panel.add_collection(LineCollection(edges, colors=LINES, linewidths=0.8, zorder=0))
