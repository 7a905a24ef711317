"""Take a body elsewhere: meshes as OBJ or PLY, motion as an AMASS-like npz or as BVH. Every file is written whole."""

from pathlib import Path

import numpy as np
import smplx
import torch
from scipy.spatial.transform import Rotation

from posebook.cache import atomic_path
from posebook.errors import PosebookError
from posebook.joints import SMPL24

CENTIMETRES = 100.0  # BVH files are read as centimetres by common tools
# Metres; the ends of bones without a child.
_END = {"head": (0.0, 0.15, 0.0), "left_foot": (0.0, 0.0, 0.05), "right_foot": (0.0, 0.0, 0.05),
        "left_hand": (0.08, 0.0, 0.0), "right_hand": (-0.08, 0.0, 0.0)}  # fmt: skip


def _obj(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (faces + 1).tolist()]
    return ("\n".join(lines) + "\n").encode()


def _ply(vertices: np.ndarray, faces: np.ndarray) -> bytes:
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}", "property float x",
              "property float y", "property float z", f"element face {len(faces)}",
              "property list uchar int vertex_indices", "end_header", ""]  # fmt: skip
    table = np.zeros(len(faces), dtype=[("count", "u1"), ("corner", "<i4", 3)])
    table["count"], table["corner"] = 3, faces
    return "\n".join(header).encode() + vertices.astype("<f4").tobytes() + table.tobytes()


def export_mesh(path: str | Path, vertices: np.ndarray | torch.Tensor, faces: np.ndarray) -> list[Path]:
    """Write a posed body, or each frame of a sequence, as OBJ (text) or PLY (binary).

    Args:
        path: ends in .obj or .ply; frame t of a sequence goes to `<name>_0000t.<suffix>`.
        vertices: (V, 3) or (T, V, 3) metres.
        faces: (F, 3), counted from 0.

    Returns:
        The files written.
    """
    path = Path(path)
    writer = {".obj": _obj, ".ply": _ply}.get(path.suffix.lower())
    if writer is None:
        raise PosebookError(f"Meshes are exported as .obj or .ply, not {path.suffix!r}.")
    array = np.asarray(torch.as_tensor(vertices).detach().cpu())
    if array.ndim not in (2, 3) or array.shape[-1] != 3:
        raise PosebookError(f"Vertices should be (V, 3) or (T, V, 3), not {array.shape}.")
    frames = [array] if array.ndim == 2 else list(array)
    names = [path] if array.ndim == 2 else [path.with_stem(f"{path.stem}_{t:05d}") for t in range(len(frames))]
    for name, frame in zip(names, frames, strict=True):
        with atomic_path(name) as temporary:
            temporary.write_bytes(writer(frame, np.asarray(faces)))
    return names


def _motion(global_orient: np.ndarray, body_pose: np.ndarray, transl: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses (T, 72) and translations (T, 3), checked."""
    tensors = [torch.as_tensor(x).detach().cpu() for x in (global_orient, body_pose, transl)]
    parts = [tensor.numpy().astype(np.float64) for tensor in tensors]
    widths = (3, 69, 3)
    if any(p.ndim != 2 or p.shape[1] != w or len(p) != len(parts[0]) for p, w in zip(parts, widths, strict=True)):
        raise PosebookError("A motion is global_orient (T, 3), body_pose (T, 69), transl (T, 3); "
                            f"these are {', '.join(str(p.shape) for p in parts)}.")  # fmt: skip
    return np.concatenate(parts[:2], axis=1), parts[2]


def export_npz(
    path: str | Path,
    global_orient: np.ndarray,
    body_pose: np.ndarray,
    transl: np.ndarray,
    betas: np.ndarray,
    fps: float,
    gender: str = "neutral",
) -> Path:
    """Write a motion under AMASS's names: poses (T, 72), trans (T, 3), betas (10,), gender, mocap_framerate.

    Args:
        path: ends in .npz.
        global_orient, body_pose: (T, 3), (T, 69) axis-angle. transl: (T, 3) metres.
        betas: (10,). fps: frames per second. gender: as AMASS names it.
    """
    poses, trans = _motion(global_orient, body_pose, transl)
    path = Path(path).with_suffix(".npz")
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, poses=poses, trans=trans, betas=np.asarray(betas, dtype=np.float64).reshape(-1),
                            gender=np.array(gender), mocap_framerate=np.array(float(fps)))  # fmt: skip
    return path


def _hierarchy(joint: int, offsets: np.ndarray, depth: int) -> tuple[list[str], list[int]]:
    """Text of a joint with all below it, and the joints in the order written."""
    name, pad = SMPL24.names[joint], "\t" * depth
    kind = "ROOT" if joint == 0 else "JOINT"
    position = "6 Xposition Yposition Zposition" if joint == 0 else "3"
    lines = [f"{pad}{kind} {name}", f"{pad}{{", f"{pad}\tOFFSET {' '.join(f'{x:.6f}' for x in offsets[joint])}",
             f"{pad}\tCHANNELS {position} Zrotation Xrotation Yrotation"]  # fmt: skip
    order = [joint]
    for child in (c for c, p in enumerate(SMPL24.parents) if p == joint):
        below, written = _hierarchy(child, offsets, depth + 1)
        lines, order = lines + below, order + written
    if name in _END:
        end = " ".join(f"{x * CENTIMETRES:.6f}" for x in _END[name])
        lines += [f"{pad}\tEnd Site", f"{pad}\t{{", f"{pad}\t\tOFFSET {end}", f"{pad}\t}}"]
    return [*lines, f"{pad}}}"], order


def export_bvh(
    path: str | Path,
    body: smplx.SMPL,
    global_orient: np.ndarray,
    body_pose: np.ndarray,
    transl: np.ndarray,
    betas: np.ndarray | None = None,
    fps: float = 30.0,
) -> Path:
    """Write a motion as BVH with SMPL's 24 joints, centimetres and degrees.

    The root's position is the pelvis, J_0(betas) + transl. Rotations are written Z X Y: R = Rz Rx Ry.

    Args:
        path: ends in .bvh. body: gives the bone lengths.
        global_orient, body_pose: (T, 3), (T, 69) axis-angle. transl: (T, 3) metres.
        betas: (10,) or None for the mean shape. fps: frames per second.
    """
    poses, trans = _motion(global_orient, body_pose, transl)
    shape = torch.zeros(10) if betas is None else torch.as_tensor(betas).reshape(-1).cpu()
    template = body.v_template.cpu() + torch.einsum("k,vck->vc", shape.to(body.v_template.dtype), body.shapedirs.cpu())
    joints = (body.J_regressor.cpu() @ template).numpy().astype(np.float64)  # (24, 3)
    offsets = (joints - joints[[max(p, 0) for p in SMPL24.parents]]) * CENTIMETRES
    lines, order = _hierarchy(0, offsets, 0)
    degrees = Rotation.from_rotvec(poses.reshape(-1, 3)).as_euler("ZXY", degrees=True).reshape(len(poses), 24, 3)
    position = (trans + joints[0]) * CENTIMETRES
    rows = np.concatenate([position, degrees[:, order].reshape(len(poses), -1)], axis=1)
    lines = ["HIERARCHY", *lines, "MOTION", f"Frames: {len(rows)}", f"Frame Time: {1 / fps:.8f}"]
    lines += [" ".join(f"{x:.6f}" for x in row) for row in rows]
    path = Path(path).with_suffix(".bvh")
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")
    return path
