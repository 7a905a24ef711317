"""Body meshes in 3D, plain or coloured by part."""

import numpy as np
import plotly.graph_objects as go

from posebook.errors import PosebookError
from posebook.plots.style import SKIN, figure3d, upright

LIGHT = {"ambient": 0.55, "diffuse": 0.6, "specular": 0.08, "roughness": 0.8,
         "facenormalsepsilon": 0}  # fmt: skip # plotly's default blackens triangles of a few square millimetres


def part_scale(palette: np.ndarray) -> list[list]:
    """Plotly colour scale with one flat step per row of a (P, 3) uint8 palette, for cmin -0.5 and cmax P - 0.5."""
    steps = []
    for i, colour in enumerate(palette):
        text = f"rgb({','.join(str(int(c)) for c in colour)})"
        steps += [[i / len(palette), text], [(i + 1) / len(palette), text]]
    return steps


def mesh_trace(
    vertices: np.ndarray,
    faces: np.ndarray,
    part_of_face: np.ndarray | None = None,
    palette: np.ndarray | None = None,
    frame: str = "world",
    opacity: float = 1.0,
    name: str = "",
) -> go.Mesh3d:
    """One body as a mesh trace: float32 vertices, faces in 16 bits where they fit.

    Args:
        vertices: (V, 3) metres.
        faces: (F, 3) vertex indices.
        part_of_face: (F,) labels, rows of `palette`; None draws one colour.
        palette: (P, 3) uint8 RGB; posebook.body's if None.
        frame: "world" or "camera", the frame of `vertices`.
    """
    vertices, faces = upright(vertices, frame), np.asarray(faces)
    if vertices.ndim != 2 or faces.ndim != 2 or faces.max(initial=-1) >= len(vertices):
        raise PosebookError(f"Expected (V, 3) vertices and (F, 3) faces below V, got {vertices.shape}, {faces.shape}.")
    faces = faces.astype(np.uint16 if len(vertices) < 65536 else np.int32)
    return go.Mesh3d(
        x=vertices[:, 0], y=vertices[:, 1], z=vertices[:, 2], i=faces[:, 0], j=faces[:, 1], k=faces[:, 2],
        opacity=opacity, name=name, hoverinfo="skip", lighting=LIGHT, lightposition={"x": 500, "y": 1500, "z": 3000},
        **face_tint(part_of_face, palette),
    )  # fmt: skip


def face_tint(part_of_face: np.ndarray | None, palette: np.ndarray | None = None) -> dict:
    """Colour properties of a mesh trace: plain, or an integer per face with a stepped scale (1 byte a face)."""
    if part_of_face is None:
        return {"color": SKIN, "flatshading": False, "intensity": None, "showscale": False}
    if palette is None:
        from posebook.body import PALETTE as palette  # here, so that figures of other meshes need no body
    return {
        "intensity": np.asarray(part_of_face).astype(np.uint8), "intensitymode": "cell", "flatshading": True,
        "colorscale": part_scale(palette), "cmin": -0.5, "cmax": len(palette) - 0.5, "showscale": False,
    }  # fmt: skip


def mesh_figure(
    vertices: np.ndarray,
    faces: np.ndarray,
    part_of_face: np.ndarray | None = None,
    palette: np.ndarray | None = None,
    frame: str = "world",
    title: str = "",
    opacity: float = 1.0,
    overlay: list | None = None,
) -> go.Figure:
    """One body, with further traces (skeletons, other bodies) over it; arguments as `mesh_trace`."""
    body = mesh_trace(vertices, faces, part_of_face, palette, frame, opacity)
    return figure3d([body, *(overlay or [])], title)
