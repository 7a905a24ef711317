"""People in the T-pose: anny's adults drawn, unposed and centred; their measures."""

from typing import NamedTuple

import numpy as np

from posebook.body.anny_source import AnnySource, draw_phenotypes, rest_people
from posebook.body.tpose import skin, tpose_rotations

_CHUNK = 100  # people unposed at a time (100 x 13,718 x 12 doubles are 130 MB)


class People(NamedTuple):
    """T-posed people with the pelvis at the origin."""

    vertices: np.ndarray  # (P, V, 3) metres
    joints: np.ndarray  # (P, 24, 3) metres


def tposed_people(source: AnnySource, count: int, seed: int, kept: np.ndarray) -> People:
    """Draw people and unpose each with its own bones.

    Args:
        source: `load_anny()`.
        count: P.
        seed: of the draw.
        kept: indices of the vertices wanted.
    """
    phenotypes = draw_phenotypes(source, count, seed)
    knuckles = [[source.bone(f"finger{finger}-1.{side}") for side in "LR"] for finger in (2, 5)]
    vertices, joints = [], []
    for chunk in phenotypes.split(_CHUNK):
        rest, heads = rest_people(source, chunk)
        bones = heads[:, source.joint_bones]
        rotations = tpose_rotations(bones, heads[:, knuckles[0]], heads[:, knuckles[1]])
        posed, posed_joints = skin(rest[:, kept], bones, rotations, source.weights[kept])
        vertices.append(posed - posed_joints[:, :1])
        joints.append(posed_joints - posed_joints[:, :1])
    return People(np.concatenate(vertices), np.concatenate(joints))


def stature(vertices: np.ndarray) -> np.ndarray:
    """Height of T-posed people (..., V, 3), crown to sole, metres."""
    return vertices[..., 1].max(-1) - vertices[..., 1].min(-1)
