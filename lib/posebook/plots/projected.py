"""A mesh over the picture it was found in, shaded, and through it the picture."""

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

AMBIENT = 0.45  # share of light that reaches faces seen edge-on


def draw_projected_mesh(panel, pixels, vertices, faces, colour: str, opacity: float = 0.75) -> None:
    """Draw the faces towards the camera, far ones first.

    Args:
        panel: matplotlib axes with the picture in continuous pixels, y down.
        pixels: (V, 2) of the picture. vertices: (V, 3) metres, camera frame. faces: (F, 3).
    """
    pixels, vertices, faces = (np.asarray(a) for a in (pixels, vertices, faces))
    corners = vertices[faces]  # (F, 3, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    centres = corners.mean(1)
    toward = -(normals * centres).sum(1) / np.maximum(np.linalg.norm(centres, axis=1), 1e-12)
    front = toward > 0
    order = np.flatnonzero(front)[np.argsort(-centres[front, 2])]
    shade = AMBIENT + (1 - AMBIENT) * toward[order]
    rgb = np.clip(np.array(to_rgb(colour)) * shade[:, None], 0, 1)
    panel.add_collection(PolyCollection(pixels[faces[order]], facecolors=rgb, edgecolors="none", alpha=opacity))
