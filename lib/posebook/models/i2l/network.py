"""I2L-MeshNet: image -> joints -> mesh, both as lixels, -> body parameters. Source: specs/i2l.md section 1."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.i2l.body import PosedBody
from posebook.models.i2l.lixel import LixelHead, lixel_coordinates
from posebook.models.i2l.param_regressor import BodyParameters, ParamRegressor
from posebook.models.i2l.pose2feat import SIGMA, Pose2Feat
from posebook.models.i2l.prediction import Prediction, predict
from posebook.models.i2l.units import BODY_DEPTH, HeatmapUnits
from posebook.models.resnet import ResNet

STAGES = ("lixel", "param")
FROZEN_BN = ("eval", "official")


class I2LOutput(NamedTuple):
    """What the network says. "Heat-map units": bins of the crop, 0..bins - 1, see posebook.models.i2l.units."""

    joints_img: Tensor  # (B, J, 3) PoseNet's joints, heat-map units
    mesh_img: Tensor  # (B, V, 3) MeshNet's vertices, heat-map units
    joints_from_mesh: Tensor  # (B, J, 3) joint_regressor @ mesh_img, heat-map units
    pose: Tensor | None  # (B, 3 R) axis-angle, radians; None in stage "lixel"
    shape: Tensor | None  # (B, betas); None in stage "lixel"
    mesh_cam: Tensor | None  # (B, V, 3) the posed body, metres, camera axes, joint 0 at the origin; None without body


class I2LMeshNet(nn.Module):
    """PoseNet -> Gaussian volume -> Pose2Feat -> MeshNet -> ParamRegressor, with the official parameter names.

    Args:
        joint_num: J; 29 for the body, 21 for the hand.
        vertex_num: V; 6890 for SMPL, 778 for MANO.
        joint_regressor: (J, V) joints from vertices, see `body.joint_regressor`; row 0 is the root. Not saved.
        body: `smplx.SMPL` or `smplx.MANO` for `mesh_cam`, or None. Not saved.
        rotation_num: R; None takes the body's, or 24.
        image_size: side of the crop, pixels; the grid has a quarter of it in bins.
        trunk: `ResNet` options of both trunks; None is ResNet-50.
        hidden: channels of the upsampled maps.
        sigma: of the Gaussians, bins.
        depth_size: metres of depth that the bins span; 2 for bodies, 0.3 for hands. Only read by `predict`.
        materialise: make the J * D * H * W Gaussian volume instead of folding it into Pose2Feat (equal results).

    Raises:
        PosebookError: sizes that do not fit each other.

    The defaults are the paper's network: 142,335,471 parameters for the body, 137,272,839 for the hand. Images are RGB
    in [0, 1] *without* ImageNet's mean and deviation. The trunks start as `ResNet` does (the official ones start from
    ImageNet weights).
    """

    def __init__(self, joint_num: int, vertex_num: int, joint_regressor: Tensor, body: nn.Module | None = None,
                 rotation_num: int | None = None, image_size: int = 256, trunk: dict | None = None, hidden: int = 256,
                 sigma: float = SIGMA, depth_size: float = BODY_DEPTH, materialise: bool = False):  # fmt: skip
        super().__init__()
        posed = None if body is None else PosedBody(body)
        rotations = rotation_num or (24 if posed is None else posed.rotations)
        _check_sizes(joint_num, vertex_num, joint_regressor, posed, rotations, image_size)
        self.joint_num, self.vertex_num, self.image_size, self.bins = joint_num, vertex_num, image_size, image_size // 4
        self.units = HeatmapUnits(image_size, self.bins, depth_size)
        options = {"depth": 50} | (trunk or {})
        self.pose_backbone = ResNet(**options)
        stem, channels = self.pose_backbone.stem_channels, self.pose_backbone.out_channels
        doublings = (self.bins * self.pose_backbone.pyramid_strides[-1] // image_size).bit_length() - 1  # paper: 3
        self.pose_net = LixelHead(joint_num, channels, hidden, self.bins, doublings)
        self.pose2feat = Pose2Feat(joint_num, stem, self.bins, sigma, materialise)
        self.mesh_backbone = ResNet(**options)  # its stem is never used, but is in the checkpoint
        self.mesh_net = LixelHead(vertex_num, channels, hidden, self.bins, doublings)
        self.param_regressor = ParamRegressor(joint_num, rotations)
        self.register_buffer("joint_regressor", joint_regressor.detach().float(), persistent=False)
        self.body = posed

    def forward(self, image: Tensor, stage: str = "param") -> I2LOutput:
        """Run the network.

        Args:
            image: (B, 3, image_size, image_size) RGB in [0, 1].
            stage: "lixel" stops after the mesh and keeps its gradients; "param" also regresses the parameters, whose
                gradients go to ParamRegressor alone, the rest runs without, as in the official second stage.

        Returns:
            I2LOutput.

        Raises:
            PosebookError: a wrong shape or an unknown stage.
        """
        _check_stage(stage)
        size = (3, self.image_size, self.image_size)
        if image.ndim != 4 or tuple(image.shape[1:]) != size or not image.is_floating_point():
            raise PosebookError(f"Expected a floating-point image (B, {size}), got {image.dtype} {tuple(image.shape)}.")
        with torch.set_grad_enabled(torch.is_grad_enabled() and stage == "lixel"):
            joints, mesh = self.lixels(image)
        with _full_precision(image.device.type):
            from_mesh = self.joint_regressor @ mesh
            if stage == "lixel":
                return I2LOutput(joints, mesh, from_mesh, None, None, None)
            found = self.param_regressor(from_mesh.detach())
            return I2LOutput(joints, mesh, from_mesh, found.pose, found.shape, self.pose_body(found))

    def lixels(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) -> joints (B, J, 3) and mesh (B, V, 3), heat-map units."""
        features = self.pose_backbone(image)
        joints = lixel_coordinates(self.pose_net(features.stride32))
        return joints, lixel_coordinates(self.mesh_net(self.mesh_features(features.stride4, joints)))

    def mesh_features(self, early: Tensor, joints: Tensor) -> Tensor:
        """Early map (B, stem, bins, bins) and joints (B, J, 3), e.g. the true ones -> MeshNet's (B, C, bins/8, bins/8).

        No gradient reaches the joints.
        """
        merged = self.pose2feat(early, joints.detach())
        trunk = self.mesh_backbone
        return trunk.layer4(trunk.layer3(trunk.layer2(trunk.layer1(merged))))

    def pose_body(self, parameters: BodyParameters) -> Tensor | None:
        """The body model's vertices (B, V, 3), metres, less joint 0 of the network's regressor; None without body."""
        if self.body is None:
            return None
        vertices = self.body(parameters.rotations, parameters.shape)
        return vertices - self.joint_regressor[:1] @ vertices

    def joints_cam(self, mesh_cam: Tensor) -> Tensor:
        """(B, V, 3) metres -> (B, J, 3) metres by the network's regressor."""
        return self.joint_regressor @ mesh_cam

    def stage_parameters(self, stage: str) -> Iterator[nn.Parameter]:
        """What the stage trains: "lixel" trunks, PoseNet, Pose2Feat and MeshNet; "param" ParamRegressor."""
        _check_stage(stage)
        for name, parameter in self.named_parameters():
            if name.startswith("param_regressor.") == (stage == "param"):
                yield parameter

    def train_stage(self, stage: str, frozen_bn: str = "eval") -> "I2LMeshNet":
        """Set training mode for a stage.

        Args:
            stage: "lixel" or "param".
            frozen_bn: what batch norm does in stage "param" in the parts that are not trained. "eval": it keeps its
                running statistics and uses them. "official": it normalises by the batch and its running statistics
                keep moving, so the frozen network drifts, and its mesh is not the one that predictions are made from.

        Returns:
            self.

        Source: specs/i2l.md 3.1, trap (b).
        """
        _check_stage(stage)
        if frozen_bn not in FROZEN_BN:
            raise PosebookError(f"frozen_bn must be one of {FROZEN_BN}, got {frozen_bn!r}.")
        self.train(stage == "lixel" or frozen_bn == "official")
        self.param_regressor.train()
        return self

    def predict(self, image, box, focal: float | None = None, root_depth: float | None = None,
                **options) -> Prediction:  # fmt: skip
        """Joints and meshes of one person in a whole picture; see `posebook.models.i2l.predict`."""
        return predict(self, image, box, focal, root_depth, **options)


def _full_precision(device: str) -> AbstractContextManager:
    """Coordinates are not for half precision: autocast, if any, ends here."""
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


def _check_stage(stage: str) -> None:
    if stage not in STAGES:
        raise PosebookError(f"stage must be one of {STAGES}, got {stage!r}.")


def _check_sizes(joints: int, vertices: int, regressor: Tensor, body: PosedBody | None, rotations: int,
                 image_size: int) -> None:  # fmt: skip
    if tuple(regressor.shape) != (joints, vertices):
        raise PosebookError(f"joint_regressor: expected ({joints}, {vertices}), got {tuple(regressor.shape)}.")
    if body is not None and (len(body.v_template), body.rotations) != (vertices, rotations):
        raise PosebookError(
            f"The body layer has {len(body.v_template)} vertices and {body.rotations} rotations, the network "
            f"{vertices} and {rotations}. Pass the vertex_num and rotation_num of the body."
        )
    if image_size < 32 or image_size % 32:
        raise PosebookError(f"image_size must be a multiple of 32 pixels (the trunk's stride), got {image_size}.")
