"""Keep fingers out of each other and of the palm: spheres along the bones, of the mesh's own thickness."""

from typing import NamedTuple

import numpy as np

from posebook.hand.source import FINGERS
from posebook.joints import MANO16

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the way along a bone
TOLERANCE = 0.004  # metres that two spheres may overlap: skin gives way, and pads are flatter than spheres


class Spheres(NamedTuple):
    """Spheres along 3 bones of each finger and along the palm from the wrist to each knuckle (S in all)."""

    start: np.ndarray  # (S,) index into the 21 points: 16 joints, then 5 tips
    end: np.ndarray  # (S,)
    share: np.ndarray  # (S,) of the way
    radius: np.ndarray  # (S,) metres
    apart: np.ndarray  # (S, S) bool, pairs that may not overlap


def finger_spheres(vertices: np.ndarray, weights: np.ndarray, joints: np.ndarray, tips: np.ndarray) -> Spheres:
    """Measure a flat hand.

    A bone's radius is the mean distance of its vertices from its line. The last sphere of a finger is moved back by its
    radius. Not compared: spheres of one finger, of two palm bones, and of a first bone with the palm or with another
    finger's first bone; these are joined by flesh.

    Args:
        vertices: (V, 3) metres. weights: (V, 16). joints: (16, 3). tips: (5, 3).
    """
    points = np.concatenate([joints, tips])
    start, end, share, radius, finger, level = [], [], [], [], [], []
    part = weights.argmax(1)
    for f, name in enumerate(FINGERS):
        chain = [MANO16.index(f"{name}{k}") for k in (1, 2, 3)] + [16 + f]
        bones = list(zip(chain[:-1], chain[1:], strict=True))
        sizes = [_radius(vertices[part == a], points[a], points[b]) for a, b in bones]
        if name != "thumb":  # its first bone is itself palm
            bones, sizes = [(0, chain[0]), *bones], [sizes[0], *sizes]
        for k, ((a, b), size) in enumerate(zip(bones, sizes, strict=True), start=4 - len(bones)):
            length = np.linalg.norm(points[b] - points[a])
            last = 1.0 if k < 3 else 1 - size / length
            for s in SHARES:
                start.append(a), end.append(b), share.append(s * last), radius.append(size)
                finger.append(f), level.append(k)
    finger, level = np.array(finger), np.array(level)
    joined = (level[:, None] <= 1) & (level[None] <= 1)
    apart = (finger[:, None] != finger[None]) & ~joined
    return Spheres(np.array(start), np.array(end), np.array(share), np.array(radius), apart)


def _radius(vertices: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    along = (b - a) / np.linalg.norm(b - a)
    offset = vertices - a
    return float(np.linalg.norm(offset - (offset @ along)[:, None] * along, axis=1).mean())


def overlap(spheres: Spheres, joints: np.ndarray, tips: np.ndarray) -> np.ndarray:
    """Deepest overlap of two spheres that should be apart.

    Args:
        spheres: `finger_spheres`. joints: (N, 16, 3) posed. tips: (N, 5, 3) posed.

    Returns:
        (N,) metres, negative when nothing touches.
    """
    points = np.concatenate([joints, tips], axis=1)
    centres = points[:, spheres.start] + spheres.share[:, None] * (points[:, spheres.end] - points[:, spheres.start])
    first, second = np.nonzero(np.triu(spheres.apart))
    distance = np.linalg.norm(centres[:, first] - centres[:, second], axis=-1)
    return (spheres.radius[first] + spheres.radius[second] - distance).max(1)
