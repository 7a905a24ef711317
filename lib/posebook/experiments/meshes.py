"""Pictures with their posed meshes, bodies or hands: what chapter 3's networks learn from.

Meshes are posed as they are needed, from each sample's parameters; a mirrored body is posed from its mirrored
parameters, so that the mesh keeps its numbering. Hands are never mirrored: they are all right hands.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from posebook.body import load_assets, load_body
from posebook.cameras import project
from posebook.data.batches import at_random
from posebook.data.body_batches import BodyBatches
from posebook.data.dataset import Dataset
from posebook.hand import load_hand, load_hand_assets
from posebook.joints import HAND21, SMPL24, JointSet
from posebook.models.i2l import HeatmapUnits, joint_regressor
from posebook.models.i2l.body import PosedBody
from posebook.models.i2l.units import BODY_DEPTH, HAND_DEPTH
from posebook.rotations import axis_angle_to_matrix

BINS = 64  # meshes are learnt and kept in 64ths of the box, the paper's heat-map units, however many bins a head has


class MeshBatch(NamedTuple):
    """Pictures and true meshes; metres, camera frame."""

    image: Tensor  # (B, 3, H, W) float in [0, 1]
    vertices: Tensor  # (B, V, 3)
    root: Tensor  # (B, 3) joint 0 of the dataset
    K: Tensor  # (B, 3, 3) of the crop, pixels
    betas: Tensor  # (B, 10)
    rotations: Tensor  # (B, R, 3, 3) relative to the parent


class Meshes:
    """Rows of a dataset with their meshes.

    Attributes:
        faces: (F, 3). regressor: (J, V) joints of the network. body: the posing layer, R rotations.
        units: 64ths of the box. size: pixels of the crop. joint_set: the first joints of the regressor, for bones.

    Args:
        dataset: in the sample schema, with parameters. device: where the tensors go.
        layer: `smplx.SMPL` or `smplx.MANO`. faces, regressor, depth: as above; metres of depth of the box.
        joint_set: whose joints are the first rows of `regressor`.
    """

    def __init__(self, dataset: Dataset, device, layer, faces, regressor: Tensor, joint_set: JointSet, depth: float):
        self.dataset, self.device, self.joint_set = dataset, torch.device(device), joint_set
        self.size = dataset.arrays["image"].shape[1]
        self.units = HeatmapUnits(self.size, BINS, depth)
        self.layer, self.body = layer, PosedBody(layer).to(self.device)
        self.faces = torch.tensor(np.array(faces), device=self.device)
        self.regressor = regressor.detach().float().to(self.device)

    def __len__(self) -> int:
        return len(self.dataset)

    @property
    def vertices(self) -> int:
        """V."""
        return self.regressor.shape[1]

    def pose(self, rotations: Tensor, betas: Tensor) -> Tensor:
        """(B, R, 3, 3) and (B, 10) -> (B, V, 3) metres with joint 0 of the regressor at the origin."""
        vertices = self.body(rotations, betas)
        return vertices - self.regressor[:1] @ vertices

    def targets(self, batch: MeshBatch) -> tuple[Tensor, Tensor]:
        """True mesh (B, V, 3) and joints (B, J, 3) in 64ths of the box."""
        relative = batch.vertices[..., 2:] - batch.root[:, None, 2:]
        mesh = self.units.from_crop(torch.cat((project(batch.vertices, batch.K), relative), -1))
        return mesh, self.regressor @ mesh

    def _tensor(self, field: str, rows) -> Tensor:
        return torch.from_numpy(np.array(self.dataset.arrays[field][rows])).to(self.device)


class BodyMeshes(Meshes):
    """Free bodies: the 24 SMPL joints and five points of the head, 29 joints in all.

    Args:
        dataset: the body benchmark. device: where the tensors go. level: of the mesh, see `load_body`.
    """

    def __init__(self, dataset: Dataset, device="cpu", level: str = "coarse"):
        layer, assets = load_body(level=level), load_assets(level)
        points = tuple(assets.vertex_ids[name] for name in ("nose", "leye", "reye", "lear", "rear"))
        regressor = joint_regressor(layer.J_regressor, points)
        super().__init__(dataset, device, layer, assets.faces, regressor, SMPL24, BODY_DEPTH)
        self.level, self.batches = level, BodyBatches(dataset, device)

    def get(self, rows) -> MeshBatch:
        """Batch of some rows, as they are."""
        return self._posed(self.batches.get(rows))

    def augmented(self, rows: np.ndarray, generator: torch.Generator) -> MeshBatch:
        """Mirrored with probability 1/2, each colour channel scaled by U(0.8, 1.2)."""
        return self._posed(self.batches.augmented(rows, generator))

    def _posed(self, b) -> MeshBatch:
        vertices = self.pose(b.relative, b.betas) + b.root.unsqueeze(1)
        return MeshBatch(b.image, vertices, b.root, b.K, b.betas, b.relative)


class HandMeshes(Meshes):
    """Free right hands, 21 joints in the order of FreiHAND.

    Args:
        dataset: the hand benchmark. device: where the tensors go.
    """

    def __init__(self, dataset: Dataset, device="cpu"):
        assets = load_hand_assets()
        regressor = torch.from_numpy(np.array(assets.regressor))
        super().__init__(dataset, device, load_hand(), assets.faces, regressor, HAND21, HAND_DEPTH)

    def get(self, rows) -> MeshBatch:
        """Batch of some rows, as they are."""
        pose = torch.cat([self._tensor(f, rows) for f in ("global_orient", "hand_pose")], 1)
        rotations = axis_angle_to_matrix(pose.unflatten(1, (-1, 3)))
        betas, root = self._tensor("betas", rows), self._tensor("joints3d", rows)[:, 0]
        image = self._tensor("image", rows).permute(0, 3, 1, 2).float() / 255
        vertices = self.pose(rotations, betas) + root.unsqueeze(1)
        return MeshBatch(image, vertices, root, self._tensor("K", rows), betas, rotations)

    def augmented(self, rows: np.ndarray, generator: torch.Generator) -> MeshBatch:
        """Each colour channel scaled by U(0.8, 1.2); no mirror."""
        batch = self.get(rows)
        return at_random(batch, batch, generator)


def mean_parameters(meshes: Meshes, limit: int = 4000) -> tuple[Tensor, Tensor, Tensor]:
    """Training means that networks predict offsets from, and that the baseline says.

    Args:
        meshes: the training set.
        limit: rows that count, spread evenly: a mean needs no more.

    Returns:
        mesh (V, 3) in 64ths of the box, betas (10,), rotation matrices (R, 3, 3), which are no rotations.
    """
    rows = np.unique(np.linspace(0, len(meshes) - 1, min(limit, len(meshes))).astype(int))
    sums, count = None, 0
    for part in np.array_split(rows, -(-len(rows) // 128)):
        batch = meshes.get(part)
        new = [meshes.targets(batch)[0].sum(0), batch.betas.sum(0), batch.rotations.sum(0)]
        sums = new if sums is None else [a + b for a, b in zip(sums, new, strict=True)]
        count += len(part)
    return tuple(s / count for s in sums)
