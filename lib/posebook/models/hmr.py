"""Iterative error feedback: from a feature vector to SMPL's parameters; and SPIN's network, a ResNet that ends in it.

Parameter names are the official ones. Source: specs/vibe.md 1.1.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.resnet import ResNet
from posebook.models.spin49 import H36M_TO_J14
from posebook.models.weak_perspective import project_to_crop
from posebook.rotations import matrix_to_axis_angle, rotation_6d_to_matrix

POSE, SHAPE, CAMERA = 144, 10, 3  # numbers of the estimate: 24 rotations in 6D, betas, (s, tx, ty)


class Estimate(NamedTuple):
    """Where an iteration starts or ends."""

    pose: Tensor  # (N, 144) 6D rotations
    shape: Tensor  # (N, 10) betas
    camera: Tensor  # (N, 3) s, tx, ty


class BodyOutput(NamedTuple):
    """What SPIN, VIBE and TCMR say of a frame. Leading dimensions N, or (N, T) where a network keeps the frames."""

    theta: Tensor  # (N, 85): camera 3, axis-angle 72 (global orientation first), betas 10
    vertices: Tensor | None  # (N, V, 3) metres, camera axes; None with a joints-only body
    kp_2d: Tensor  # (N, J, 2) crop coordinates, [-1, 1] inside the crop
    kp_3d: Tensor  # (N, J, 3) metres, camera axes
    rotmat: Tensor  # (N, 24, 3, 3) relative to the parents

    def unflatten(self, frames: tuple[int, ...]) -> "BodyOutput":
        """(N, ...) -> (*frames, ...) in every field."""
        return BodyOutput(*(None if value is None else value.unflatten(0, frames) for value in self))

    def flatten(self) -> "BodyOutput":
        """(N, T, ...) -> (N T, ...) in every field."""
        return BodyOutput(*(None if value is None else value.flatten(0, 1) for value in self))


class IterativeHeads(nn.Module):
    """x = [feature, pose, shape, camera]; each head adds W drop(fc2(drop(fc1(x)))) to its estimate, three times.

    There is no activation between the layers. A base class: `_add_heads` in the constructor, then `regress`.
    """

    def _add_heads(self, body: nn.Module | None, means: tuple, features: int, hidden: int, dropout: float) -> None:
        self.features = features
        self.fc1 = nn.Linear(features + POSE + SHAPE + CAMERA, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.drop1, self.drop2 = nn.Dropout(dropout), nn.Dropout(dropout)
        for name, size in (("decpose", POSE), ("decshape", SHAPE), ("deccam", CAMERA)):
            head = nn.Linear(hidden, size)
            nn.init.xavier_uniform_(head.weight, gain=0.01)
            self.add_module(name, head)
        for name, mean, size in zip(("pose", "shape", "cam"), means, (POSE, SHAPE, CAMERA), strict=True):
            mean = torch.as_tensor(mean).detach().float().clone()
            if mean.shape != (size,):
                raise PosebookError(f"mean_{name}: expected ({size},), got {tuple(mean.shape)}.")
            self.register_buffer(f"init_{name}", mean.unsqueeze(0))
        self.body = body

    def iterate(self, features: Tensor, iterations: int = 3, init: Estimate | None = None) -> Estimate:
        """(N, F) -> the estimate after so many iterations, from `init` or the means."""
        if features.ndim != 2 or features.shape[1] != self.features:
            raise PosebookError(f"Expected features (N, {self.features}), got {tuple(features.shape)}.")
        if init is None:
            init = Estimate(*(mean.expand(len(features), -1) for mean in (self.init_pose, self.init_shape,
                                                                          self.init_cam)))  # fmt: skip
        estimate = torch.cat(init, 1)  # (N, 157)
        # fc1 is linear: the feature's share of it is the same in all iterations.
        weight = self.fc1.weight
        fixed = F.linear(features, weight[:, : self.features], self.fc1.bias)
        heads = (self.decpose, self.decshape, self.deccam)
        for _ in range(iterations):
            hidden = self.drop1(fixed + F.linear(estimate, weight[:, self.features :]))
            hidden = self.drop2(self.fc2(hidden))
            estimate = estimate + torch.cat([head(hidden) for head in heads], 1)
        return Estimate(*estimate.split((POSE, SHAPE, CAMERA), 1))

    def regress(self, features: Tensor, iterations: int = 3, init: Estimate | None = None,
                J_regressor: Tensor | None = None) -> BodyOutput:  # fmt: skip
        """Features to the body.

        Args:
            features: (N, F).
            iterations: of the feedback.
            init: where to start; None is the mean parameters.
            J_regressor: (17, V) as SPIN's J_regressor_h36m (left leg first), of which 14 rows are picked, or (14, V),
                used as it is. Replaces the 49 joints in kp_3d and kp_2d.

        Returns:
            BodyOutput.

        Raises:
            PosebookError: other sizes; no body; a regressor for a body without vertices.
        """
        if self.body is None:
            raise PosebookError("This network was built without a body; give one to run it.")
        found = self.iterate(features, iterations, init)
        rotations = rotation_6d_to_matrix(found.pose.unflatten(1, (24, 6)))  # (N, 24, 3, 3)
        vertices, joints = self.body(found.shape, rotations)
        if J_regressor is not None:
            joints = _regressed(vertices, J_regressor)
        theta = torch.cat((found.camera, matrix_to_axis_angle(rotations).flatten(1), found.shape), 1)  # (N, 85)
        return BodyOutput(theta, vertices, project_to_crop(joints, found.camera), joints, rotations)


class Regressor(IterativeHeads):
    """The heads as a network of their own: `regressor.*` of VIBE and TCMR. 3.469 M parameters at the paper's sizes.

    Args:
        body: `SpinBody`, `SpinJoints` or another (betas, rotations) -> (vertices | None, joints). None: loading only.
        mean_pose: (144,) 6D rotations where the iteration starts.
        mean_shape: (10,) betas.
        mean_cam: (3,) s, tx, ty.
        features: F.
        hidden: width of fc1 and fc2.
        dropout: after fc1 and after fc2, in training.

    Raises:
        PosebookError: means of other sizes.
    """

    def __init__(self, body: nn.Module | None, mean_pose, mean_shape, mean_cam, features: int = 2048,
                 hidden: int = 1024, dropout: float = 0.5):  # fmt: skip
        super().__init__()
        self._add_heads(body, (mean_pose, mean_shape, mean_cam), features, hidden, dropout)

    def forward(self, features: Tensor, iterations: int = 3, init: Estimate | None = None,
                J_regressor: Tensor | None = None) -> BodyOutput:  # fmt: skip
        """See `regress`: features (N, F) -> BodyOutput."""
        return self.regress(features, iterations, init, J_regressor)


class HMR(ResNet, IterativeHeads):
    """SPIN's network: conv1, bn1, layer1..4, then fc1, fc2, decpose, decshape, deccam on the same module.

    Args:
        body, mean_pose, mean_shape, mean_cam, hidden, dropout: see Regressor.
        trunk: `ResNet` options; None is ResNet-50. The feature's size is the trunk's out_channels.

    Pictures are RGB with ImageNet's mean and deviation taken out. 26.98 M parameters at the paper's sizes.
    """

    def __init__(self, body: nn.Module | None, mean_pose, mean_shape, mean_cam, hidden: int = 1024,
                 trunk: dict | None = None, dropout: float = 0.5):  # fmt: skip
        super().__init__(**({"depth": 50} | (trunk or {})))
        self._add_heads(body, (mean_pose, mean_shape, mean_cam), self.out_channels, hidden, dropout)

    def feature_extractor(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, out_channels), the global average of layer4."""
        return ResNet.forward(self, image).pooled

    def forward(self, image: Tensor, iterations: int = 3, init: Estimate | None = None,
                J_regressor: Tensor | None = None) -> BodyOutput:  # fmt: skip
        """(N, 3, H, W) -> BodyOutput; see `regress`."""
        return self.regress(self.feature_extractor(image), iterations, init, J_regressor)


def _regressed(vertices: Tensor | None, regressor: Tensor) -> Tensor:
    if vertices is None:
        raise PosebookError("J_regressor needs vertices, and this network's body has none: use a SpinBody.")
    if regressor.ndim != 2 or len(regressor) not in (14, 17) or regressor.shape[1] != vertices.shape[1]:
        raise PosebookError(
            f"J_regressor: expected (17, {vertices.shape[1]}) or (14, {vertices.shape[1]}), "
            f"got {tuple(regressor.shape)}."
        )
    rows = regressor[list(H36M_TO_J14)] if len(regressor) == 17 else regressor
    return rows.to(vertices) @ vertices
