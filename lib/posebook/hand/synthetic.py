"""What is on each picture of a hand: whose, which pose, turned how, seen from how far, in what skin, in front of what.

One numpy SeedSequence per sample id decides everything but the pose, which has a seed of its own; subjects, pose seeds
and backgrounds are split one by one, so that a test picture shows nothing that a training picture has shown.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.spatial.transform import Rotation

from posebook.data import appearance
from posebook.data.camera import crop_box, crop_K, full_K, project
from posebook.data.render import render, vertex_face_matrix
from posebook.data.synthetic import NUM_BACKGROUNDS, seed_words
from posebook.hand.assets import load_hand, load_hand_assets
from posebook.hand.poses import HandPose, Skeleton, draw_pose
from posebook.hand.profile import HandProfile
from posebook.hand.sample import DEPTH_UNIT
from posebook.splits import membership

NUM_POSES = 50_000
DISTANCE = (0.4, 0.9)  # metres from the camera to the wrist
OFF_AXIS = 8.0  # degrees the wrist may be off the optical axis, to either side and up or down
SLEEVE = 0.5  # probability that the stump's cap has the colour of cloth
# Columns: where the hand's x, y, z go. Fingers (-x) up (-y), the back of the hand (+y) to the camera (-z).
_BACK = Rotation.from_matrix([[0, 0, -1], [1, 0, 0], [0, -1, 0]])
_TURNED = Rotation.from_rotvec([0, np.pi, 0])  # from the back to the palm


class HandView(NamedTuple):
    """One picture to make; drawn once per id."""

    subject: int
    background: int
    pose: int  # its seed
    orient: np.ndarray  # (3,) axis-angle, camera frame
    place: np.ndarray  # (3,) wrist, camera frame, metres
    looks: int  # seed of skin and light


class HandPool(NamedTuple):
    """Everyone and everything one split may show."""

    subjects: list[int]
    backgrounds: list[int]
    poses: list[int]


@lru_cache(maxsize=3)
def hand_pool(split: str) -> HandPool:
    """Subjects (those of the bodies), backgrounds and pose seeds of a split, each by its own fixed hash."""
    sizes = (("subject", len(load_hand_assets().people)), ("background", NUM_BACKGROUNDS), ("hand_pose", NUM_POSES))
    return HandPool(*([i for i in range(count) if membership(kind, i) == split] for kind, count in sizes))


def pose_of(seed: int, skeleton: Skeleton) -> HandPose:
    """The pose that a seed stands for, the same in every dataset."""
    return draw_pose(skeleton, np.random.default_rng(np.random.SeedSequence(seed_words("hand_pose", seed))))


def random_turn(limit: float, rng: np.random.Generator) -> Rotation:
    """A rotation by `limit` degrees at most, spread evenly over those: density of the angle t is 1 - cos t."""
    axis = rng.normal(size=3)
    high = np.radians(limit)
    share = rng.uniform() * (high - np.sin(high))
    angle = brentq(lambda t: t - np.sin(t) - share, 0, high)
    return Rotation.from_rotvec(axis / np.linalg.norm(axis) * angle)


def draw_view(identifier: str, split: str, profile: HandProfile) -> HandView:
    """Draw what a picture shows."""
    rng = np.random.default_rng(np.random.SeedSequence(seed_words("hand_view", profile.seed, identifier)))
    pool = hand_pool(split)
    chosen = [int(items[rng.integers(len(items))]) for items in pool]
    facing = _BACK if rng.random() < 0.5 else _TURNED * _BACK
    orient = random_turn(profile.turn, rng) * facing
    aside = np.tan(np.radians(rng.uniform(-OFF_AXIS, OFF_AXIS, 2)))
    ray = np.array([*aside, 1.0])
    place = rng.uniform(*DISTANCE) * ray / np.linalg.norm(ray)
    return HandView(*chosen, orient.as_rotvec(), place, int(rng.integers(2**32)))


class HandPainter:
    """Turns views into samples. One per process."""

    def __init__(self, profile: HandProfile):
        self.profile = profile
        self.assets = load_hand_assets()
        self.model = load_hand()
        self.incidence = vertex_face_matrix(self.assets.faces, len(self.assets.template))
        corners = self.assets.template[self.assets.faces]  # (F, 3, 3)
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        self.palm = np.clip(0.3 - 1.1 * normals[:, 1], 0, 1)  # 1 on the palm, 0 on the back, between on the sides
        self.stump = normals[:, 0] > 0.8

    def paint(self, views: list[HandView]) -> list[dict]:
        """Render views; each result holds the stored fields of `sample.HAND_FIELDS`."""
        poses = np.stack([pose_of(view.pose, self.assets.skeleton).hand_pose for view in views])
        meshes = self.pose(views, poses)
        return [self.picture(*each) for each in zip(views, poses, meshes, strict=True)]

    @torch.no_grad()
    def pose(self, views: list[HandView], poses: np.ndarray) -> np.ndarray:
        """Vertices (B, V, 3) of turned hands before they are put in place, metres."""
        inputs = {"betas": np.stack([self.assets.people[v.subject] for v in views]), "hand_pose": poses,
                  "global_orient": np.stack([v.orient for v in views])}  # fmt: skip
        inputs = {name: torch.as_tensor(array, dtype=torch.float32) for name, array in inputs.items()}
        return self.model(**inputs, transl=torch.zeros(len(views), 3)).vertices.numpy()

    def colours(self, rng: np.random.Generator) -> np.ndarray:
        """Albedo (F, 3) in [0, 1]: a skin of `appearance.SKIN_TONES`, palm lighter, sometimes cloth at the stump."""
        tone = appearance.SKIN_TONES[rng.integers(len(appearance.SKIN_TONES))] * rng.uniform(0.85, 1.1)
        lighter = rng.uniform(0.15, 0.4) * np.maximum(appearance.SKIN_TONES[0] - tone, 0)
        colours = tone + self.palm[:, None] * lighter
        cloth, sleeved = rng.uniform(0.05, 0.95, 3), rng.random() < SLEEVE
        if sleeved:
            colours[self.stump] = cloth
        return np.clip(colours, 0, 1).astype(np.float32)

    def picture(self, view: HandView, hand_pose: np.ndarray, vertices: np.ndarray) -> dict:
        """One rendered sample."""
        transl = view.place - self.assets.regressor[0] @ vertices
        vertices = vertices + transl
        joints = self.assets.regressor @ vertices
        box = crop_box(project(vertices, full_K()), self.profile.margin)
        K = crop_K(full_K(), box, self.profile.image_size)
        rng = np.random.default_rng(view.looks)
        colours, light = self.colours(rng), appearance.random_light(rng)
        scenery = appearance.background(seed_words("background", view.background), self.profile.image_size)
        mesh = (vertices, self.assets.faces, self.assets.part_of_face)
        drawn = render(*mesh, colours, self.incidence, K, light, scenery)
        return {
            "image": drawn.image,
            "parts": drawn.parts,
            "depth": np.round(drawn.depth / DEPTH_UNIT).astype(np.uint16),
            "box": box,
            "K": K,
            "joints3d": joints,
            "joints2d": project(joints, K),
            "global_orient": view.orient,
            "hand_pose": hand_pose,
            "betas": self.assets.people[view.subject],
            "transl": transl,
        }
