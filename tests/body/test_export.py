"""Exports read back by other readers: trimesh, numpy, our BVH reader with its own forward kinematics."""

import numpy as np
import pytest
import torch
import trimesh

from posebook.body import load_assets, load_body, sample_people
from posebook.body.export import export_bvh, export_mesh, export_npz
from posebook.errors import PosebookError
from posebook.joints import SMPL24
from posebook.motion.bvh import forward_kinematics, read_bvh


@pytest.fixture(scope="module")
def motion(body_cache):
    rng = np.random.default_rng(0)
    return {
        "global_orient": rng.normal(0, 1, (5, 3)),
        "body_pose": rng.normal(0, 0.5, (5, 69)),
        "transl": rng.normal(0, 1, (5, 3)),
    }


@pytest.fixture(scope="module")
def posed(motion):
    betas = sample_people(1, seed=0)[0]
    with torch.no_grad():
        inputs = {k: torch.tensor(v, dtype=torch.float32) for k, v in motion.items()}
        output = load_body("free", level="coarse")(betas=torch.tensor(betas).expand(5, -1), **inputs)
    return betas, output.vertices, output.joints[:, :24].numpy()


@pytest.mark.parametrize("suffix", ["obj", "ply"])
def test_mesh_read_back(tmp_path, posed, suffix):
    faces = load_assets("coarse").faces
    (path,) = export_mesh(tmp_path / f"body.{suffix}", posed[1][0], faces)
    mesh = trimesh.load(path, process=False)
    np.testing.assert_allclose(mesh.vertices, posed[1][0].numpy(), atol=1e-6)
    np.testing.assert_array_equal(mesh.faces, faces)


def test_sequence_of_meshes(tmp_path, posed):
    paths = export_mesh(tmp_path / "walk.ply", posed[1], load_assets("coarse").faces)
    assert [p.name for p in paths] == [f"walk_{t:05d}.ply" for t in range(5)]
    np.testing.assert_allclose(trimesh.load(paths[3], process=False).vertices, posed[1][3].numpy(), atol=1e-6)


def test_npz_has_amass_names(tmp_path, motion, posed):
    path = export_npz(tmp_path / "walk.npz", **motion, betas=posed[0], fps=30)
    with np.load(path) as stored:
        assert set(stored) == {"poses", "trans", "betas", "gender", "mocap_framerate"}
        np.testing.assert_array_equal(stored["poses"], np.hstack([motion["global_orient"], motion["body_pose"]]))
        np.testing.assert_array_equal(stored["trans"], motion["transl"])
        assert stored["betas"].shape == (10,) and str(stored["gender"]) == "neutral" and stored["mocap_framerate"] == 30


def test_bvh_read_back_by_forward_kinematics(tmp_path, motion, posed):
    betas, _, joints = posed
    path = export_bvh(tmp_path / "walk.bvh", load_body("free", level="coarse"), **motion, betas=betas, fps=25)
    bvh = read_bvh(path)
    assert bvh.frame_time == pytest.approx(0.04) and set(bvh.names) == set(SMPL24.names)
    for name, parent in zip(bvh.names, bvh.parents, strict=True):
        expected = SMPL24.parents[SMPL24.index(name)]
        assert (parent < 0) if expected < 0 else bvh.names[parent] == SMPL24.names[expected]
    positions = forward_kinematics(bvh).positions.numpy() / 100  # centimetres
    found = positions[:, [bvh.names.index(n) for n in SMPL24.names]]
    np.testing.assert_allclose(found, joints, atol=1e-4)


def test_bad_exports(tmp_path, motion, posed):
    with pytest.raises(PosebookError, match=r"\.obj or \.ply"):
        export_mesh(tmp_path / "body.stl", posed[1][0], load_assets("coarse").faces)
    with pytest.raises(PosebookError, match="Vertices should be"):
        export_mesh(tmp_path / "body.obj", np.zeros((3, 4)), load_assets("coarse").faces)
    with pytest.raises(PosebookError, match=r"body_pose \(T, 69\)"):
        export_npz(tmp_path / "a.npz", motion["global_orient"], motion["body_pose"][:, :63], motion["transl"],
                   posed[0], 30)  # fmt: skip
    assert list(tmp_path.iterdir()) == []
