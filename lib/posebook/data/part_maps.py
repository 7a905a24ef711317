"""Part maps of any SMPL body: labels from its skinning weights, rendered without colours or light.

With your licensed SMPL file: `render_parts(vertices, body.faces, part_of_face(body), K, size)`.
"""

import numpy as np
import smplx

from posebook.body.parts import label_faces
from posebook.data.render import cast, mesh_scene, pixel_rays
from posebook.errors import PosebookError


def part_of_face(body: smplx.SMPL) -> np.ndarray:
    """Part of each triangle, 1..24: SMPL joint + 1 of the joint that moves it most.

    Args:
        body: the free body or one loaded from an SMPL file, `posebook.body.load_body`.

    Returns:
        (F,) int64

    Source: specs/nbf.md section 2; `posebook.body.part_groups` merges them into the paper's 12.
    """
    return label_faces(np.asarray(body.faces, np.int64), body.lbs_weights.detach().cpu().numpy()).astype(np.int64)


def render_parts(
    vertices: np.ndarray, faces: np.ndarray, part_of_face: np.ndarray, K: np.ndarray, size: int
) -> np.ndarray:
    """Part label at every pixel centre, by ray casting.

    Args:
        vertices: (V, 3) metres, camera frame (x right, y down, z forward).
        faces: (F, 3).
        part_of_face: (F,) labels 1..24, or of a grouping.
        K: (3, 3) pinhole matrix, pixels.
        size: H = W in pixels.

    Returns:
        (H, W) uint8, 0 background; all 0 where the mesh is out of sight.

    Raises:
        PosebookError: shapes, indices or labels that do not fit; vertices that are not finite; a size below 1.
    """
    vertices, faces, part_of_face, K = (np.asarray(a) for a in (vertices, faces, part_of_face, K))
    _check(vertices, faces, part_of_face, K, size)
    face = cast(mesh_scene(vertices, faces), pixel_rays(K, size)).face
    return np.where(face >= 0, part_of_face[face], 0).astype(np.uint8).reshape(size, size)


def _check(vertices: np.ndarray, faces: np.ndarray, part_of_face: np.ndarray, K: np.ndarray, size: int) -> None:
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
        raise PosebookError(f"vertices: expected (V, 3) finite metres of one mesh, got shape {vertices.shape}.")
    if faces.ndim != 2 or faces.shape[1] != 3 or not len(faces) or faces.min() < 0 or faces.max() >= len(vertices):
        raise PosebookError(
            f"faces: expected (F, 3) indices into {len(vertices)} vertices, got shape {faces.shape}. "
            "Pass the faces of the same body and level as the vertices."
        )
    if part_of_face.shape != faces.shape[:1] or part_of_face.min() < 1 or part_of_face.max() > 255:
        raise PosebookError(
            f"part_of_face: expected {len(faces)} labels from 1 to 255, one per face, got shape {part_of_face.shape}. "
            "posebook.data.part_maps.part_of_face(body) makes them."
        )
    if K.shape != (3, 3) or size < 1:
        raise PosebookError(f"Expected K of shape (3, 3) and size >= 1, got {K.shape} and {size}.")
