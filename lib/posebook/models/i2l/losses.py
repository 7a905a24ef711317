"""Losses of both stages. Source: specs/i2l.md 3.1.

Each is the mean over *all* elements of a masked element-wise L1: masked elements count as zeros, so a batch with few
valid points has small losses. Masks are 0 or 1 as floating point; masked targets may hold any finite number.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from posebook.errors import PosebookError
from posebook.models.i2l.network import I2LOutput
from posebook.models.i2l.surface import edge_difference, normal_deviation

NORMAL_WEIGHT = 0.1


class LixelTargets(NamedTuple):
    """Targets of stage "lixel", heat-map units. "orig": the dataset's joints; "fit": of the fitted body model."""

    orig_joints: Tensor  # (B, J, 3)
    orig_inside: Tensor  # (B, J, 1) annotated and inside the bins
    fit_joints: Tensor  # (B, J, 3)
    fit_inside: Tensor  # (B, J, 1)
    fit_mesh: Tensor  # (B, V, 3)
    mesh_inside: Tensor  # (B, V, 1)
    has_fit: Tensor  # (B,) the sample has a body model that agrees with its joints
    is_3d: Tensor  # (B,) the dataset's joints have depth


class ParamTargets(NamedTuple):
    """Targets of stage "param"; joints are root-relative, metres, camera axes."""

    pose: Tensor  # (B, 3 R) axis-angle, radians
    shape: Tensor  # (B, betas)
    orig_joints: Tensor  # (B, J, 3)
    orig_valid: Tensor  # (B, J, 1) annotated
    fit_joints: Tensor  # (B, J, 3)
    has_fit: Tensor  # (B,)
    is_3d: Tensor  # (B,)


class LixelLosses(NamedTuple):
    """Unweighted terms, scalars; heat-map units but for mesh_normal, which has none."""

    joint_fit: Tensor  # PoseNet against the fitted joints
    joint_orig: Tensor  # PoseNet against the dataset's joints
    mesh_fit: Tensor  # mesh against the fitted mesh
    mesh_joint_orig: Tensor  # joints of the mesh against the dataset's
    mesh_joint_fit: Tensor  # joints of the mesh against the fitted ones
    mesh_normal: Tensor  # cosine of predicted edges with the true face normals
    mesh_edge: Tensor  # edge lengths

    @property
    def total(self) -> Tensor:
        """Sum, mesh_normal weighing 0.1 and the others 1."""
        return sum(self) - (1 - NORMAL_WEIGHT) * self.mesh_normal


class ParamLosses(NamedTuple):
    """Terms, scalars: radians, shape units, and twice metres times joint_scale."""

    pose_param: Tensor
    shape_param: Tensor
    joint_orig_cam: Tensor
    joint_fit_cam: Tensor

    @property
    def total(self) -> Tensor:
        """Sum with equal weights."""
        return sum(self)


def lixel_losses(output: I2LOutput, targets: LixelTargets, faces: Tensor, edge_gradient: str = "safe") -> LixelLosses:
    """All terms of stage "lixel".

    Args:
        output: the network's, with gradients: `network(image, stage="lixel")`.
        targets: see LixelTargets.
        faces: (F, 3) of the mesh.
        edge_gradient: "safe" or "official", see `surface.edge_difference`.

    Returns:
        LixelLosses; minimise `.total`.

    Raises:
        PosebookError: targets of another shape, an unknown edge_gradient.
    """
    _check(output.joints_img, targets.orig_joints, targets.fit_joints)
    _check(output.mesh_img, targets.fit_mesh)
    fitted = targets.has_fit.to(output.mesh_img).view(-1, 1, 1)
    with_depth = targets.is_3d.to(output.mesh_img).view(-1, 1, 1)
    has_axis = torch.cat((torch.ones_like(with_depth), torch.ones_like(with_depth), with_depth), -1)  # (B, 1, 3)
    orig, joints, mesh = targets.orig_inside * has_axis, targets.fit_inside * fitted, targets.mesh_inside * fitted
    return LixelLosses(
        _l1(output.joints_img, targets.fit_joints, joints),
        _l1(output.joints_img, targets.orig_joints, orig),
        _l1(output.mesh_img, targets.fit_mesh, mesh),
        _l1(output.joints_from_mesh, targets.orig_joints, orig),
        _l1(output.joints_from_mesh, targets.fit_joints, joints),
        normal_deviation(output.mesh_img, targets.fit_mesh, faces, mesh).mean(),
        edge_difference(output.mesh_img, targets.fit_mesh, faces, mesh, edge_gradient).mean(),
    )


def param_losses(output: I2LOutput, joints_cam: Tensor, targets: ParamTargets,
                 joint_scale: float = 1.0) -> ParamLosses:  # fmt: skip
    """All terms of stage "param".

    Args:
        output: the network's, `network(image, stage="param")`.
        joints_cam: (B, J, 3) joints of the posed body, metres, root at the origin: `network.joints_cam(mesh_cam)`.
        targets: see ParamTargets.
        joint_scale: 1 compares joints in metres (bodies). The official FreiHAND training compares millimetres with the
            same weight, which dwarfs the parameters' terms: 1000 for that.

    Returns:
        ParamLosses; minimise `.total`.

    Raises:
        PosebookError: targets of another shape.
    """
    if output.pose is None or output.shape is None:
        raise PosebookError("param_losses needs the parameters: run the network with stage='param'.")
    _check(output.pose, targets.pose)
    _check(output.shape, targets.shape)
    _check(joints_cam, targets.orig_joints, targets.fit_joints)
    fitted, with_depth = targets.has_fit.to(joints_cam), targets.is_3d.to(joints_cam).view(-1, 1, 1)
    return ParamLosses(
        _l1(output.pose, targets.pose, fitted.unsqueeze(1)),
        _l1(output.shape, targets.shape, fitted.unsqueeze(1)),
        joint_scale * _l1(joints_cam, targets.orig_joints, targets.orig_valid * with_depth),
        joint_scale * _l1(joints_cam, targets.fit_joints, fitted.view(-1, 1, 1)),
    )


def _l1(pred: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    return ((pred - target).abs() * mask).mean()


def _check(pred: Tensor, *targets: Tensor) -> None:
    for target in targets:
        if target.shape != pred.shape:
            raise PosebookError(f"A target has shape {tuple(target.shape)}, the prediction {tuple(pred.shape)}.")
