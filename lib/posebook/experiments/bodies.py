"""Scoring bodies: predicted parameters against true ones, by the joints of the table's protocol and the full mesh."""

import numpy as np
import torch
from torch import Tensor

from posebook.body import load_assets, load_body
from posebook.data.body_batches import BodyBatch, BodyBatches
from posebook.experiments.sheet import ScoreSheet
from posebook.joint_layer import RegressedJoints
from posebook.metrics import err_quat, pve, vertex_areas
from posebook.rotations import matrix_to_axis_angle

BATCH = 64  # bodies at a time; full meshes are posed for PVE
KEPT = 512 * 2**20  # bytes of true meshes that are kept; those of a larger set are posed anew for every row


class Judge:
    """Full bodies of a test set, to score predicted ones against: joints of the table's protocol, PVE and err_quat.

    Args:
        test: the test set with its true bodies.
    """

    def __init__(self, test: BodyBatches):
        self.body, assets = load_body().to(test.device), load_assets("full")
        self.faces = torch.tensor(np.array(assets.faces), device=test.device)
        self.joints17 = RegressedJoints(load_body(), assets.regressors["h36m17"]).to(test.device)
        areas, meshes = [], []
        size = self.body.v_template.numel() * self.body.v_template.element_size() * len(test)
        for batch in chunks(test):
            truth = self.vertices(batch.betas, batch.relative)
            areas.append(vertex_areas(truth, self.faces))
            meshes += [truth] if size <= KEPT else []
        self.areas, self.truth = torch.cat(areas), torch.cat(meshes) if meshes else None

    @torch.no_grad()
    def vertices(self, betas: Tensor, relative: Tensor) -> Tensor:
        """(B, V, 3) metres, relative to the pelvis joint."""
        out = self.body(betas=betas, global_orient=relative[:, :1], body_pose=relative[:, 1:], pose2rot=False)
        return out.vertices - out.joints[:, :1]

    def true_vertices(self, own: slice, betas: Tensor, relative: Tensor) -> Tensor:
        """`vertices` of the test set's rows `own`, whose true parameters are given: kept ones where they are kept."""
        return self.vertices(betas, relative) if self.truth is None else self.truth[own]

    @torch.no_grad()
    def score(self, betas: Tensor, rotations: Tensor, relative: Tensor, start: int, batch: BodyBatch,
              mesh: bool = True) -> dict:  # fmt: skip
        """Joints (B, 17, 3) metres, area-weighted PVE (B,) mm, err_quat (B,) degrees, rotations in the camera frame."""
        found = {
            "joints3d": self.joints17(betas, relative),
            "err_quat": err_quat(rotations, batch.rotations, "none", degrees=True),
            "betas": betas,
            "pose": matrix_to_axis_angle(relative),
        }
        if mesh:
            own = slice(start, start + len(betas))
            truth = self.true_vertices(own, batch.betas, batch.relative)
            found["pve"] = pve(self.vertices(betas, relative), truth, "none", areas=self.areas[own])
        return found


def chunks(batches: BodyBatches):
    """All rows in order, a few at a time."""
    for start in range(0, len(batches), BATCH):
        yield batches.get(slice(start, start + BATCH))


def add_row(sheet: ScoreSheet, row: str, found: dict[str, np.ndarray], **about) -> None:
    """Score predictions of `predict` as one row of a sheet, with PVE and err_quat."""
    sheet.add(row, found["joints3d"], extra={name: found[name] for name in ("pve", "err_quat")}, **about)
