"""Scoring meshes: in the box (they need a root depth to become metres) or in metres; bodies and hands.

A mesh in the box gets its root depth from the mean bone lengths of the training people, as in chapter 1; the same mesh
with the true root depth makes an oracle row.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from posebook.body import load_assets
from posebook.experiments.bodies import Judge
from posebook.experiments.meshes import BodyMeshes, HandMeshes, MeshBatch, Meshes
from posebook.joints import H36M17, HAND21, JointSet
from posebook.metrics import freihand_scores, pve, umbrella_laplacian
from posebook.models.decode import back_project
from posebook.models.root_depth import bone_lengths, fit_root_depth

CHUNK = 64  # meshes at a time
NEAREST = 0.15  # metres: hands are held closer to the camera than bodies stand
TRUE_DEPTH = "_true_depth"  # ends the names of what the true root depth makes


class MeshJudge:
    """What bodies and hands share. Subclasses say how a mesh in metres is scored.

    Args:
        test: the test set. joint_set, regressor: of the table's protocol, (J, V).
        lengths: (bones,) metres, training mean.
    """

    def __init__(self, test: Meshes, joint_set: JointSet, regressor: Tensor, lengths: Tensor):
        self.test, self.joint_set = test, joint_set
        self.regressor, self.lengths = regressor.to(test.device), lengths.to(test.device)

    @torch.no_grad()
    def box(self, mesh: Tensor, batch: MeshBatch, start: int) -> dict[str, Tensor]:
        """Score meshes (B, V, 3) in 64ths of the box, with both root depths; `start` is the batch's first row."""
        crop = self.test.units.to_crop(mesh)  # pixels and relative depth in metres
        joints = self.regressor @ crop
        view = joints[..., :2], joints[..., 2], batch.K
        depth = fit_root_depth(*view, self.lengths, self.joint_set.bones, low=NEAREST).depth
        found = self.metres(self.unproject(crop, depth, batch), batch, start)
        oracle = self.metres(self.unproject(crop, batch.root[:, 2], batch), batch, start)
        return found | {name + TRUE_DEPTH: values for name, values in oracle.items()}

    @torch.no_grad()
    def collect(self, score: Callable[[MeshBatch, int], dict[str, Tensor]]) -> dict[str, np.ndarray]:
        """Call `score(batch, first row)` for all test pictures, a few at a time, and join what it finds."""
        parts = []
        for start in range(0, len(self.test), CHUNK):
            parts.append(score(self.test.get(slice(start, start + CHUNK)), start))
        return {name: torch.cat([p[name] for p in parts]).float().cpu().numpy() for name in parts[0]}

    @staticmethod
    def unproject(crop: Tensor, depth: Tensor, batch: MeshBatch) -> Tensor:
        """(B, V, 3) pixels and relative depth, and (B,) root depth -> (B, V, 3) metres, camera frame."""
        return back_project(crop[..., :2], crop[..., 2] + depth.unsqueeze(1), batch.K)

    def metres(self, mesh: Tensor, batch: MeshBatch, start: int) -> dict[str, Tensor]:
        """Score meshes (B, V, 3) in metres, camera axes, any root."""
        raise NotImplementedError


class BodyMeshJudge(MeshJudge):
    """joints3d (B, 17, 3) metres; PVE (B,) mm of the full mesh, by area; Laplacian (B,) mm of the level's mesh.

    Args:
        test, train: bodies; the training ones give the mean bone lengths.
    """

    def __init__(self, test: BodyMeshes, train: BodyMeshes):
        assets = load_assets(test.level)
        joints = torch.from_numpy(np.array(train.dataset.arrays["joints3d_h36m17"]))
        regressor = torch.from_numpy(np.array(assets.regressors["h36m17"]))
        super().__init__(test, H36M17, regressor, bone_lengths(joints, H36M17.bones).mean(0))
        self.full = Judge(test.batches)
        self.up = None
        if assets.upsample is not None:
            m = assets.upsample.tocoo()
            index = torch.from_numpy(np.stack([m.row, m.col]).astype(np.int64))
            self.up = (
                torch.sparse_coo_tensor(index, torch.from_numpy(m.data), m.shape, check_invariants=True)
                .coalesce()
                .to(test.device)
            )

    def upsampled(self, mesh: Tensor) -> Tensor:
        """(B, V, 3) of the level -> (B, V of the full mesh, 3)."""
        if self.up is None:
            return mesh
        flat = mesh.transpose(0, 1).flatten(1)  # (V, 3 B)
        return (self.up @ flat).unflatten(1, (len(mesh), 3)).transpose(0, 1)

    def metres(self, mesh: Tensor, batch: MeshBatch, start: int) -> dict[str, Tensor]:
        """See the class."""
        rooted = mesh - self.test.regressor[:1] @ mesh
        own = slice(start, start + len(mesh))
        truth = self.full.true_vertices(own, batch.betas, batch.rotations)
        return {
            "joints3d": self.regressor @ mesh,
            "pve": pve(self.upsampled(rooted), truth, "none", areas=self.full.areas[own]),
            "laplacian": umbrella_laplacian(rooted, self.test.faces, "none"),
        }


class HandMeshJudge(MeshJudge):
    """joints3d (B, 21, 3) metres; PVE (B,) mm from the wrist, by area; FreiHAND's PA-MPVPE in mm, F@5 and F@15 in %.

    Args:
        test, train: hands; the training ones give the mean bone lengths.
    """

    def __init__(self, test: HandMeshes, train: HandMeshes):
        joints = torch.from_numpy(np.array(train.dataset.arrays["joints3d"]))
        super().__init__(test, HAND21, test.regressor, bone_lengths(joints, HAND21.bones).mean(0))

    def metres(self, mesh: Tensor, batch: MeshBatch, start: int) -> dict[str, Tensor]:
        """See the class."""
        joints, true_joints = self.regressor @ mesh, self.regressor @ batch.vertices
        rooted, truth = mesh - joints[:, :1], batch.vertices - true_joints[:, :1]
        scores = freihand_scores(joints, true_joints, mesh, batch.vertices, "none")
        return {
            "joints3d": joints,
            "pve": pve(rooted, truth, "none", faces=self.test.faces),
            "pa_mpvpe": scores.pa_mpvpe,
            "f5": 100 * scores.f5,
            "f15": 100 * scores.f15,
            "laplacian": umbrella_laplacian(rooted, self.test.faces, "none"),
        }
