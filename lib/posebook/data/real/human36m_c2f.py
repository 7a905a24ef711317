"""Human3.6M as the coarse-to-fine volume's authors distribute it: `annot/{train,valid}.mat` and pictures at 10 fps.

A struct `annot` with imgname, center, scale and S (N, 3, 17): millimetres of the camera frame, *left leg first*; K is a
cell per picture or, where it is left out, that of the camera in the picture's name. Names say subject, action, camera
and frame, counted from 1: `S9_Eating_1.55011271_000321.jpg`. The crop's side is 200 scales. Their `part` (h5) is read
as 2D labels where it is there. Source: specs/data.md section 1.1 c.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block
from posebook.data.real.files import check_fields, open_h5, read_mat
from posebook.data.real.geometry import intrinsics
from posebook.data.real.human36m import CAMERAS
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError
from posebook.joint_atlas import LEGS_EXCHANGED

FILES = {"train": "train", "test": "valid"}
NAME = re.compile(r"(?P<subject>S\d+)_(?P<action>[^.]+)\.(?P<camera>\d{8})_(?P<frame>\d+)\.(jpg|png)$")
SIDE = 200.0  # pixels of one unit of scale


def label_files(source: Path, split: str) -> list[Path]:
    """The .mat of a split and, where it is there, its h5."""
    mat, h5 = (source / "annot" / f"{FILES[split]}.{kind}" for kind in ("mat", "h5"))
    return existing([mat], "human36m_c2f") + ([h5] if h5.is_file() else [])


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per video."""
    mat, *h5 = label_files(source, split)
    annot = read_mat(mat, ("annot",))["annot"]
    stored = check_fields(vars(annot), ("imgname", "center", "scale", "S"), str(mat))
    names = [str(name).strip() for name in np.atleast_1d(stored["imgname"])]
    points = np.asarray(stored["S"], np.float64).reshape(-1, 3, 17)
    if len(points) != len(names):
        raise PosebookError(f"{mat}: {len(names)} picture names for {len(points)} poses. Get the file again.")
    side = SIDE * np.atleast_1d(stored["scale"]).astype(np.float64)[:, None]
    fields = {
        "box": np.concatenate([np.atleast_2d(stored["center"]) - side / 2, side, side], 1),
        "K": matrices(stored.get("K"), names, mat),
        "joints3d_h36m17": points.transpose(0, 2, 1)[:, LEGS_EXCHANGED] / 1000,
    }
    if h5:
        with open_h5(h5[0], ("part",)) as opened:
            part = np.array(opened["part"], np.float64)
        if part.shape != (len(names), 17, 2):
            raise PosebookError(f"{h5[0]}: expected part ({len(names)}, 17, 2), found {part.shape}.")
        fields["joints2d_h36m17"] = part[:, LEGS_EXCHANGED]
    yield from videos(names, fields, mat)


def parse(name: str, path: Path) -> re.Match:
    """Subject, action, camera and frame of a picture's name; PosebookError for another name."""
    match = NAME.search(name)
    if not match or match["camera"] not in CAMERAS:
        raise PosebookError(f"{path}: expected names like S9_Eating_1.55011271_000321.jpg, found {name}.")
    return match


def matrices(cells, names: list[str], path: Path) -> np.ndarray:
    """(N, 3, 3) of the file's cells, else of the cameras in the names."""
    if cells is None:
        known = {c: intrinsics(numbers[:2], numbers[2:4]) for c, numbers in CAMERAS.items()}
        return np.stack([known[parse(name, path)["camera"]] for name in names])
    found = np.asarray(cells)
    found = np.stack(list(found)) if found.dtype == object else found
    if found.size != 9 * len(names):
        raise PosebookError(f"{path}: expected {len(names)} matrices K (3, 3), found an array {found.shape}.")
    return found.reshape(-1, 3, 3).astype(np.float64)


def videos(names: list[str], fields: dict[str, np.ndarray], path: Path) -> Iterator[Block]:
    """Rows of each video, in the order of its frames."""
    parsed = [parse(name, path) for name in names]
    sequence = np.array([f"{m['subject']}_{m['action']}.{m['camera']}" for m in parsed])
    frame = np.array([int(m["frame"]) - 1 for m in parsed])
    for video in dict.fromkeys(sequence.tolist()):
        rows = np.flatnonzero(sequence == video)
        rows = rows[np.argsort(frame[rows], kind="stable")]
        first = parsed[rows[0]]
        yield Block(
            [f"images/{names[i]}" for i in rows], frame[rows], video, {n: v[rows] for n, v in fields.items()},
            subject=first["subject"], action=first["action"].split("_")[0],
            clip=f"{first['subject']} {first['action']}", camera=first["camera"],
        )  # fmt: skip


READER = Reader(
    "human36m_c2f", label_files, blocks, fps=10.0,
    pixels="as projected by K, taken for continuous pixels; the lens is left out",
)  # fmt: skip
