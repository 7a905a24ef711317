"""Flat right hands: anny's adults drawn (the same as the bodies'), fingers straightened, wrist at the origin."""

import numpy as np

from posebook.body.anny_source import draw_phenotypes, rest_people
from posebook.body.population import People
from posebook.body.tpose import rotation_between, skin
from posebook.hand.source import FINGERS, HandSource, to_hand_axes
from posebook.joints import MANO16

_CHUNK = 100  # people at a time


def straightening(joints: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """World rotations that lay the four fingers flat and straight.

    Each finger's three bones turn, by the smallest rotation, into the direction of its first bone seen from above: the
    spread of the fingers stays anny's. The thumb stays as anny holds it, relaxed: no straight thumb lies flat.

    Args:
        joints: (P, 16, 3) metres, hand axes. tips: (P, 5, 3) in the order of FINGERS.

    Returns:
        (P, 16, 3, 3)
    """
    rotations = np.tile(np.eye(3), (*joints.shape[:2], 1, 1))
    for finger, tip in zip(FINGERS[1:], np.moveaxis(tips, 1, 0)[1:], strict=True):
        chain = [joints[:, MANO16.index(f"{finger}{k}")] for k in (1, 2, 3)] + [tip]
        direction = (chain[1] - chain[0]) * np.array([1.0, 0.0, 1.0])
        for k in range(3):
            turn = rotation_between(chain[k + 1] - chain[k], direction)
            rotations[:, MANO16.index(f"{finger}{k + 1}")] = turn
    return rotations


def flat_hands(source: HandSource, count: int, seed: int) -> People:
    """Draw people and flatten each one's hand with its own bones.

    Args:
        source: `load_hand_source()`. count: P. seed: of the draw.

    Returns:
        vertices (P, V, 3) and joints (P, 16, 3), metres, wrist at the origin.
    """
    vertices, joints = [], []
    for chunk in draw_phenotypes(source.anny, count, seed).split(_CHUNK):
        rest, heads = rest_people(source.anny, chunk)
        rest = to_hand_axes(source.vertices(rest), heads, source.bones)
        bones = to_hand_axes(heads, heads, source.bones)[:, source.bones]
        flat, flat_joints = skin(
            rest, bones, straightening(bones, rest[:, source.tips]), source.weights, MANO16.parents
        )
        vertices.append(flat)
        joints.append(flat_joints)
    return People(np.concatenate(vertices), np.concatenate(joints))
