"""The body inside a network: joints only, hardly any vertices, differentiable.

Joints at rest are linear in the betas (the joint regressor folded into a 10 -> 72 map), and a joint's place follows
from its parent's place and the parent's rotation: 24 small products instead of thousands of skinned vertices.
"""

import numpy as np
import torch
from smplx import SMPL
from smplx.lbs import batch_rigid_transform
from torch import Tensor, nn

from posebook.errors import PosebookError

JOINTS = 24


class JointLayer(nn.Module):
    """SMPL's 24 joints from betas and rotations, without posing the mesh.

    J(betas) = J_0 + sum_k beta_k J_k; p_0 = 0; p_j = p_parent + G_parent (J_j - J_parent), where G are rotations in
    the camera frame and G_j = G_parent R_j for rotations R relative to the parent.

    Args:
        body: any `smplx.SMPL`: `posebook.body.load_body()` or your licensed file. Only its joints are kept.

    Source: specs/nbf.md section 4.
    """

    def __init__(self, body: SMPL):
        super().__init__()
        self.parents = tuple(body.parents[:JOINTS].tolist())
        regress = body.J_regressor.detach()
        rest = regress @ body.v_template.detach()  # (24, 3)
        slope = torch.einsum("jv,vck->jck", regress, body.shapedirs.detach())  # (24, 3, 10)
        self.register_buffer("rest", rest.clone(), persistent=False)
        self.register_buffer("slope", slope.contiguous(), persistent=False)
        ancestors = torch.eye(JOINTS)  # row j: 1 for j and all joints between it and the pelvis
        for joint in range(1, JOINTS):  # parents come before their children
            ancestors[joint] += ancestors[self.parents[joint]]
        self.register_buffer("ancestors", ancestors, persistent=False)

    def rest_joints(self, betas: Tensor) -> Tensor:
        """Unposed joints: (B, 10) betas -> (B, 24, 3) metres, the body's own frame."""
        if betas.dim() != 2 or betas.shape[1] != self.slope.shape[-1]:
            raise PosebookError(f"betas: expected (B, {self.slope.shape[-1]}), got {tuple(betas.shape)}.")
        return self.rest + torch.einsum("jck,bk->bjc", self.slope, betas)

    def to_global(self, relative: Tensor) -> Tensor:
        """G_0 = R_0, G_j = G_parent R_j: (B, 24, 3, 3) -> (B, 24, 3, 3). R_0 is the global orientation."""
        _check(relative)
        found = [relative[:, 0]]
        for joint in range(1, JOINTS):
            found.append(found[self.parents[joint]] @ relative[:, joint])
        return torch.stack(found, 1)

    def to_relative(self, rotations: Tensor) -> Tensor:
        """R_j = G_parent^T G_j, the inverse of `to_global`."""
        _check(rotations)
        parents = rotations[:, list(self.parents[1:])].transpose(-1, -2)
        return torch.cat((rotations[:, :1], parents @ rotations[:, 1:]), 1)

    def forward(self, betas: Tensor, rotations: Tensor) -> Tensor:
        """Pose the joints.

        Args:
            betas: (B, 10).
            rotations: (B, 24, 3, 3) in the frame of the result (`to_global` makes them from relative ones).

        Returns:
            (B, 24, 3) metres, relative to the pelvis.

        Raises:
            PosebookError: other shapes.
        """
        _check(rotations)
        rest = self.rest_joints(betas)
        parents = list(self.parents[1:])
        bones = rest[:, 1:] - rest[:, parents]  # (B, 23, 3)
        steps = (rotations[:, parents] @ bones.unsqueeze(-1)).squeeze(-1)  # (B, 23, 3)
        joints = torch.cat((torch.zeros_like(rest[:, :1]), steps), 1)
        return self.ancestors @ joints


class RegressedJoints(nn.Module):
    """Any joint set that a regressor reads off the posed mesh, from the few vertices that the regressor looks at.

    x = W sum_k w_vk T_k (template + shape blend + pose blend), as `smplx.SMPL` poses vertices.

    Args:
        body: any `smplx.SMPL`.
        regressor: (J, V) joints from its vertices, e.g. `load_assets("full").regressors["h36m17"]`.

    Raises:
        PosebookError: a regressor for another number of vertices.
    """

    def __init__(self, body: SMPL, regressor):
        super().__init__()
        regressor = torch.tensor(np.array(regressor), dtype=body.v_template.dtype)
        if regressor.dim() != 2 or regressor.shape[1] != len(body.v_template):
            raise PosebookError(f"regressor: expected (J, {len(body.v_template)}), got {tuple(regressor.shape)}.")
        used = regressor.abs().sum(0).nonzero()[:, 0]
        blend = body.posedirs.detach().unflatten(1, (-1, 3))[:, used]  # (207, U, 3)
        arrays = {
            "regressor": regressor[:, used], "template": body.v_template[used], "shape_blend": body.shapedirs[used],
            "pose_blend": blend.flatten(1), "weights": body.lbs_weights[used], "tree": body.parents,
        }  # fmt: skip
        for name, array in arrays.items():
            self.register_buffer(name, array.detach().clone(), persistent=False)
        self.layer = JointLayer(body)

    def forward(self, betas: Tensor, relative: Tensor) -> Tensor:
        """Pose.

        Args:
            betas: (B, 10).
            relative: (B, 24, 3, 3) rotations relative to the parent; number 0 is the global orientation.

        Returns:
            (B, J, 3) metres; the pelvis stands where it is at rest, as with `smplx.SMPL` and no `transl`.
        """
        _check(relative)
        rest = self.layer.rest_joints(betas)
        _, transforms = batch_rigid_transform(relative, rest, self.tree, dtype=relative.dtype)  # (B, 24, 4, 4)
        vertices = self.template + torch.einsum("vck,bk->bvc", self.shape_blend, betas)
        bend = relative[:, 1:] - torch.eye(3, dtype=relative.dtype, device=relative.device)
        vertices = vertices + (bend.flatten(1) @ self.pose_blend).unflatten(1, (-1, 3))
        skin = torch.einsum("vj,bjrc->bvrc", self.weights, transforms)  # (B, U, 4, 4)
        posed = (skin[..., :3, :3] @ vertices.unsqueeze(-1)).squeeze(-1) + skin[..., :3, 3]
        return self.regressor @ posed


def _check(rotations: Tensor) -> None:
    if rotations.dim() != 4 or tuple(rotations.shape[1:]) != (JOINTS, 3, 3):
        raise PosebookError(f"rotations: expected (B, {JOINTS}, 3, 3), got {tuple(rotations.shape)}.")
