"""The joint-set atlas: the orders that datasets use beside those of `posebook.joints`, and conversions between all.

Joints of two sets are the same when they mean the same place. Means: a joint's own name, unless `MEANING` says
otherwise. Hips and pelvis are taken for the same in every set, though annotators and SMPL put them centimetres apart.
Source: specs/data.md section 2.
"""

from typing import NamedTuple

import numpy as np

from posebook.errors import PosebookError
from posebook.joints import H36M17, JOINT_SETS, JointSet
from posebook.models.spin49 import SPIN49_NAMES


def _sides(pattern: str) -> tuple[str, ...]:
    """Names of a short list: R_ and L_ spelled out."""
    full = {"R": "right_", "L": "left_"}
    return tuple(full[word[0]] + word[2:] if word[:2] in ("R_", "L_") else word for word in pattern.split())


def _tree(names: tuple[str, ...], bones: str) -> tuple[int, ...]:
    """Parents from `child<parent` words; names without a word are roots."""
    above = dict(word.split("<") for word in bones.split())
    above = {_sides(child)[0]: _sides(parent)[0] for child, parent in above.items()}
    return tuple(names.index(above[name]) if name in above else -1 for name in names)


_LEGS = "R_knee<R_hip R_ankle<R_knee L_knee<L_hip L_ankle<L_knee "
_ARMS = "R_elbow<R_shoulder R_wrist<R_elbow L_elbow<L_shoulder L_wrist<L_elbow "
_FACE = "L_eye<nose R_eye<nose L_ear<L_eye R_ear<R_eye "

_H36M32 = _sides(
    "pelvis R_hip R_knee R_ankle R_toe R_toe_end L_hip L_knee L_ankle L_toe L_toe_end pelvis_spine torso neck nose "
    "head_top neck_left L_shoulder L_elbow L_wrist L_wrist_thumb L_thumb L_hand_end L_hand_end_2 neck_right R_shoulder "
    "R_elbow R_wrist R_wrist_thumb R_thumb R_hand_end R_hand_end_2"
)  # joints 11, 16, 20, 23, 24, 28 and 31 repeat the places of 0, 13, 19, 22, 13, 27 and 30
H36M32 = JointSet(
    "h36m32", _H36M32,
    (-1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 12, 16, 17, 18, 19, 20, 19, 22, 12, 24, 25, 26, 27, 28, 27,
     30), (0,),
)  # fmt: skip
H36M17_FROM_H36M32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)  # right leg first: ours

LEGS_EXCHANGED = (0, 4, 5, 6, 1, 2, 3, *range(7, 17))  # between the two orders of H36M-17, either way
H36M17_LEFT_FIRST = JointSet(  # C2F, SPIN's regressor, VIBE, TCMR: arms are in the same order, legs are not
    "h36m17_left_first", tuple(H36M17.names[j] for j in LEGS_EXCHANGED), H36M17.parents, (0,)
)

_OPENPOSE = "nose neck R_shoulder R_elbow R_wrist L_shoulder L_elbow L_wrist "
_OPENPOSE18 = _sides(_OPENPOSE + "R_hip R_knee R_ankle L_hip L_knee L_ankle R_eye L_eye R_ear L_ear")
_OPENPOSE25 = _sides(
    _OPENPOSE + "pelvis R_hip R_knee R_ankle L_hip L_knee L_ankle R_eye L_eye R_ear L_ear L_big_toe "
    "L_small_toe L_heel R_big_toe R_small_toe R_heel"
)
_UPPER = "R_shoulder<neck L_shoulder<neck nose<neck " + _ARMS + _LEGS + _FACE
OPENPOSE18 = JointSet("openpose18", _OPENPOSE18, _tree(_OPENPOSE18, _UPPER + "R_hip<neck L_hip<neck"), (8, 11))
OPENPOSE25 = JointSet(
    "openpose25", _OPENPOSE25,
    _tree(_OPENPOSE25, _UPPER + "pelvis<neck R_hip<pelvis L_hip<pelvis L_big_toe<L_ankle L_small_toe<L_big_toe "
          "L_heel<L_ankle R_big_toe<R_ankle R_small_toe<R_big_toe R_heel<R_ankle"), (8,),
)  # fmt: skip

# BODY_25's tree, then that of the annotations, hung on the OpenPose neck.
_SPIN49_PARENTS = (
    *OPENPOSE25.parents,
    26, 27, 39, 39, 28, 29, 32, 33, 37, 37, 34, 35, 1, 37, 8, 1, 39, 37, 42, 43, 44, 44, 45, 46,
)  # fmt: skip
SPIN49 = JointSet("spin49", SPIN49_NAMES, _SPIN49_PARENTS, (27, 28))

_MPII16 = _sides(
    "R_ankle R_knee R_hip L_hip L_knee L_ankle pelvis thorax neck head_top R_wrist R_elbow R_shoulder "
    "L_shoulder L_elbow L_wrist"
)
MPII16 = JointSet(
    "mpii16", _MPII16,
    _tree(_MPII16, _LEGS + _ARMS + "R_hip<pelvis L_hip<pelvis thorax<pelvis neck<thorax head_top<neck "
          "R_shoulder<thorax L_shoulder<thorax"), (6,),
)  # fmt: skip

_MPII3D28 = _sides(
    "spine3 spine4 spine2 spine pelvis neck head head_top L_clavicle L_shoulder L_elbow L_wrist L_hand "
    "R_clavicle R_shoulder R_elbow R_wrist R_hand L_hip L_knee L_ankle L_foot L_toe R_hip R_knee R_ankle R_foot R_toe"
)
MPII3D28 = JointSet(
    "mpii3d28", _MPII3D28,
    _tree(_MPII3D28, _LEGS + _ARMS + "spine<pelvis spine2<spine spine3<spine2 spine4<spine3 neck<spine4 head<neck "
          "head_top<head L_clavicle<spine4 R_clavicle<spine4 L_shoulder<L_clavicle R_shoulder<R_clavicle "
          "L_hand<L_wrist R_hand<R_wrist L_hip<pelvis R_hip<pelvis L_foot<L_ankle R_foot<R_ankle L_toe<L_foot "
          "R_toe<R_foot"), (4,),
)  # fmt: skip
_MPII3D17 = _sides(
    "head_top neck R_shoulder R_elbow R_wrist L_shoulder L_elbow L_wrist R_hip R_knee R_ankle L_hip L_knee L_ankle "
    "pelvis spine head"
)
MPII3D17 = JointSet(
    "mpii3d17", _MPII3D17,
    _tree(_MPII3D17, _LEGS + _ARMS + "R_hip<pelvis L_hip<pelvis spine<pelvis neck<spine head<neck head_top<head "
          "R_shoulder<neck L_shoulder<neck"), (14,),
)  # fmt: skip
MPII3D17_FROM_MPII3D28 = (7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6)

_HUMANEVA15 = _sides(
    "pelvis thorax L_shoulder L_elbow L_wrist R_shoulder R_elbow R_wrist L_hip L_knee L_ankle R_hip R_knee R_ankle head"
)
HUMANEVA15 = JointSet("humaneva15", _HUMANEVA15, (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1), (0,))

_PENN13 = _sides("head L_shoulder R_shoulder L_elbow R_elbow L_wrist R_wrist L_hip R_hip L_knee R_knee L_ankle R_ankle")
PENN13 = JointSet(
    "penn13", _PENN13,
    _tree(_PENN13, _LEGS + _ARMS + "L_shoulder<head R_shoulder<head L_hip<L_shoulder R_hip<R_shoulder"), (7, 8),
)  # fmt: skip

_POSETRACK17 = _sides(
    "nose neck head_top L_ear R_ear L_shoulder R_shoulder L_elbow R_elbow L_wrist R_wrist L_hip R_hip L_knee "
    "R_knee L_ankle R_ankle"
)  # the loader reads a file's own order and brings it into this one
POSETRACK17 = JointSet(
    "posetrack17", _POSETRACK17,
    _tree(_POSETRACK17, _LEGS + _ARMS + "nose<neck head_top<neck L_ear<nose R_ear<nose L_shoulder<neck R_shoulder<neck "
          "L_hip<neck R_hip<neck"), (11, 12),
)  # fmt: skip

ATLAS = JOINT_SETS | {
    s.name: s
    for s in (H36M32, H36M17_LEFT_FIRST, OPENPOSE18, OPENPOSE25, SPIN49, MPII16, MPII3D28, MPII3D17, HUMANEVA15, PENN13,
              POSETRACK17)
}  # fmt: skip

MEANING = {  # set -> joint -> the place it means, where that is not its name
    "smpl24": {"neck": "neck_smpl", "head": "head_smpl", "left_hand": "left_hand_smpl", "right_hand": "right_hand_smpl"}
    | {f"spine{k}": f"spine{k}_smpl" for k in (1, 2, 3)},
    "h36m17": {"nose": "jaw", "torso": "spine"},  # H36M's nose is SPIN's jaw, between neck and head top
    "h36m17_left_first": {"nose": "jaw", "torso": "spine"},
    "h36m32": {"nose": "jaw", "torso": "spine"},
    "openpose18": {"neck": "neck_smpl"},  # SPIN reads both from SMPL's neck joint
    "openpose25": {"neck": "neck_smpl"},
    "spin49": {f"openpose_{name}": name for name in _OPENPOSE25 if name != "neck"}
    | {"openpose_neck": "neck_smpl", "right_hip_lsp": "right_hip", "left_hip_lsp": "left_hip", "neck_lsp": "neck",
       "head_top_lsp": "head_top", "pelvis_mpii": "pelvis", "thorax_mpii": "thorax", "spine_h36m": "spine",
       "jaw_h36m": "jaw", "head_h36m": "head"},
    "mpii3d28": {f"spine{k}": f"spine{k}_3dhp" for k in (2, 3, 4)}
    | {f"{side}_{name}": f"{side}_{name}_3dhp" for side in ("left", "right") for name in ("hand", "foot", "toe")},
    "humaneva15": {"thorax": "thorax_humaneva", "head": "head_humaneva"},
    "penn13": {"head": "head_penn"},
}  # fmt: skip


class Converted(NamedTuple):
    """Points in another joint order."""

    points: np.ndarray  # (..., K, D), zero where the source has no such joint
    valid: np.ndarray  # (K,) bool


def atlas_set(name: str) -> JointSet:
    """A joint set of the atlas by name; PosebookError for an unknown one."""
    if name not in ATLAS:
        raise PosebookError(f"Unknown joint set {name!r}; the atlas holds {', '.join(ATLAS)}.")
    return ATLAS[name]


def meanings(joints: JointSet) -> tuple[str, ...]:
    """The place that each joint means."""
    table = MEANING.get(joints.name, {})
    return tuple(table.get(name, name) for name in joints.names)


def mapping(source: str, target: str) -> np.ndarray:
    """(K,) joint of `source` for each joint of `target`, -1 where it has none.

    SPIN's 49 hold many joints twice; the later one, of the annotations, is taken.
    """
    if source == target:
        return np.arange(len(atlas_set(source)))
    found = {place: j for j, place in enumerate(meanings(atlas_set(source)))}
    return np.array([found.get(place, -1) for place in meanings(atlas_set(target))])


def convert(points: np.ndarray, source: str, target: str) -> Converted:
    """Bring points from one joint order into another; nothing is guessed.

    Args:
        points: (..., J, D) in the order of `source`.
        source, target: names of the atlas.

    Raises:
        PosebookError: an unknown set, or another number of joints.
    """
    points, count = np.asarray(points), len(atlas_set(source))
    if points.ndim < 2 or points.shape[-2] != count:
        raise PosebookError(f"Expected (..., {count}, D) in the order of {source}, got {points.shape}.")
    index = mapping(source, target)
    valid = index >= 0
    return Converted(points[..., index, :] * valid[:, None].astype(points.dtype), valid)


def common_joints(source: str, target: str) -> tuple[str, ...]:
    """Names, in `target`, of the joints that both sets have."""
    return tuple(n for n, j in zip(atlas_set(target).names, mapping(source, target), strict=True) if j >= 0)
