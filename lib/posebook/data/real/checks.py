"""Detectors of mix-ups: they look at labels and say by name what is wrong, before anybody trains on them.

Units: a leg's bones are 0.2 to 0.7 m. Sides: shoulders and hips point the same way. Handedness: a person's front,
left x up, is where knees bend to. Mirrors: joints projected with K meet the 2D labels, not their mirror image.
"""

import numpy as np

from posebook.data.camera import project
from posebook.data.real.block import Block
from posebook.errors import PosebookError
from posebook.joint_atlas import atlas_set, convert, meanings

LEG_BONE = (0.2, 0.7)  # metres, adults and children
PALM = (0.03, 0.15)  # metres from wrist to the middle finger's knuckle
UNITS = {1000.0: "millimetres", 100.0: "centimetres", 10.0: "decimetres", 0.001: "kilometres"}
# The next two were tried on 72 sequences of CMU's motion capture, ballet and climbing among them: no second of any of
# them is refused by the first numbers, no single frame by the second (the extremes of frames: -0.56 and -0.069 m).
MANY = 30  # rows that show a person in more than one moment
OPPOSITE = (-0.3, -0.7)  # mean cosine of shoulders and hips below which legs or arms are exchanged; of fewer rows
BENT_BACK = (0.01, 0.08)  # metres that knees lie behind the line from hip to ankle, on average; of fewer rows
BENT = 0.01  # metres that fingertips lie to the back of the hand, on average
FAR = 0.1  # of the person's extent in the picture: a larger median error of projections wants an explanation
LOST = 0.5  # of that extent: labels are not of these people, or not of this camera


def check_units(points: np.ndarray, joints: str, where: str) -> None:
    """PosebookError if bones are not of human size in metres.

    Args:
        points: (n, J, 3).
        joints: an atlas name.
        where: for the message.
    """
    low, high = PALM if joints == "hand21" else LEG_BONE
    index = {place: j for j, place in enumerate(meanings(atlas_set(joints)))}
    ends = ("wrist", "middle1") if joints == "hand21" else ("left_knee", "left_hip")
    length = float(np.median(np.linalg.norm(points[:, index[ends[0]]] - points[:, index[ends[1]]], axis=-1)))
    if low <= length <= high:
        return
    unit = next((name for factor, name in UNITS.items() if low <= length / factor <= high), None)
    guess = f"It looks like {unit}." if unit else "It is of no human size in any usual unit."
    raise PosebookError(f"{where}: expected metres; the bone from {ends[1]} to {ends[0]} is {length:.4g} long. {guess}")


def side_cosine(points: np.ndarray, joints: str) -> float:
    """Mean cosine between the directions right to left of shoulders and of hips, (n, J, 2 or 3) points."""
    index = {place: j for j, place in enumerate(meanings(atlas_set(joints)))}
    pairs = [points[:, index[f"left_{n}"]] - points[:, index[f"right_{n}"]] for n in ("shoulder", "hip")]
    lengths = np.linalg.norm(pairs[0], axis=-1) * np.linalg.norm(pairs[1], axis=-1)
    return float(np.mean((pairs[0] * pairs[1]).sum(-1) / np.maximum(lengths, 1e-12)))


def h36m17_order(points: np.ndarray) -> str:
    """The order of 17 Human3.6M joints by geometry, not by names.

    Args:
        points: (n, 17, 3) any unit and frame.

    Returns:
        "h36m17" (right leg first) or "h36m17_left_first". Source: specs/data.md section 2.
    """
    return "h36m17" if side_cosine(points, "h36m17") > 0 else "h36m17_left_first"


def check_sides(points: np.ndarray, joints: str, where: str) -> None:
    """PosebookError if left and right of the legs disagree with those of the arms; few rows need clearer evidence."""
    if side_cosine(points, joints) < OPPOSITE[len(points) < MANY]:
        other = {"h36m17": "h36m17_left_first", "h36m17_left_first": "h36m17"}.get(joints)
        hint = f"These are joints in the order {other}." if other else "Left and right of legs or arms are exchanged."
        raise PosebookError(f"{where}: in the order {joints}, hips point against the shoulders. {hint}")


def knees_forward(points: np.ndarray, joints: str) -> float:
    """Mean metres that the knees lie before the line from hip to ankle, front being left x up; camera frame."""
    lsp = convert(points, joints, "lsp14").points
    up = lsp[:, [2, 3]].mean(1) - lsp[:, [0, 5]].mean(1)
    front = np.cross(lsp[:, 3] - lsp[:, 2], up)  # right-handed frames
    front /= np.maximum(np.linalg.norm(front, axis=-1, keepdims=True), 1e-12)
    found = []
    for hip, knee, ankle in ((2, 1, 0), (3, 4, 5)):
        along = lsp[:, ankle] - lsp[:, hip]
        share = ((lsp[:, knee] - lsp[:, hip]) * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-12)
        offset = lsp[:, knee] - lsp[:, hip] - np.clip(share, 0, 1)[:, None] * along
        found.append((offset * front).sum(-1))
    return float(np.mean(found))


def check_handedness(points: np.ndarray, joints: str, where: str) -> None:
    """PosebookError if knees bend backwards: axes of a mirror image, or left exchanged with right.

    Few rows need clearer evidence: in a turn or on tiptoe, a hip line says little about where the front is.
    """
    forward = knees_forward(points, joints)
    if forward < -BENT_BACK[len(points) < MANY]:
        raise PosebookError(
            f"{where}: knees bend backwards ({-forward * 1000:.0f} mm behind the line from hip to ankle). Either left "
            "and right are exchanged in every limb, or the frame is left-handed (a mirrored axis)."
        )


def fingers_to_palm(points: np.ndarray) -> float:
    """Mean metres that fingertips lie to the palm's side of the knuckles of a right hand, (n, 21, 3) camera frame.

    Out of a right hand's palm points (index knuckle - wrist) x (little finger's knuckle - wrist).
    """
    hand = atlas_set("hand21")
    knuckles, tips = ([hand.index(f"{f}{k}") for f in ("index", "middle", "ring", "pinky")] for k in (1, 4))
    wrist = points[:, :1]
    palm = np.cross(points[:, knuckles[0]] - wrist[:, 0], points[:, knuckles[3]] - wrist[:, 0])
    palm /= np.maximum(np.linalg.norm(palm, axis=-1, keepdims=True), 1e-12)
    return float(((points[:, tips] - points[:, knuckles]) * palm[:, None]).sum(-1).mean())


def check_right_hand(points: np.ndarray, where: str) -> None:
    """PosebookError if fingers bend to the back of the hand."""
    to_palm = fingers_to_palm(points)
    if to_palm < -BENT:
        raise PosebookError(f"{where}: fingers bend {-to_palm * 1000:.0f} mm to the back of the hand: these are left "
                            "hands, or the frame is left-handed (a mirrored axis).")  # fmt: skip


def explain_projection(
    points: np.ndarray, K: np.ndarray, pixels: np.ndarray, width: float, seen: np.ndarray | None = None
) -> tuple[float, str]:
    """How far projections lie from 2D labels, and which mix-up would explain it.

    Args:
        points: (n, J, 3) metres, camera frame.
        K: (n, 3, 3).
        pixels: (n, J, 2).
        width: of the picture.
        seen: (n, J) bool, labels to compare; all if None.

    Returns:
        Median error in pixels and "" where it is small, else "camera behind", "mirrored picture" or "another camera".
    """
    seen = np.ones(pixels.shape[:-1], dtype=bool) if seen is None else seen
    if not seen.any():
        return 0.0, ""
    if (points[..., 2] <= 0).mean() > 0.5:
        return float("inf"), "camera behind"
    rows, columns = np.nonzero(seen)
    labels, found = pixels[rows, columns], project(points[rows, columns][:, None], K[rows])[:, 0]
    error = float(np.median(np.linalg.norm(found - labels, axis=-1)))
    spread = np.where(seen[..., None], pixels, np.nan)[seen.any(1)]
    extent = float(np.median((np.nanmax(spread, 1) - np.nanmin(spread, 1)).max(-1)))
    if error <= FAR * extent:
        return error, ""
    mirrored = np.concatenate([width - found[:, :1], found[:, 1:]], -1)
    if np.median(np.linalg.norm(mirrored - labels, axis=-1)) < error / 4:
        return error, "mirrored picture"
    return error, "another camera" if error > LOST * extent else ""  # detectors err, too


def check_projection(points, K, pixels, width: float, where: str, seen: np.ndarray | None = None) -> None:
    """PosebookError with the explanation if projections miss the labels by far; see `explain_projection`."""
    error, reason = explain_projection(points, K, pixels, width, seen)
    if reason:
        raise PosebookError(f"{where}: 3D joints projected with the stored camera miss the 2D labels by {error:.0f} px "
                            f"(median): {reason}.")  # fmt: skip


def check_block(block: Block, kind: str, keypoints: str | None, rows: int) -> None:
    """Run the detectors on some rows of a block; whatever labels are missing is not looked at."""
    step = max(1, len(block) // rows)
    fields = {name: values[::step].astype(np.float64) for name, values in block.fields.items()}
    where = block.sequence if isinstance(block.sequence, str) else block.texts()["sequence"][0]
    own = {"joints3d": "hand21" if kind == "hand" else "smpl24", "joints3d_h36m17": "h36m17", "keypoints3d": keypoints}
    for name, joints in own.items():
        if name not in fields or joints is None:
            continue
        check_units(fields[name], joints, f"{where}, {name}")
        if joints == "hand21":
            check_right_hand(fields[name], f"{where}, {name}")
        else:
            check_sides(fields[name], joints, f"{where}, {name}")
            check_handedness(fields[name], joints, f"{where}, {name}")
        check_labels2d(fields, name, joints, keypoints, f"{where}, {name}")


def check_labels2d(fields: dict[str, np.ndarray], name: str, joints: str, keypoints: str | None, where: str) -> None:
    """Compare one kind of 3D joints with the 2D labels, where there are both and a camera."""
    if "K" not in fields:
        return
    width = 2 * float(np.median(fields["K"][:, 0, 2]))
    if "keypoints2d" in fields:
        moved = convert(fields[name], joints, keypoints)
        seen = (fields["keypoints2d"][..., 2] > 0) & moved.valid
        check_projection(moved.points, fields["K"], fields["keypoints2d"][..., :2], width, where, seen)
    elif (pixels := name.replace("3d", "2d")) in fields:
        check_projection(fields[name], fields["K"], fields[pixels], width, where)
