"""Joint sets: names, parents, left/right pairs. Orders are those of ../shared/specs/data.md section 2.

Left and right are the subject's own. `flip` is the permutation that mirrors a skeleton: after x -> -x, joint j of the
mirrored person is joint flip[j] of the original.
"""

from dataclasses import dataclass

from posebook.errors import PosebookError


@dataclass(frozen=True)
class JointSet:
    """One named joint order."""

    name: str  # as used in files and tables
    names: tuple[str, ...]  # one per joint, prefixes left_ and right_
    parents: tuple[int, ...]  # -1 at the root; a tree over all joints, for drawing and bone lengths
    root: tuple[int, ...]  # joints whose mean is the root

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) pairs."""
        return tuple((p, j) for j, p in enumerate(self.parents) if p >= 0)

    @property
    def flip(self) -> tuple[int, ...]:
        """Permutation that swaps left and right."""
        swap = {"left": "right", "right": "left"}
        mirrored = [n.replace(n.split("_")[0], swap.get(n.split("_")[0], n.split("_")[0]), 1) for n in self.names]
        return tuple(self.names.index(n) for n in mirrored)

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Position of a joint by name."""
        if name not in self.names:
            raise PosebookError(f"{self.name} has no joint {name!r}; it has {', '.join(self.names)}.")
        return self.names.index(name)


SMPL24 = JointSet(
    "smpl24",
    ("pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
     "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
     "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand"),
    (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21),
    (0,),
)  # fmt: skip

H36M17 = JointSet(  # right leg first: the order of VideoPose3D, I2L and of our table
    "h36m17",
    ("pelvis", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle", "torso", "neck",
     "nose", "head_top", "left_shoulder", "left_elbow", "left_wrist", "right_shoulder", "right_elbow", "right_wrist"),
    (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
    (0,),
)  # fmt: skip

COCO17 = JointSet(
    "coco17",
    ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
     "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
     "right_ankle"),
    (-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
    (11, 12),
)  # fmt: skip

LSP14 = JointSet(
    "lsp14",
    ("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "right_wrist", "right_elbow",
     "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top"),
    (1, 2, 12, 12, 3, 4, 7, 8, 12, 12, 9, 10, -1, 12),
    (2, 3),
)  # fmt: skip

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")  # MANO's order

MANO16 = JointSet(  # a right hand; joint 1 of a finger is its knuckle, of the thumb the joint at the wrist
    "mano16",
    ("wrist", *(f"{finger}{k}" for finger in _FINGERS for k in (1, 2, 3))),
    (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 0, 10, 11, 0, 13, 14),
    (0,),
)

HAND21 = JointSet(  # FreiHAND's and I2L-MeshNet's order: MANO's joints with fingertips (4), from the thumb on
    "hand21",
    ("wrist", *(f"{f}{k}" for f in ("thumb", "index", "middle", "ring", "pinky") for k in (1, 2, 3, 4))),
    (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19),
    (0,),
)

SPIN_EXTRA9 = (  # rows of the extra regressor that complete SPIN's 54-joint pool, specs/vibe.md section 1.1
    "right_hip_lsp", "left_hip_lsp", "neck_lsp", "head_top_lsp", "pelvis_mpii", "thorax_mpii", "spine_h36m",
    "jaw_h36m", "head_h36m",
)  # fmt: skip

JOINT_SETS = {s.name: s for s in (SMPL24, H36M17, COCO17, LSP14, MANO16, HAND21)}


def joint_set(name: str) -> JointSet:
    """Look a joint set up by name."""
    if name not in JOINT_SETS:
        raise PosebookError(f"Unknown joint set {name!r}; known: {', '.join(JOINT_SETS)}.")
    return JOINT_SETS[name]
