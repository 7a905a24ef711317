"""What readers hand out: consecutive rows of one sequence, and what follows from the labels they have.

Points are continuous pixels of the whole picture, (0, 0) its corner; metres; camera frame x right, y down, z forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from posebook.data.camera import project
from posebook.errors import PosebookError
from posebook.joint_atlas import atlas_set, convert

BODY_DIMS = {  # stored field -> shape after N; J joints of the dataset's own set
    "box": (4,),
    "K": (3, 3),
    "joints3d": (24, 3),
    "joints3d_h36m17": (17, 3),
    "joints2d": (24, 2),
    "joints2d_h36m17": (17, 2),
    "global_orient": (3,),
    "body_pose": (69,),
    "betas": (10,),
    "transl": (3,),
    "keypoints2d": ("J", 3),  # x, y and confidence, 0 where unlabelled
    "keypoints3d": ("J", 3),
    "distortion": (5,),  # k1 k2 k3 p1 p2 of the lens, whose effect K leaves out
    "universal3d": ("J", 3),  # MPI-INF-3DHP's joints scaled to one skeleton, which its metrics use
    "fps": (),
    "fitted": (),  # 1 where a row has the body's parameters, where some have none
}
HAND_DIMS = {
    "box": (4,),
    "K": (3, 3),
    "joints3d": (21, 3),
    "joints2d": (21, 2),
    "global_orient": (3,),
    "hand_pose": (45,),
    "betas": (10,),
    "transl": (3,),
}
DIMS = {"body": BODY_DIMS, "hand": HAND_DIMS}
TEXTS = ("sample_id", "subject", "action", "sequence", "clip", "camera", "gender", "image")
MARGIN = 0.15  # share of the extent of 2D joints added on each side, where a dataset has no boxes


@dataclass(frozen=True)
class Block:
    """n rows. Texts are one for all rows or a list of n.

    Attributes:
        image: path below the source folder, "" for none, `video.avi#7` for frame 7 (from 0) of a video.
        frame: (n,) frame number in the source.
        fields: any of DIMS, each (n, …).
        left_out: rows that the reader dropped, by reason.
    """

    image: str | Sequence[str]
    frame: np.ndarray
    sequence: str | Sequence[str]
    fields: dict[str, np.ndarray]
    subject: str | Sequence[str] = ""
    action: str | Sequence[str] = ""
    clip: str | Sequence[str] = ""
    camera: str | Sequence[str] = ""
    gender: str | Sequence[str] = ""  # male, female or neutral: whose body model the parameters are of
    sample_id: str | Sequence[str] = ""
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)

    def texts(self) -> dict[str, list[str]]:
        """Every text, one a row."""
        n = len(self)
        found = {t: [v] * n if isinstance(v := getattr(self, t), str) else list(v) for t in TEXTS}
        if not self.sample_id:
            found["sample_id"] = [f"{s}-{f:06d}" for s, f in zip(found["sequence"], self.frame.tolist(), strict=True)]
        if not self.clip:
            found["clip"] = found["sequence"]
        return found

    def pick(self, rows: np.ndarray, reason: str) -> "Block":
        """Only some rows (a mask); the others are counted under `reason`."""
        dropped = int((~rows).sum())
        if not dropped:
            return self
        texts = {t: v if isinstance(v := getattr(self, t), str) else list(np.array(v)[rows]) for t in TEXTS}
        fields = {name: values[rows] for name, values in self.fields.items()}
        left = self.left_out | {reason: self.left_out.get(reason, 0) + dropped}
        return replace(self, frame=self.frame[rows], fields=fields, left_out=left, **texts)


def complete(block: Block, keypoints: str | None) -> Block:
    """Add what the labels determine: joints in the table's orders, projections by K, boxes round 2D points.

    Args:
        block: as read.
        keypoints: joint set of keypoints2d and keypoints3d, None without them.
    """
    fields = dict(block.fields)
    for field3d, field2d, target in (("joints3d", "joints2d", "smpl24"),
                                     ("joints3d_h36m17", "joints2d_h36m17", "h36m17")):  # fmt: skip
        if field3d not in fields and "keypoints3d" in fields:
            _whole(fields, "keypoints3d", field3d, keypoints, target)
        if field2d not in fields and "keypoints2d" in fields and fields["keypoints2d"][..., 2].all():
            _whole(fields, "keypoints2d", field2d, keypoints, target)
        if field2d not in fields and field3d in fields and "K" in fields:
            fields[field2d] = project(fields[field3d], fields["K"])
    if "box" not in fields:
        fields["box"] = boxes_round(fields, block.sequence)
    return replace(block, fields=fields)


def _whole(fields: dict, source: str, target: str, from_set: str, to_set: str) -> None:
    """Convert keypoints into a field of the schema, if their set has every joint of it."""
    converted = convert(fields[source], from_set, to_set)
    if converted.valid.all():
        fields[target] = converted.points[..., : 2 if target.startswith("joints2d") else 3]


def boxes_round(fields: dict[str, np.ndarray], where: str | Sequence[str]) -> np.ndarray:
    """(n, 4) square boxes round the labelled 2D points, their sides (1 + 2 MARGIN) times the larger extent."""
    names = [n for n in ("joints2d", "joints2d_h36m17", "keypoints2d") if n in fields]
    if not names:
        raise PosebookError(f"{where}: no box and no 2D joints to draw one round; such rows cannot be cropped.")
    points = fields[names[0]].astype(np.float64)
    seen = points[..., 2:] > 0 if names[0] == "keypoints2d" else np.ones_like(points[..., :1], dtype=bool)
    low = np.where(seen, points[..., :2], np.inf).min(-2)
    high = np.where(seen, points[..., :2], -np.inf).max(-2)
    return square_boxes(np.concatenate([low, high - low], -1), 1 + 2 * MARGIN)


def square_boxes(boxes: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """(n, 4) squares x, y, side, side with the boxes' centres and sides `factor` times the longer ones, >= 1 pixel."""
    boxes = np.asarray(boxes, dtype=np.float64)
    side = np.maximum(boxes[:, 2:].max(1) * factor, 1.0)[:, None]
    corner = boxes[:, :2] + boxes[:, 2:] / 2 - side / 2
    return np.concatenate([corner, side, side], 1)


def check_shapes(block: Block, kind: str, keypoints: str | None) -> None:
    """PosebookError unless every field has its shape and finite numbers."""
    count = len(atlas_set(keypoints)) if keypoints else 0
    for name, values in block.fields.items():
        if name not in DIMS[kind]:
            raise PosebookError(f"{block.sequence}: {name} is no field of {kind} datasets ({', '.join(DIMS[kind])}).")
        shape = (len(block), *(count if n == "J" else n for n in DIMS[kind][name]))
        if values.shape != shape:
            raise PosebookError(f"{block.sequence}: {name} should have shape {shape}, it has {values.shape}.")
        if not np.isfinite(values).all():
            raise PosebookError(f"{block.sequence}: {name} holds NaN or infinite numbers; the source file is damaged.")
