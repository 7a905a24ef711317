"""2D poses as the lifter and the flow read them: root at 0, one scale for a whole set, distance 10 in front.

x right, y down. A unit-focal camera looks at the root from distance 10, so a normalised pose spans about a tenth per
body length, and lifted bodies are about 1 unit from root to far joint. Source: specs/selfsup.md 1.5 and 2.1.
"""

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.models.selfsup.structure import Structure

DISTANCE = 10.0  # of the root from the camera, in units of the mean root - far joint distance
SCALE_RANGE = (0.05, 0.15)  # of the mean root - far joint distance of a normalised set, nominally 1 / DISTANCE
LEAST_AGREEMENT = 0.93  # cosine of mean 2D bone lengths with bone_means; the right order has 0.97 and more


def axis_major(points: Tensor) -> Tensor:
    """(..., J, C) -> (..., C J): all x, then all y (then all z), the official layout."""
    return points.transpose(-2, -1).flatten(-2)


def joint_major(numbers: Tensor, axes: int = 2) -> Tensor:
    """Inverse of `axis_major`: (..., C J) -> (..., J, C)."""
    return numbers.unflatten(-1, (axes, -1)).transpose(-2, -1)


def mean_scale(poses: Tensor, structure: Structure) -> Tensor:
    """Mean distance root - far joint of a set (N, J, 2), any unit: a scalar in that unit."""
    return torch.linalg.vector_norm(poses[:, structure.far_joint] - poses[:, structure.root], dim=-1).mean()


def normalise(poses: Tensor, structure: Structure, scale: Tensor | float | None = None) -> Tensor:
    """Move roots to 0 and divide by 10 times one scale: (x - x_root) / (10 scale).

    One scale for the whole set: scaling each pose by itself would take foreshortening out of the prior.

    Args:
        poses: (N, J, 2) any unit, x right and y down.
        structure: names root and far joint.
        scale: in that unit; `mean_scale` of the *training* set, for test poses too. None takes that of `poses`.

    Returns:
        (N, J, 2), no unit.

    Raises:
        PosebookError: a wrong shape or a scale that is not positive.
    """
    check_shape(poses, structure)
    scale = mean_scale(poses, structure) if scale is None else scale
    if not float(scale) > 0:
        raise PosebookError(f"The scale must be positive, got {float(scale):g}: are all joints at one point?")
    return (poses - poses[:, [structure.root]]) / (DISTANCE * scale)


def check_shape(poses: Tensor, structure: Structure) -> None:
    """Refuse anything but floating (N, J, 2) of the structure."""
    count = len(structure.joints)
    if poses.ndim != 3 or tuple(poses.shape[1:]) != (count, 2) or not poses.is_floating_point():
        raise PosebookError(
            f"Expected floating-point 2D poses (N, {count}, 2) in the order of {structure.joints.name}, "
            f"got {poses.dtype} {tuple(poses.shape)}."
        )


def check_prior(poses: Tensor, structure: Structure) -> None:
    """Refuse a bag of normalised 2D poses that cannot be the structure's.

    Bone lengths give away a wrong order of joints, since lines across the body are longer than bones. Exchanged arms
    keep all bone lengths; they show in left and right pairs that point different ways.

    Args:
        poses: (N, J, 2) from `normalise`.

    Raises:
        PosebookError: wrong shape, not finite, fewer than two poses, wrong scale, roots not at 0, wrong order, or pairs
            of joints that disagree on left and right.
    """
    check_shape(poses, structure)
    name = structure.joints.name
    if len(poses) < 2 or not bool(poses.isfinite().all()):
        raise PosebookError(f"A prior needs at least 2 finite poses; got {len(poses)}, or NaN among them.")
    if float(poses[:, structure.root].abs().max()) > 1e-4:
        raise PosebookError(f"Roots (joint {structure.root} of {name}) must be at 0; call `normalise` first.")
    scale = float(mean_scale(poses, structure))
    if not SCALE_RANGE[0] <= scale <= SCALE_RANGE[1]:
        raise PosebookError(
            f"Mean distance {structure.joints.names[structure.root]} - {structure.joints.names[structure.far_joint]} "
            f"should be about {1 / DISTANCE:g} after normalisation, got {scale:.3g}. Call `normalise`, or check that "
            f"the joints are in the order of {name}."
        )
    agreement = bone_agreement(poses, structure)
    if agreement < LEAST_AGREEMENT:
        raise PosebookError(
            f"Bones of these poses have not the proportions of {name} (cosine {agreement:.2f}, expected above "
            f"{LEAST_AGREEMENT}): the joints are probably in another order."
        )
    _check_sides(poses, structure)


def bone_agreement(poses: Tensor, structure: Structure) -> float:
    """Cosine between mean 2D bone lengths of a set and the structure's mean bone lengths, 1 for proportional ones."""
    lengths = structure.bone_lengths(poses).mean(0)
    means = torch.tensor(structure.bone_means, dtype=lengths.dtype, device=lengths.device)
    return float(torch.nn.functional.cosine_similarity(lengths, means, dim=0))


def _check_sides(poses: Tensor, structure: Structure) -> None:
    """Pairs next to the trunk (hips, shoulders) must mostly point from left to right in the same sense."""
    near = [(a, b) for a, b in structure.pairs if structure.joints.parents[a] == structure.joints.parents[b]]
    across = [poses[:, b, 0] - poses[:, a, 0] for a, b in near]
    for (left, _), width in zip(near[1:], across[1:], strict=True):
        if float((across[0] * width).mean()) < 0:
            names = [structure.joints.names[j].removeprefix("left_") for j in (near[0][0], left)]
            raise PosebookError(
                f"Left and right of {names[0]} and {names[1]} contradict each other: one pair is exchanged. "
                "Human3.6M's order exists with the left arm first and with the right arm first (specs/selfsup.md 1.6)."
            )
