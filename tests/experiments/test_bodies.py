"""Judging bodies: the true one is without error, known errors are found, rows reach the sheet."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.experiments import bodies
from posebook.experiments.bodies import Judge, add_row, chunks
from posebook.experiments.sheet import ScoreSheet
from posebook.metrics import vertex_areas


@pytest.fixture(scope="module")
def people(few_bodies):
    return few_bodies[1]


@pytest.fixture(scope="module")
def judge(people):
    return Judge(people)


@pytest.fixture
def batch(people):
    return people.get(slice(0, None))


def rooted(joints):
    return joints - joints[:, :1]


def test_the_true_body_is_without_error(judge, batch, people):
    found = judge.score(batch.betas, batch.rotations, batch.relative, 0, batch)
    assert found["pve"].shape == found["err_quat"].shape == (6,)
    torch.testing.assert_close(found["pve"], torch.zeros(6), atol=1e-3, rtol=0)
    torch.testing.assert_close(found["err_quat"], torch.zeros(6), atol=1e-3, rtol=0)
    truth = torch.from_numpy(np.array(people.dataset.arrays["joints3d_h36m17"]))
    torch.testing.assert_close(rooted(found["joints3d"]), rooted(truth), atol=2e-4, rtol=0)
    pose = np.concatenate([people.dataset.arrays[f] for f in ("global_orient", "body_pose")], 1)
    again = Rotation.from_rotvec(found["pose"].numpy().reshape(-1, 3)) * Rotation.from_rotvec(pose.reshape(-1, 3)).inv()
    assert again.magnitude().max() < 1e-3
    assert torch.equal(found["betas"], batch.betas)


def test_vertices_are_rooted_at_the_pelvis_joint(judge, batch):
    with torch.no_grad():
        out = judge.body(betas=batch.betas, global_orient=batch.relative[:, :1], body_pose=batch.relative[:, 1:],
                         pose2rot=False)  # fmt: skip
    vertices = judge.vertices(batch.betas, batch.relative)
    torch.testing.assert_close(vertices, out.vertices - out.joints[:, :1])
    torch.testing.assert_close(judge.areas, vertex_areas(out.vertices, judge.faces), atol=1e-8, rtol=1e-3)


def test_a_turned_body_is_wrong_by_its_angle(judge, batch):
    turn = torch.tensor(Rotation.from_euler("y", 10, degrees=True).as_matrix(), dtype=torch.float32)
    relative = batch.relative.clone()
    relative[:, 0] = turn @ relative[:, 0]  # carries every joint with it
    found = judge.score(batch.betas, turn @ batch.rotations, relative, 0, batch)
    torch.testing.assert_close(found["err_quat"], torch.full((6,), 10.0), atol=1e-3, rtol=0)
    vertices = judge.vertices(batch.betas, batch.relative)
    distance = 1000 * (vertices @ turn.T - vertices).norm(dim=-1)
    weight = judge.areas / judge.areas.sum(-1, keepdim=True)
    torch.testing.assert_close(found["pve"], (weight * distance).sum(-1), atol=0.01, rtol=0)
    straight = judge.score(batch.betas, batch.rotations, batch.relative, 0, batch)["joints3d"]
    expected = rooted(straight) @ turn.T
    torch.testing.assert_close(rooted(found["joints3d"]), expected, atol=1e-4, rtol=0)


def test_one_turned_joint_counts_as_one_of_24(judge, batch):
    rotations = batch.rotations.clone()
    turn = torch.tensor(Rotation.from_euler("z", 48, degrees=True).as_matrix(), dtype=torch.float32)
    rotations[:, 20] = rotations[:, 20] @ turn
    found = judge.score(batch.betas, rotations, batch.relative, 0, batch, mesh=False)
    torch.testing.assert_close(found["err_quat"], torch.full((6,), 2.0), atol=1e-3, rtol=0)
    assert "pve" not in found


def test_chunks_are_all_rows_in_order_and_know_their_areas(judge, batch, people, monkeypatch):
    monkeypatch.setattr(bodies, "BATCH", 4)
    pieces = list(chunks(people))
    assert [len(p.root) for p in pieces] == [4, 2]
    assert torch.equal(torch.cat([p.root for p in pieces]), batch.root)
    zero = torch.zeros_like
    whole = judge.score(zero(batch.betas), batch.rotations, batch.relative, 0, batch)["pve"]
    parts = [judge.score(zero(p.betas), p.rotations, p.relative, 4 * i, p)["pve"] for i, p in enumerate(pieces)]
    torch.testing.assert_close(torch.cat(parts), whole, atol=1e-3, rtol=1e-5)
    assert whole.min() > 1  # the shape is wrong


def test_true_meshes_that_are_too_many_to_keep_are_posed_anew(judge, batch, people, monkeypatch):
    monkeypatch.setattr(bodies, "KEPT", 0)
    lean = Judge(people)
    assert lean.truth is None and judge.truth.shape[0] == len(people)
    for own in (slice(0, 2), slice(2, 6)):
        part = people.get(own)
        asked = torch.zeros_like(part.betas), part.rotations, part.relative, own.start, part
        torch.testing.assert_close(lean.score(*asked)["pve"], judge.score(*asked)["pve"], atol=1e-3, rtol=1e-5)


def test_rows_reach_the_sheet_with_their_units(judge, batch, people):
    sheet = ScoreSheet(people.dataset)
    made = judge.score(0 * batch.betas, batch.rotations, batch.relative, 0, batch)
    found = {name: values.numpy() for name, values in made.items()}
    add_row(sheet, "mean shape", found, init="scratch")
    lines = sheet.metrics.set_index("metric")
    assert lines["unit"].to_dict() == dict.fromkeys(lines.index, "mm") | {"err_quat": "degrees"}
    assert lines.loc["pve", "value"] == pytest.approx(found["pve"].mean(), rel=1e-5)  # sequences are equally long
    assert lines.loc["err_quat", "value"] == pytest.approx(0, abs=1e-3)
    truth = np.array(people.dataset.arrays["joints3d_h36m17"])
    off = 1000 * np.linalg.norm(rooted(found["joints3d"]) - rooted(truth), axis=-1).mean()
    assert lines.loc["mpjpe", "value"] == pytest.approx(off, rel=1e-4)
    assert {"pve", "err_quat"} <= set(sheet.per_sequence)
    sheet.add("joints only", truth)
    table = sheet.table()
    assert table.loc["mean shape", "PVE"] > 0 and np.isnan(table.loc["joints only", "PVE"])
