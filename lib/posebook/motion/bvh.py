"""BVH files: a reader that believes the header, forward kinematics in the file's own terms, and a writer.

Local rotation = product of the joint's rotation channels in the order of the header (Z Y X: R = Rz Ry Rx, column
vectors), G_j = G_parent R_j,  x_j = x_parent + G_parent (offset_j + position channels). Units and axes are the file's.
"""

import gzip
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import roma
import torch

from posebook.cache import write_text
from posebook.errors import PosebookError

AXES = ("Xrotation", "Yrotation", "Zrotation")
PLACES = ("Xposition", "Yposition", "Zposition")


class Bvh(NamedTuple):
    """A BVH file. J counts joints without end sites."""

    names: tuple[str, ...]
    parents: tuple[int, ...]  # -1 at the root
    offsets: np.ndarray  # (J, 3) file units
    channels: tuple[tuple[str, ...], ...]  # per joint, in file order
    ends: dict[int, np.ndarray]  # joint -> offset of its end site
    frame_time: float  # seconds as written in the file
    values: np.ndarray  # (T, C) all channels


class Motion(NamedTuple):
    """Forward kinematics of a BVH file."""

    rotations: torch.Tensor  # (T, J, 3, 3) global, float64
    positions: torch.Tensor  # (T, J, 3) file units


def read_text(path: Path) -> str:
    """Text of a plain or gzipped file (told apart by its first two bytes, not by its name)."""
    if not path.is_file():
        raise PosebookError(f"No file {path}.")
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise PosebookError(f"{path}: the gzip stream is cut or damaged ({error}); get the file again.") from None
    return data.decode("utf-8", errors="replace")


def read_bvh(path: str | Path) -> Bvh:
    """Read a .bvh or .bvh.gz file.

    Raises:
        PosebookError: no such file, not BVH, damaged header, or fewer numbers than the header promises.
    """
    path = Path(path)
    header, found, motion = read_text(path).partition("MOTION")
    if not header.lstrip().startswith("HIERARCHY"):
        raise PosebookError(
            f"{path} is not a BVH file: it should begin with HIERARCHY, it begins with {header[:20]!r}."
        )
    if not found:
        raise PosebookError(f"{path}: no MOTION part; the file is cut. Get it again.")
    try:
        joints = parse_header(header.split())
    except (ValueError, IndexError) as error:
        raise PosebookError(f"{path}: damaged BVH header ({error}).") from None
    return Bvh(*joints, *parse_motion(path, motion, sum(map(len, joints[3]))))


def parse_header(words: list[str]) -> tuple:
    """Names, parents, offsets, channels, end sites from the words of the HIERARCHY part; ValueError if malformed."""
    names, parents, offsets, channels, ends = [], [], [], [], {}
    stack, i = [], 1  # open joints (-1 for an end site); words[0] is HIERARCHY
    here = -1
    while i < len(words):
        word = words[i]
        if word in ("ROOT", "JOINT"):
            parents.append(stack[-1] if stack else -1)
            names.append(words[i + 1])
            offsets.append(None)
            channels.append(())
            here, i = len(names) - 1, i + 2
        elif word == "End":
            here, i = -1, i + 2
        elif word == "{":
            stack.append(here)
            i += 1
        elif word == "}":
            stack.pop()
            i += 1
        elif word == "OFFSET":
            offset = np.array([float(w) for w in words[i + 1 : i + 4]])
            if stack[-1] < 0:
                ends[stack[-2]] = offset
            else:
                offsets[stack[-1]] = offset
            i += 4
        elif word == "CHANNELS":
            count = int(words[i + 1])
            channels[stack[-1]] = tuple(words[i + 2 : i + 2 + count])
            i += 2 + count
        else:
            raise ValueError(f"unexpected word {word!r}")
    check_header(names, parents, offsets, channels, stack)
    return tuple(names), tuple(parents), np.stack(offsets), tuple(channels), ends


def check_header(names: list, parents: list, offsets: list, channels: list, stack: list) -> None:
    """ValueError unless there is one root, all brackets are closed and all joints are complete."""
    if stack or not names or parents.count(-1) != 1:
        raise ValueError("brackets do not match, or there is not exactly one ROOT")
    for name, offset, own in zip(names, offsets, channels, strict=True):
        if offset is None or offset.shape != (3,):
            raise ValueError(f"joint {name} has no OFFSET of three numbers")
        if unknown := set(own) - set(AXES) - set(PLACES):
            raise ValueError(f"joint {name} has unknown channels {sorted(unknown)}")


def parse_motion(path: Path, text: str, count: int) -> tuple[float, np.ndarray]:
    """Frame time and values (T, count) from the text after MOTION."""
    try:
        words = text.split()
        if words[0] != "Frames:" or words[2:4] != ["Frame", "Time:"]:
            raise ValueError("expected 'Frames: n' and 'Frame Time: s'")
        frames, frame_time = int(words[1]), float(words[4])
        values = np.array(words[5:], dtype=np.float64)
    except (ValueError, IndexError) as error:
        raise PosebookError(f"{path}: damaged MOTION part ({error}); get the file again.") from None
    if len(values) != frames * count:
        raise PosebookError(
            f"{path}: {frames} frames of {count} channels are {frames * count} numbers, the file has {len(values)}; "
            "it is cut or damaged. Get it again."
        )
    if frames < 1 or not np.isfinite(values).all() or frame_time <= 0:
        raise PosebookError(f"{path}: no frames, a frame time that is not positive, or numbers that are not finite.")
    return frame_time, values.reshape(frames, count)


def forward_kinematics(bvh: Bvh) -> Motion:
    """Global rotations and joint positions of all frames, in file units."""
    turned, placed, column = [], [], 0
    values = torch.from_numpy(bvh.values)
    for j, own in enumerate(bvh.channels):
        block = dict(zip(own, values[:, column : column + len(own)].T, strict=True))
        column += len(own)
        axes = [name for name in own if name in AXES]
        local = torch.eye(3, dtype=torch.float64).expand(len(values), 3, 3)
        for name in axes:
            local = local @ single_axis(name, block[name])
        shift = torch.from_numpy(bvh.offsets[j]).expand(len(values), 3).clone()
        for k, name in enumerate(PLACES):
            shift[:, k] += block.get(name, torch.zeros(()))
        p = bvh.parents[j]
        turned.append(local if p < 0 else turned[p] @ local)
        placed.append(shift if p < 0 else placed[p] + (turned[p] @ shift[..., None]).squeeze(-1))
    return Motion(torch.stack(turned, 1), torch.stack(placed, 1))


def single_axis(channel: str, degrees: torch.Tensor) -> torch.Tensor:
    """Rotation (T, 3, 3) about the axis of a channel such as "Zrotation"."""
    unit = torch.eye(3, dtype=torch.float64)[AXES.index(channel)]
    return roma.rotvec_to_rotmat(torch.deg2rad(degrees)[:, None] * unit)


def write_bvh(path: str | Path, bvh: Bvh) -> None:
    """Write a BVH file, atomically."""
    lines = ["HIERARCHY"]

    def emit(j: int, depth: int) -> None:
        tab = "\t" * depth
        lines.append(f"{tab}{'ROOT' if depth == 0 else 'JOINT'} {bvh.names[j]}")
        lines.append(f"{tab}{{")
        lines.append(f"{tab}\tOFFSET " + " ".join(f"{v:.6f}" for v in bvh.offsets[j]))
        lines.append(f"{tab}\tCHANNELS {len(bvh.channels[j])} " + " ".join(bvh.channels[j]))
        for child in (k for k, p in enumerate(bvh.parents) if p == j):
            emit(child, depth + 1)
        if j in bvh.ends:
            end = " ".join(f"{v:.6f}" for v in bvh.ends[j])
            lines.extend([f"{tab}\tEnd Site", f"{tab}\t{{", f"{tab}\t\tOFFSET {end}", f"{tab}\t}}"])
        lines.append(f"{tab}}}")

    emit(0, 0)
    lines += ["MOTION", f"Frames: {len(bvh.values)}", f"Frame Time: {bvh.frame_time:.7f}"]
    lines += [" ".join(f"{v:.4f}" for v in row) for row in bvh.values]
    write_text(path, "\n".join(lines) + "\n")
