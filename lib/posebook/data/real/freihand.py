"""FreiHAND: right hands, JSON lists over 32,560 hands, and four pictures of each: green screen and three backgrounds.

`training/rgb/%08d.jpg` is picture id + 32560 v with v in the order gs, hom, sample, auto; `training_xyz.json` metres of
the camera frame, uv = K xyz / z, pictures 224 x 224. MANO's finger angles are stored relative to the mean hand; with
your MANO file converted (body_models.py) the mean is added, since zero is the flat hand here, and MANO's translation,
which is not stored, follows from where it puts the middle finger's knuckle. Source: specs/data.md section 1.8.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block
from posebook.data.real.body_models import models_folder, posed_knuckle
from posebook.data.real.files import read_json
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

VERSIONS = {"training": ("gs", "hom", "sample", "auto"), "evaluation": ("",)}
SIZE = 224.0
KNUCKLE = 9  # of the middle finger among the 21 joints


def label_files(source: Path, split: str) -> list[Path]:
    """K and xyz, and mano if it is there."""
    needed = [source / f"{split}_{kind}.json" for kind in ("K", "xyz")]
    hint = "The 3D labels of evaluation come with FreiHAND_pub_v2_eval.zip." if split == "evaluation" else ""
    mano = source / f"{split}_mano.json"
    return existing(needed, "freihand", hint) + ([mano] if mano.is_file() else [])


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per kind of background."""
    files = {p.stem.rsplit("_", 1)[1]: p for p in label_files(source, split)}
    K, points = numbers(files["K"], (3, 3)), numbers(files["xyz"], (21, 3))
    if len(K) != len(points):
        raise PosebookError(f"{files['K']} has {len(K)} hands, {files['xyz']} {len(points)}. Get both files again.")
    fields = {"K": K, "joints3d": points, "box": np.tile([0, 0, SIZE, SIZE], (len(K), 1))}
    if "mano" in files:
        fields |= mano_fields(numbers(files["mano"], (1, 61))[:, 0], points)
    hands = np.arange(len(K))
    for version, name in enumerate(VERSIONS[split]):
        pictures = hands + len(K) * version
        ids = [f"freihand-{split}-{i:08d}" for i in pictures]
        yield Block(
            [f"{split}/rgb/{i:08d}.jpg" for i in pictures], pictures, ids, fields, action=name,
            clip=[f"hand-{i:08d}" for i in hands], sample_id=ids,
        )  # fmt: skip


def numbers(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """(N, *shape) of a JSON list; PosebookError for another content."""
    try:
        found = np.array(read_json(path), dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise PosebookError(f"{path}: expected a list of {shape} numbers per hand ({error}).") from None
    if found.shape[1:] != shape:
        raise PosebookError(f"{path}: expected (N, {', '.join(map(str, shape))}), found {found.shape}.")
    return found


def mano_fields(mano: np.ndarray, points: np.ndarray) -> dict[str, np.ndarray]:
    """Pose 48, shape 10, uv_root 2, scale 1 -> the schema's parameters.

    Fingers and translation only where the user's MANO is: translation = the labelled knuckle of the middle finger
    (points (N, 21, 3), number 9) minus that of the posed hand.
    """
    fields = {"global_orient": mano[:, :3], "betas": mano[:, 48:58]}
    model = models_folder() / "MANO_RIGHT.npz"
    if model.is_file():
        with np.load(model, allow_pickle=False) as stored:
            fields["hand_pose"] = mano[:, 3:48] + stored["hands_mean"]
        fields["transl"] = points[:, KNUCKLE] - posed_knuckle(fields, model)
    return fields


READER = Reader("freihand", label_files, blocks, pixels="as projected by K, taken for continuous pixels", kind="hand")
