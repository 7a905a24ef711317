"""What is on each synthetic picture: who, which motion, which frame, seen from where, dressed how, in front of what.

One numpy SeedSequence per sample (or sequence) id decides everything, so a dataset does not depend on the number of
workers, on the order of rendering or on how often rendering was interrupted.
"""

import hashlib
from typing import NamedTuple

import numpy as np
import scipy.sparse
import torch
from scipy.spatial.transform import Rotation

from posebook.body import load_assets, load_body
from posebook.data import appearance
from posebook.data.camera import Camera, crop_box, crop_K, full_K, look_at, orbit, project
from posebook.data.render import render, vertex_face_matrix
from posebook.errors import PosebookError
from posebook.motion import MotionClip, list_clips
from posebook.own_body import FREE
from posebook.profile import DataProfile
from posebook.splits import membership

NUM_BACKGROUNDS = 2000
DISTANCE = (3.0, 6.0)  # metres
ELEVATION = (-10.0, 30.0)  # degrees
AIM = 3.0  # degrees the optical axis may miss the person's pelvis


class View(NamedTuple):
    """How a sample or sequence is seen; drawn once per id."""

    subject: int
    background: int
    clip: str
    start: int  # first frame in the clip
    azimuth: float  # radians from the heading of the (middle) frame
    elevation: float
    distance: float
    aim: np.ndarray  # (2,) radians the axis misses the pelvis by
    looks: int  # seed of outfit and light


class Pool(NamedTuple):
    """Everyone and everything one split may show."""

    subjects: list[int]
    backgrounds: list[int]
    clips: list  # ClipInfo


def seed_words(*parts) -> list[int]:
    """Stable integers for a SeedSequence from any printable parts."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4)]


def split_pool(motion: str, split: str) -> Pool:
    """Subjects, backgrounds and clips of a split, each by its own fixed hash (CMU clips by the subject list)."""
    people = range(len(load_assets("coarse", FREE).people))
    subjects = [i for i in people if membership("subject", i) == split]
    backgrounds = [i for i in range(NUM_BACKGROUNDS) if membership("background", i) == split]
    return Pool(subjects, backgrounds, [c for c in list_clips(motion) if c.split == split])


def draw_views(identifiers: list[str], pool: Pool, frames: int, profile: DataProfile) -> list[View]:
    """A view for every id; actions are taken in turn, so that each is shown equally often.

    Args:
        frames: that a clip must have.

    Raises:
        PosebookError: no clip is long enough.
    """
    clips = [c for c in pool.clips if c.num_frames >= frames]
    if identifiers and not clips:
        raise PosebookError(
            f"{identifiers[0]}: expected motion clips of at least {frames} frames in this split, found none among "
            f"{len(pool.clips)}. Prepare more clips (data_download/README.md) or use --motion procedural."
        )
    actions = [[c for c in clips if c.action == action] for action in sorted({c.action for c in clips})]
    turns = enumerate(identifiers)
    return [draw_view(name, pool, actions[i % len(actions)], frames, profile) for i, name in turns]


def draw_view(identifier: str, pool: Pool, clips: list, frames: int, profile: DataProfile) -> View:
    """Draw a view of one of the clips, all of which have `frames` frames."""
    rng = np.random.default_rng(np.random.SeedSequence(seed_words("view", profile.seed, identifier)))
    clip = clips[rng.integers(len(clips))]
    limit = np.radians(profile.azimuth)
    return View(
        pool.subjects[rng.integers(len(pool.subjects))],
        pool.backgrounds[rng.integers(len(pool.backgrounds))],
        clip.name,
        int(rng.integers(clip.num_frames - frames + 1)),
        rng.uniform(-limit, limit),
        np.radians(rng.uniform(*ELEVATION)),
        rng.uniform(*DISTANCE),
        np.radians(rng.uniform(-AIM, AIM, 2) / np.sqrt(2)),
        int(rng.integers(2**32)),
    )


def heading(global_orient: np.ndarray) -> float:
    """Angle about y of the direction the pelvis faces, radians; 0 is world +z."""
    facing = Rotation.from_rotvec(global_orient).apply([0.0, 0.0, 1.0])
    return float(np.arctan2(facing[0], facing[2]))


class Row(NamedTuple):
    """One picture to make."""

    view: View
    clip: MotionClip
    frame: int  # of the clip
    middle: int  # frame whose heading and place fix the camera; the row's own for stills


class Bodies(NamedTuple):
    """Posed people in the world frame, one a row."""

    vertices: np.ndarray  # (B, V, 3) of the rendered level, metres
    joints: np.ndarray  # (B, 24, 3)
    h36m17: np.ndarray  # (B, 17, 3)


class Painter:
    """Turns rows into samples. One per process: holds the body at both levels and the face regions."""

    def __init__(self, profile: DataProfile):
        self.profile = profile
        self.assets = load_assets(profile.level, FREE)
        self.full = load_body(FREE, level="full")
        self.level = self.full if profile.level == "full" else load_body(FREE, level=profile.level)
        self.h36m17 = scipy.sparse.csr_matrix(load_assets("full", FREE).regressors["h36m17"])
        self.regions = appearance.face_regions(self.assets)
        self.incidence = vertex_face_matrix(self.assets.faces, len(self.assets.template))
        self.pelvis = rest_pelvis(self.full)

    def paint(self, rows: list[Row]) -> list[dict]:
        """Render rows; each result holds the stored fields of `sample.ARRAY_FIELDS`."""
        bodies = self.pose(rows)
        return [self.picture(row, *(a[i] for a in bodies)) for i, row in enumerate(rows)]

    @torch.no_grad()
    def pose(self, rows: list[Row]) -> Bodies:
        """Pose all rows at once; the H36M joints are regressed from the full mesh."""
        inputs = {
            "betas": np.stack([self.assets.people[r.view.subject] for r in rows]),
            "global_orient": np.stack([r.clip.global_orient[r.frame] for r in rows]),
            "body_pose": np.stack([r.clip.body_pose[r.frame] for r in rows]),
            "transl": np.stack([r.clip.transl[r.frame] for r in rows]),
        }
        inputs = {name: torch.as_tensor(array, dtype=torch.float32) for name, array in inputs.items()}
        full = self.full(**inputs)
        flat = full.vertices.permute(1, 0, 2).flatten(1).numpy()  # (V, B*3)
        h36m17 = (self.h36m17 @ flat).reshape(17, -1, 3).swapaxes(0, 1)  # (B, 17, 3)
        level = full.vertices if self.level is self.full else self.level(**inputs).vertices
        return Bodies(level.numpy(), full.joints[:, :24].numpy(), h36m17)

    def picture(self, row: Row, vertices: np.ndarray, joints: np.ndarray, h36m17: np.ndarray) -> dict:
        """One rendered sample: the camera's place is fixed for a view, its axis is turned to the person."""
        view, clip, profile = row.view, row.clip, self.profile
        betas = self.assets.people[view.subject]
        target = joints[0] + clip.transl[row.middle] - clip.transl[row.frame]
        position = orbit(target, heading(clip.global_orient[row.middle]), view.azimuth, view.elevation, view.distance)
        camera = aim(position, joints[0], view.aim)
        vertices, joints, h36m17 = (points @ camera.R.T + camera.t for points in (vertices, joints, h36m17))
        box = crop_box(project(vertices, full_K()), profile.margin)
        K = crop_K(full_K(), box, profile.image_size)
        rng = np.random.default_rng(view.looks)
        colours, light = appearance.face_colours(self.regions, rng), appearance.random_light(rng)
        scenery = appearance.background(seed_words("background", view.background), profile.image_size)
        mesh = (vertices, self.assets.faces, self.assets.part_of_face)
        drawn = render(*mesh, colours, self.incidence, K, light, scenery)
        orient = Rotation.from_matrix(camera.R) * Rotation.from_rotvec(clip.global_orient[row.frame])
        return {
            "image": drawn.image,
            "parts": drawn.parts,
            "depth": np.round(drawn.depth * 1000).astype(np.uint16),
            "box": box,
            "K": K,
            "joints3d": joints,
            "joints3d_h36m17": h36m17,
            "joints2d": project(joints, K),
            "joints2d_h36m17": project(h36m17, K),
            "global_orient": orient.as_rotvec(),
            "body_pose": clip.body_pose[row.frame],
            "betas": betas,
            "transl": joints[0] - (self.pelvis[0] + self.pelvis[1] @ betas),
        }


@torch.no_grad()
def rest_pelvis(body) -> tuple[np.ndarray, np.ndarray]:
    """Pelvis of the unposed body, the point that smplx turns it about, linear in betas: (3,) and (3, 10), metres."""
    fixed = body.J_regressor[0] @ body.v_template
    slope = torch.einsum("v,vck->ck", body.J_regressor[0], body.shapedirs)
    return fixed.numpy(), slope.numpy()


def aim(position: np.ndarray, pelvis: np.ndarray, miss: np.ndarray) -> Camera:
    """Camera at `position` whose axis misses the pelvis by (2,) radians to the side and up."""
    straight = look_at(position, pelvis)
    offset = straight.R.T @ np.array([np.tan(miss[0]), np.tan(miss[1]), 1.0])
    return look_at(position, position + offset)
