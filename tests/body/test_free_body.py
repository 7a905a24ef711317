"""The baked body against what SMPL promises: axes, units, sums, joints, and independent skinning."""

import numpy as np
import pytest
import smplx
import torch
import trimesh
from scipy.spatial.transform import Rotation

from posebook.body import load_assets, load_body, sample_people
from posebook.errors import PosebookError
from posebook.joints import COCO17, H36M17, LSP14, SMPL24, SPIN_EXTRA9

LEVELS = ("full", "smpl6890", "coarse")


@pytest.fixture(scope="module", params=LEVELS)
def level(request, body_cache):
    return request.param


def pose_people(body, betas, seed, spread=0.3):
    """smplx output of people in random poses."""
    count = len(betas)
    pose = spread * torch.randn(count, 69, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        still = torch.zeros(count, 3)
        return body(body_pose=pose, betas=torch.from_numpy(betas.copy()), global_orient=still, transl=still)


def rest(level):
    return load_body("free", level=level)().vertices[0].detach().numpy()


def test_is_a_real_smpl(level):
    body = load_body("free", level=level)
    assert type(body) is smplx.SMPL
    output = body()
    assert output.joints.shape == (1, 45, 3)
    assert body.shapedirs.shape[-1] == 10 and body.v_template.dtype == torch.float32
    assert body.posedirs.abs().max() == 0
    assert tuple(body.parents.tolist()) == SMPL24.parents


def test_vertex_counts(body_cache):
    assert len(rest("smpl6890")) == 6890
    assert len(rest("coarse")) == pytest.approx(1200, rel=0.02)
    assert 12_500 < len(rest("full")) <= 13_718


def test_surface_is_closed_and_outward(level):
    assets = load_assets(level)
    for piece in trimesh.Trimesh(rest(level), assets.faces, process=False).split(only_watertight=False):
        assert piece.is_watertight and piece.is_winding_consistent and piece.volume > 0
    assert np.unique(assets.faces).size == len(assets.template)  # no vertex without a face


def test_axes_and_units(level):
    output = load_body("free", level=level)()
    j = dict(zip(SMPL24.names, output.joints[0, :24].detach().numpy(), strict=True))
    height = np.ptp(output.vertices[0].detach().numpy()[:, 1])
    assert 1.65 < height < 1.75  # metres, y up
    assert np.linalg.norm(j["pelvis"]) < 0.005
    assert j["left_wrist"][0] > 0.5 and j["right_wrist"][0] < -0.5  # the subject's left is +x
    for side in ("left", "right"):  # arms level along x, legs straight down
        arm = np.stack([j[f"{side}_{n}"] for n in ("shoulder", "elbow", "wrist", "hand")])
        assert np.ptp(arm[:, 1:], axis=0).max() < 0.012
        leg = np.stack([j[f"{side}_{n}"] for n in ("hip", "knee", "ankle")])
        assert np.ptp(leg[:, [0, 2]], axis=0).max() < 0.012
        assert j[f"{side}_foot"][2] > j[f"{side}_ankle"][2] + 0.1  # facing +z


def test_left_and_right_mirror(body_cache):
    joints = load_body("free")().joints[0, :24].detach().numpy()
    np.testing.assert_allclose(joints[list(SMPL24.flip)] * [-1, 1, 1], joints, atol=0.002)


def test_weights_and_rows_sum_to_one(level):
    body, assets = load_body("free", level=level), load_assets(level)
    np.testing.assert_allclose(assets.weights.sum(1), 1, atol=1e-5)
    names = {"h36m17": H36M17.names, "coco17": COCO17.names, "lsp14": LSP14.names, "spin_extra9": SPIN_EXTRA9}
    assert assets.regressors.keys() == names.keys()
    for rows in (body.J_regressor.numpy(), *assets.regressors.values()):
        np.testing.assert_allclose(rows.sum(1), 1, atol=1e-4)
        assert rows.min() >= 0
        assert (rows > 0).sum(1).max() < 130  # sparse
    assert all(len(assets.regressors[k]) == len(v) for k, v in names.items())


def test_skinning_by_hand(body_cache):
    """A knee bent by 90 degrees, computed with rotation matrices alone."""
    body, assets = load_body("free", level="coarse"), load_assets("coarse")
    knee = SMPL24.index("left_knee")
    pose = torch.zeros(1, 69)
    pose[0, 3 * (knee - 1)] = np.pi / 2
    posed = body(body_pose=pose).vertices[0].detach().numpy()
    centre = body().joints[0, knee].detach().numpy()
    below = assets.weights[:, [knee, SMPL24.index("left_ankle"), SMPL24.index("left_foot")]].sum(1, keepdims=True)
    turned = (assets.template - centre) @ Rotation.from_euler("x", 90, degrees=True).as_matrix().T + centre
    np.testing.assert_allclose(posed, below * turned + (1 - below) * assets.template, atol=1e-5)
    assert posed[assets.vertex_ids["LBigToe"], 2] < -0.3  # a knee bends backwards


def test_bends_as_a_person_does(body_cache):
    """Signs of SMPL's pose: the elbow's y turns the forearm forward on both sides, mirrored."""
    body = load_body("free", level="coarse")
    for side, sign in (("left", -1), ("right", 1)):
        pose = torch.zeros(1, 69)
        pose[0, 3 * (SMPL24.index(f"{side}_elbow") - 1) + 1] = sign * np.pi / 2
        joints = body(body_pose=pose).joints[0].detach().numpy()
        wrist, elbow = joints[SMPL24.index(f"{side}_wrist")], joints[SMPL24.index(f"{side}_elbow")]
        assert wrist[2] > elbow[2] + 0.2


def test_landmarks(level):
    assets, points = load_assets(level), rest(level)
    p = {name: points[i] for name, i in assets.vertex_ids.items()}
    assert p["nose"][2] == pytest.approx(points[points[:, 1] > p["nose"][1] - 0.05, 2].max(), abs=0.003)
    assert abs(p["nose"][0]) < 0.005
    for side, x in (("l", 1), ("r", -1)):
        assert 0.02 < x * p[f"{side}eye"][0] < 0.045 and p[f"{side}eye"][1] > p["nose"][1]
        assert 0.06 < x * p[f"{side}ear"][0] < 0.1 and p[f"{side}ear"][2] < p["nose"][2] - 0.05
        tips = [p[side + f] for f in ("index", "middle", "ring", "pinky")]
        assert x * tips[1][0] == pytest.approx((x * points[:, 0]).max(), abs=0.003)  # the middle finger is longest
        assert all(a[2] > b[2] for a, b in zip(tips, tips[1:], strict=False))  # palm down, thumb side in front
        assert p[f"{side}thumb"][2] > tips[0][2]
        foot = {n: p[f"{side.upper()}{n}"] for n in ("BigToe", "SmallToe", "Heel")}
        assert x * foot["SmallToe"][0] > x * foot["BigToe"][0] + 0.04 and foot["BigToe"][2] > foot["Heel"][2] + 0.2
        assert all(v[1] < points[:, 1].min() + 0.04 for v in foot.values())


def test_named_joints_are_anatomical(level):
    assets, points = load_assets(level), rest(level)
    h = dict(zip(H36M17.names, assets.regressors["h36m17"] @ points, strict=True))
    np.testing.assert_allclose(h["pelvis"], (h["left_hip"] + h["right_hip"]) / 2, atol=0.002)
    assert h["right_hip"][0] < 0 < h["left_hip"][0]
    assert h["pelvis"][1] < h["torso"][1] < h["neck"][1] < h["nose"][1] < h["head_top"][1]
    assert h["head_top"][1] == pytest.approx(points[:, 1].max(), abs=0.012)
    assert h["torso"][1] == pytest.approx((h["pelvis"][1] + h["neck"][1]) / 2, abs=0.04)
    coco = dict(zip(COCO17.names, assets.regressors["coco17"] @ points, strict=True))
    assert coco["left_eye"][0] > 0 > coco["right_eye"][0] and coco["left_ear"][2] < coco["left_eye"][2]
    extra = dict(zip(SPIN_EXTRA9, assets.regressors["spin_extra9"] @ points, strict=True))
    assert h["neck"][1] < extra["jaw_h36m"][1] < h["nose"][1] and extra["jaw_h36m"][2] > 0.08


def test_named_joints_follow_the_pose(level):
    """Rows fitted at rest alone err by 2 to 4 cm here."""
    body, assets = load_body("free", level=level), load_assets(level)
    output = pose_people(body, assets.people[:40], seed=5, spread=0.35)
    named = torch.einsum("jv,bvc->bjc", torch.tensor(assets.regressors["h36m17"]), output.vertices)
    shared = [n for n in H36M17.names if n in SMPL24.names and n != "pelvis"]
    ours = named[:, [H36M17.index(n) for n in shared]]
    theirs = output.joints[:, [SMPL24.index(n) for n in shared]]
    assert (ours - theirs).norm(dim=-1).mean() < 0.012


def test_same_joints_on_all_levels(body_cache):
    found = []
    for level in LEVELS:
        output = pose_people(load_body("free", level=level), sample_people(20, seed=1), seed=1)
        rows = torch.tensor(load_assets(level).regressors["h36m17"])
        found.append((output.joints[:, :24], torch.einsum("jv,bvc->bjc", rows, output.vertices)))
    for smpl, named in found[1:]:
        assert (smpl - found[0][0]).norm(dim=-1).mean() < 0.003
        assert (named - found[0][1]).norm(dim=-1).mean() < 0.003


def test_upsampling(body_cache):
    """The stated floor, measured anew on posed people of the pool."""
    people = sample_people(10, seed=2)
    full = pose_people(load_body("free"), people, seed=2).vertices.numpy()
    for level in ("smpl6890", "coarse"):
        assets = load_assets(level)
        coarse = pose_people(load_body("free", level=level), people, seed=2).vertices.numpy()
        back = np.stack([assets.upsample @ v for v in coarse])
        floor = np.linalg.norm(back - full, axis=-1).mean() * 1000
        stated = assets.statistics["levels"][level]["upsample_posed_mm"]
        # smplx moves each level about its own joints, which differ by up to a millimetre between levels
        assert stated - 0.3 < floor < stated + 1.0
    assert load_assets("full").upsample is None


def test_hair_is_a_cap(level):
    assets, points = load_assets(level), rest(level)
    hair = points[assets.hair_vertices]
    nose = points[assets.vertex_ids["nose"]]
    assert hair[:, 1].max() == pytest.approx(points[:, 1].max(), abs=0.005)
    assert (assets.part_of_vertex[assets.hair_vertices] == SMPL24.index("head") + 1).all()
    front = hair[:, 2] > nose[2] - 0.04
    assert hair[front, 1].min() > nose[1] + 0.05 if front.any() else True  # the face is free
    assert hair[hair[:, 2] < -0.02, 1].min() < nose[1] + 0.03  # the back of the head is covered


def test_assets_cannot_be_changed_by_accident(body_cache):
    with pytest.raises(ValueError, match="read-only"):
        load_assets("coarse").faces[0] = 0


def test_people_come_from_the_pool(body_cache):
    people = sample_people(64, seed=3)
    assert people.shape == (64, 10) and people.dtype == np.float32
    np.testing.assert_array_equal(people, sample_people(64, seed=3))
    assert not np.array_equal(people, sample_people(64, seed=4))
    assert {p.tobytes() for p in people} <= {p.tobytes() for p in load_assets().people}


def test_unknown_level(body_cache):
    with pytest.raises(PosebookError, match="full, smpl6890, coarse"):
        load_body("free", level="fine")
