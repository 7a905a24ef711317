"""Neutral bodies of 3DPW's fixture against smplx in the world, and the refit of gendered models against known ones."""

import fixtures_threedpw as fixture
import numpy as np
import people
import pytest
import torch
import whole_sets

from posebook.body import load_assets, load_body
from posebook.data import open_dataset
from posebook.data.body_batches import BodyBatches
from posebook.data.real import body_models, open_real
from posebook.data.real.bodies import NEUTRAL, bodies_of, refit
from posebook.data.real.chapters import body_for, check_chapter, lacking
from posebook.errors import PosebookError
from posebook.own_body import FREE, using_body
from posebook.profile import smoke


@pytest.fixture
def opened(tmp_path, own_cache, monkeypatch):
    """3DPW's test split, prepared after the body models."""
    own_cache("body")
    whole_sets.make_bodies(tmp_path / "models", monkeypatch)
    whole_sets.make_3dpw(tmp_path / "3DPW", monkeypatch, scored=False, frames=16)
    return open_real("3dpw", "test", smoke())


def in_the_world(frame: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and 24 joints of a person of the fixture, posed by smplx in the world, seen by its camera."""
    person = people.person(fixture.FRAMES, seed)
    layer = load_body(body_models.models_folder() / NEUTRAL)
    given = {"betas": person.betas, "global_orient": person.poses[frame, :3], "body_pose": person.poses[frame, 3:],
             "transl": person.trans[frame]}  # fmt: skip
    with torch.no_grad():
        out = layer(**{name: torch.tensor(v[None], dtype=torch.float32) for name, v in given.items()})
    R, t = people.camera_y_up()
    return tuple(a[0].double().numpy() @ R.T + t for a in (out.vertices, out.joints[:, :24]))


def test_bodies_stand_where_the_world_has_them(opened):
    bodies = bodies_of(opened)
    rows = np.array([3, 20])  # of the first and of the second person
    for row, vertices, joints in zip(rows, bodies.vertices(rows), bodies.joints3d(rows), strict=True):
        expected = in_the_world(int(opened.texts["frame"][row]), int(opened.texts["sequence"][row][-1]))
        np.testing.assert_allclose(vertices, expected[0], atol=1e-4)
        np.testing.assert_allclose(joints, expected[1], atol=1e-4)
    np.testing.assert_allclose(bodies.betas(rows), np.tile(people.SHAPE, (2, 1)), atol=1e-4)
    regressor = load_assets("smpl6890", FREE).regressors["h36m17"]
    np.testing.assert_allclose(bodies.joints17(rows), regressor @ bodies.vertices(rows), atol=1e-6)


def nearest_face(mesh: np.ndarray, faces: np.ndarray, ray: np.ndarray) -> int:
    """Triangle that a ray from the origin meets first, -1 for none: every triangle is solved for by Cramer's rule."""
    a, b, c = (mesh[faces[:, k]] for k in range(3))
    matrix = np.stack([a - b, a - c, np.broadcast_to(ray, a.shape)], -1)  # u (a - b) + v (a - c) + t ray = a
    inside = np.abs(np.linalg.det(matrix)) > 1e-14
    u, v, t = np.linalg.solve(matrix[inside], a[inside][..., None])[..., 0].T
    hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0)
    return int(np.flatnonzero(inside)[hit][t[hit].argmin()]) if hit.any() else -1


def test_part_maps_show_the_first_triangle_of_every_ray(opened):
    rows, body = np.array([3]), whole_sets.smpl_arrays()
    labels, mesh = bodies_of(opened).parts(rows)[0], in_the_world(3, 0)[0]
    parts, K = body["weights"][body["f"]].sum(1).argmax(1) + 1, np.asarray(opened.arrays["K"][rows])[0]
    for y, x in (
        np.random.default_rng(0).integers(0, len(labels), (60, 2)).tolist() + np.argwhere(labels)[::40].tolist()
    ):
        ray = np.linalg.solve(K, [x + 0.5, y + 0.5, 1])
        face = nearest_face(mesh, body["f"], ray)
        assert labels[y, x] == (parts[face] if face >= 0 else 0)
    assert 0.02 < (labels > 0).mean() < 0.6 and len(np.unique(labels)) > 12


def test_chapters_get_every_label_and_smpl_in_place_of_the_free_body(opened):
    assert all(lacking(chapter, "3dpw", 8) == [] for chapter in ("01", "02", "03", "04", "05"))
    assert lacking("04", "3dpw", 32) == ["32 frames in a row"]
    neutral = body_models.models_folder() / NEUTRAL
    assert body_for("04", "3dpw") == str(neutral) and body_for("01", "3dpw") == FREE
    test = open_dataset("3dpw", "test", smoke(), workers=1)
    assert test.manifest["missing_fields"] == ["depth"] and "female and male SMPL as the neutral one" in test.describe()
    assert test[2].mask.any() and test[2].valid["parts"] and test[2].valid["mask"]
    with pytest.raises(PosebookError, match="parameters are of another body than the one in use.*POSEBOOK_BODY"):
        BodyBatches(test)
    with using_body(neutral):
        batch = BodyBatches(test).get(slice(0, 2))
    assert (batch.parts > 0).any() and batch.joints3d.abs().max() < 2


def test_one_sentence_without_the_neutral_body_or_the_extra_regressor(opened):
    (body_models.models_folder() / "J_regressor_extra.npy").unlink()
    with pytest.raises(PosebookError, match="has no parts .*J_regressor_extra.npy.*data_download/body_models.py"):
        check_chapter("02", "3dpw")
    check_chapter("01", "3dpw")


def test_a_gendered_model_becomes_the_neutral_one(tmp_path, body_cache):
    """A model whose people are the neutral one's under other betas, moved by a shift, comes back exactly."""
    rng = np.random.default_rng(0)
    neutral = whole_sets.smpl_arrays()
    mix, offset, shift = np.eye(10) + rng.normal(0, 0.2, (10, 10)), rng.normal(0, 1, 10), np.array([0.01, 0.2, 0])
    slopes = np.asarray(neutral["shapedirs"], np.float64)
    other = neutral | {"v_template": neutral["v_template"] + slopes @ offset + shift, "shapedirs": slopes @ mix}
    for name, arrays in (("neutral", neutral), ("other", other)):
        np.savez(tmp_path / f"{name}.npz", **arrays)
    found = refit(tmp_path / "other.npz", tmp_path / "neutral.npz")
    np.testing.assert_allclose(found.matrix, mix, atol=1e-4)
    np.testing.assert_allclose(found.shift, offset, atol=1e-4)
    assert found.error < 1e-5
    wider = other | {"v_template": other["v_template"] * [1.1, 1, 1]}
    np.savez(tmp_path / "wider.npz", **wider)
    assert 1e-4 < refit(tmp_path / "wider.npz", tmp_path / "neutral.npz").error < 0.05
