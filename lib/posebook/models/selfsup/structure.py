"""What the method must know of an articulated structure: joints, links, mean bone lengths, and what to scale by.

Another structure (a horse, a robot arm) is one more `Structure`; nothing else in posebook.models.selfsup is specific
to bodies.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.joints import H36M17, HAND21, JointSet


@dataclass(frozen=True)
class Structure:
    """An articulated structure.

    Raises:
        PosebookError: numbers that do not fit the joint set.
    """

    joints: JointSet  # names, links (`bones`), the root, left and right by name
    bone_means: tuple[float, ...]  # length of each link over the mean of all links, in the order of `joints.bones`
    far_joint: int  # the mean distance root - far joint of a training set is the unit of scale
    coefficients: int  # numbers of a 2D pose that the flow sees

    def __post_init__(self):
        links, count = len(self.joints.bones), len(self.joints)
        if len(self.bone_means) != links or min(self.bone_means) <= 0:
            raise PosebookError(
                f"{self.joints.name} has {links} links; bone_means needs that many positive numbers, "
                f"got {self.bone_means}."
            )
        if abs(sum(self.bone_means) - links) > 0.01 * links:
            raise PosebookError(f"bone_means are relative: their mean must be 1, got {sum(self.bone_means) / links:g}.")
        if len(self.joints.root) != 1 or not 0 <= self.far_joint < count or self.far_joint == self.root:
            raise PosebookError(
                f"Expected one root joint and another far joint in 0..{count - 1}; "
                f"got {self.joints.root} and {self.far_joint}."
            )
        if not 2 <= self.coefficients <= 2 * (count - 1):
            raise PosebookError(
                f"A root-centred 2D pose of {count} joints has {2 * (count - 1)} coefficients, got {self.coefficients}."
            )

    @property
    def root(self) -> int:
        """The joint at the origin."""
        return self.joints.root[0]

    @property
    def links(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) pairs, the lines of a skeleton picture."""
        return self.joints.bones

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(left, right) joints; empty for a hand."""
        return tuple((j, k) for j, k in enumerate(self.joints.flip) if self.joints.names[j].startswith("left_"))

    def bone_lengths(self, points: Tensor) -> Tensor:
        """Distance along every link: (..., J, 2 or 3) -> (..., links), in the unit of the points."""
        parents, children = (list(ends) for ends in zip(*self.links, strict=True))
        return torch.linalg.vector_norm(points[..., parents, :] - points[..., children, :], dim=-1)

    def with_bones_of(self, points: Tensor) -> "Structure":
        """The structure with the mean relative bone lengths of given poses, in place of published ones.

        Args:
            points: (N, J, 3), any unit: rest poses of a body model, or a table of measured people.

        Raises:
            PosebookError: points of another shape.
        """
        if points.ndim != 3 or tuple(points.shape[1:]) != (len(self.joints), 3):
            raise PosebookError(f"Expected points (N, {len(self.joints)}, 3), got {tuple(points.shape)}.")
        lengths = self.bone_lengths(points.double())
        relative = (lengths / lengths.mean(-1, keepdim=True)).mean(0)
        return replace(self, bone_means=tuple(relative.tolist()))


ELEPOSE17 = JointSet(  # as H36M17 with the arms exchanged: the right one first. Source: specs/selfsup.md 1.6
    "elepose17",
    (*H36M17.names[:11], *H36M17.names[14:17], *H36M17.names[11:14]),
    H36M17.parents,
    H36M17.root,
)
ELEPOSE_FROM_H36M17 = tuple(
    H36M17.index(name) for name in ELEPOSE17.names
)  # elepose = h36m17[..., this, :]; own inverse

_LEG, _ARM = (0.5181, 1.7371, 1.7229), (0.5746, 1.0812, 0.9652)
BODY_BONES = (*_LEG, *_LEG, 0.9209, 0.9879, 0.4481, 0.4450, *_ARM, *_ARM)  # specs/selfsup.md 1.6, Human3.6M
HEAD_TOP = H36M17.index("head_top")

BODY17 = Structure(H36M17, BODY_BONES, far_joint=HEAD_TOP, coefficients=26)
ELEPOSE_BODY17 = Structure(ELEPOSE17, BODY_BONES, far_joint=HEAD_TOP, coefficients=26)

_FINGERS = (  # thumb, index, middle, ring, pinky; the free mean hand of posebook.hand, flat
    1.0612, 0.7254, 0.8556, 0.6956, 2.5254, 0.6105, 0.5449, 0.6287, 2.4268, 0.7966, 0.6500, 0.6112,
    2.3344, 0.7016, 0.5856, 0.6404, 2.2551, 0.5033, 0.3665, 0.4813,
)  # fmt: skip
HAND = Structure(HAND21, _FINGERS, far_joint=HAND21.index("middle4"), coefficients=30)
