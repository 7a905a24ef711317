"""The body at the end of SPIN, VIBE and TCMR: betas and rotations to vertices and the 49 joints.

Rotations are relative to the parent, number 0 is the global orientation; metres; the body stands where the model file
puts it (no translation), in the axes of the global orientation, which are the camera's. Source: specs/vibe.md 1.1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from smplx import SMPL
from smplx.lbs import lbs
from torch import Tensor, nn

from posebook.body import load_assets, load_body
from posebook.errors import PosebookError
from posebook.joint_layer import RegressedJoints
from posebook.models.spin49 import SPIN49_FROM_POOL, SPIN49_NAMES, SPIN_VERTEX_NAMES

__all__ = ["SPIN49_FROM_POOL", "SPIN49_NAMES", "PosedJoints", "SpinBody", "SpinJoints", "free_spin_body"]

_ARRAYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "parents", "lbs_weights")
_SMPL, _VERTICES, _EXTRA = 24, 21, 9  # the three parts of the pool


class PosedJoints(NamedTuple):
    """A posed body, metres."""

    vertices: Tensor | None  # (B, V, 3); None from SpinJoints
    joints: Tensor  # (B, 49, 3), see posebook.models.spin49.SPIN49_NAMES


class SpinBody(nn.Module):
    """Linear blend skinning, then pool = [posed joints; vertices; extra regressor @ vertices], joints = pool[index].

    Args:
        layer: any `smplx.SMPL`.
        extra_regressor: (9, V), rows in the order of posebook.joints.SPIN_EXTRA9.
        vertex_ids: 21 vertices in the order of posebook.models.spin49.SPIN_VERTEX_NAMES.

    Raises:
        PosebookError: sizes that do not fit the layer.

    Nothing of it is in the state_dict: official checkpoints carry the licensed arrays, this library's do not.
    """

    def __init__(self, layer: SMPL, extra_regressor, vertex_ids: Sequence[int]):
        super().__init__()
        extra = _checked(layer, extra_regressor, vertex_ids)
        for name in _ARRAYS:
            self.register_buffer(name, getattr(layer, name).detach(), persistent=False)
        self.register_buffer("extra_regressor", extra, persistent=False)
        self.register_buffer("vertex_ids", torch.tensor(vertex_ids), persistent=False)
        self.register_buffer("from_pool", torch.tensor(SPIN49_FROM_POOL), persistent=False)

    def forward(self, betas: Tensor, rotations: Tensor) -> PosedJoints:
        """Pose the surface.

        Args:
            betas: (B, 10).
            rotations: (B, 24, 3, 3) relative to the parents.

        Returns:
            PosedJoints.

        Raises:
            PosebookError: other shapes.
        """
        _check_call(betas, rotations)
        vertices, posed = lbs(betas, rotations, self.v_template, self.shapedirs, self.posedirs, self.J_regressor,
                              self.parents, self.lbs_weights, pose2rot=False)  # fmt: skip
        pool = torch.cat((posed, vertices[:, self.vertex_ids], self.extra_regressor @ vertices), 1)  # (B, 54, 3)
        return PosedJoints(vertices, pool[:, self.from_pool])


class SpinJoints(nn.Module):
    """The same 49 joints without the mesh: what a training step needs.

    Joints that are SMPL's follow from the kinematic chain, the others from the few vertices that their rows read (a
    row of the regressor may not stand for a posed SMPL joint: that holds at rest only).

    Args, raises: those of SpinBody.

    The formulas are RegressedJoints'; here points are coordinate-major, (B, 3, U), and picks are matrices, so that both
    directions are few large products: many small ones, and gradients of indices, are slow on a CPU.
    """

    def __init__(self, layer: SMPL, extra_regressor, vertex_ids: Sequence[int]):
        super().__init__()
        extra = _checked(layer, extra_regressor, vertex_ids)
        rows = torch.zeros(_SMPL + _VERTICES + _EXTRA, extra.shape[1])
        rows[range(_SMPL, _SMPL + _VERTICES), list(vertex_ids)] = 1
        rows[_SMPL + _VERTICES :] = extra
        index, one_hot = torch.tensor(SPIN49_FROM_POOL), torch.eye(len(rows))
        read = RegressedJoints(layer, rows[index].numpy())  # (49, V), zero where the chain gives the joint
        self.chain = read.layer
        shape, pose = read.shape_blend.permute(2, 1, 0), read.pose_blend.unflatten(1, (-1, 3)).transpose(1, 2)
        arrays = {
            "template": read.template.T.flatten(),  # (3 U,)
            "blend": torch.cat((shape, pose)).flatten(1),  # (10 + 207, 3 U)
            "weights": read.weights.T,  # (24, U)
            "regressor": torch.cat((read.regressor.T, one_hot[index, :_SMPL].T)),  # (U + 24, 49)
            "bones": one_hot[1:_SMPL, :_SMPL] - one_hot[list(self.chain.parents[1:]), :_SMPL],  # (23, 24)
            "above": self.chain.ancestors[:, 1:],  # (24, 23): bones between the pelvis and a joint
        }
        for name, array in arrays.items():
            self.register_buffer(name, array.to(layer.v_template).contiguous(), persistent=False)

    def forward(self, betas: Tensor, rotations: Tensor) -> PosedJoints:
        """As SpinBody's, with None for the vertices."""
        _check_call(betas, rotations)
        parents, own = self.chain.parents, rotations.unbind(1)
        rest, turned = self.chain.rest_joints(betas), [own[0]]  # turned: in camera axes
        for parent, rotation in zip(parents[1:], own[1:], strict=True):
            turned.append(turned[parent] @ rotation)
        of_parents = torch.stack([turned[parent] for parent in parents[1:]], 1)  # (B, 23, 3, 3)
        smpl24 = rest[:, :1] + self.above @ _apply(of_parents, self.bones @ rest)  # (B, 24, 3)
        shift = smpl24 - _apply(torch.stack(turned, 1), rest)
        surface = self._surface(betas, rotations, torch.stack(turned, -1), shift.transpose(1, 2))  # (B, 3, U)
        joints = torch.cat((surface, smpl24.transpose(1, 2)), -1) @ self.regressor  # (B, 3, 49)
        return PosedJoints(None, joints.transpose(1, 2))

    def _surface(self, betas: Tensor, relative: Tensor, turned: Tensor, shift: Tensor) -> Tensor:
        """sum_j w_vj (G_j x_v + t_j), G (B, 3, 3, 24), t (B, 3, 24) -> (B, 3, U)."""
        bend = relative[:, 1:] - torch.eye(3, dtype=relative.dtype, device=relative.device)
        blended = torch.addmm(self.template, torch.cat((betas, bend.flatten(1)), 1), self.blend)  # (B, 3 U)
        skin = torch.cat((turned, shift.unsqueeze(2)), 2) @ self.weights  # (B, 3, 4, U)
        return (skin[:, :, :3] * blended.unflatten(1, (1, 3, -1))).sum(2) + skin[:, :, 3]


def _apply(rotations: Tensor, points: Tensor) -> Tensor:
    """R x, (..., 3, 3) and (..., 3); many small matrices are faster this way than by matmul."""
    return (rotations * points.unsqueeze(-2)).sum(-1)


def free_spin_body(level: str = "full", vertices: bool = True) -> SpinBody | SpinJoints:
    """The free body with SPIN's joints.

    Args:
        level: "full", "smpl6890" or "coarse".
        vertices: False gives SpinJoints, far cheaper.

    Raises:
        PosebookError: unknown level.
    """
    assets = load_assets(level)
    ids = [assets.vertex_ids[name] for name in SPIN_VERTEX_NAMES]
    kind = SpinBody if vertices else SpinJoints
    return kind(load_body(level=level), assets.regressors["spin_extra9"], ids)


def _checked(layer: SMPL, extra_regressor, vertex_ids: Sequence[int]) -> Tensor:
    missing = [name for name in _ARRAYS if not isinstance(getattr(layer, name, None), Tensor)]
    if missing:
        raise PosebookError(f"Expected an smplx.SMPL layer, got {type(layer).__name__} without {missing}.")
    extra = torch.tensor(np.asarray(extra_regressor)).to(layer.v_template)
    count = len(layer.v_template)
    if tuple(extra.shape) != (_EXTRA, count):
        raise PosebookError(f"extra_regressor: expected ({_EXTRA}, {count}), got {tuple(extra.shape)}.")
    if len(vertex_ids) != _VERTICES or any(not 0 <= v < count for v in vertex_ids):
        raise PosebookError(
            f"vertex_ids: expected {_VERTICES} vertices of a mesh of {count} (order: {', '.join(SPIN_VERTEX_NAMES)}), "
            f"got {tuple(vertex_ids)}."
        )
    return extra


def _check_call(betas: Tensor, rotations: Tensor) -> None:
    if betas.ndim != 2 or betas.shape[1] != 10 or tuple(rotations.shape) != (len(betas), _SMPL, 3, 3):
        raise PosebookError(
            f"Expected betas (B, 10) and rotations (B, 24, 3, 3), got {tuple(betas.shape)} and "
            f"{tuple(rotations.shape)}. Flatten frames into B."
        )
