"""Ten betas: unit variance, adults of the stated stature, and a PCA that agrees with numpy's SVD."""

import numpy as np
import torch

from posebook.body import load_assets, load_body
from posebook.body.shape_space import principal_components, project, reconstruct
from posebook.body.statistics import stature_floor_mm


def test_pca_against_svd():
    people = np.random.default_rng(0).normal(size=(30, 7, 3)) * np.linspace(1, 3, 21).reshape(7, 3)
    space = principal_components(people, 4)
    centred = (people - people.mean(0)).reshape(30, -1)
    _, values, vectors = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(space.explained, (values**2 / (values**2).sum())[:4])
    for k in range(4):
        direction = vectors[k] * values[k] / np.sqrt(29)
        found = space.directions[:, :, k].ravel()
        np.testing.assert_allclose(found * np.sign(found @ direction), direction, atol=1e-10)
    betas = project(space, people)
    np.testing.assert_allclose(betas.var(0, ddof=1), 1)
    np.testing.assert_allclose(project(space, reconstruct(space, betas)), betas, atol=1e-10)


def test_positive_is_taller(body_cache):
    body = load_body("free", level="coarse")
    betas = torch.zeros(1, 10)
    betas[0, 0] = 2
    assert np.ptp(body(betas=betas).vertices[0, :, 1].detach().numpy()) > 1.85


def test_pool_has_unit_variance_and_adult_stature(body_cache):
    assets = load_assets("full")
    np.testing.assert_allclose(assets.people.std(0), 1, atol=0.12)
    assert assets.people.shape == (400, 10)
    body = load_body("free", level="coarse")
    with torch.no_grad():
        vertices = body.forward_shape(torch.from_numpy(assets.people.copy())).vertices
    height = (vertices[..., 1].max(1).values - vertices[..., 1].min(1).values).numpy()
    s = assets.statistics
    assert abs(height.mean() - s["stature_mean"]) < 0.005 and abs(height.std() - s["stature_sd"]) < 0.003
    assert 1.68 < s["stature_mean"] < 1.72 and 0.09 < s["stature_sd"] < 0.11
    assert 1.3 < s["stature_min"] and s["stature_max"] < 2.15


def test_statistics_meet_the_contract(body_cache):
    s = load_assets("full").statistics
    assert s["components_compared"] == [k for k, v in enumerate(s["explained_variance"]) if v >= 1e-3]
    assert sum(s["explained_variance"]) > 0.99 and s["explained_variance"] == sorted(s["explained_variance"])[::-1]
    for level in s["levels"].values():
        assert level["j_regressor_mm"] < 5
        assert level["upsample_floor_mm"] < 1
    assert 15 < s["stature_mpjpe_floor_mm"] < 30


def test_stature_floor_closed_form():
    """Two people, one joint 0.5 m from the root: mean stature 1.5; |1.5/1 - 1| = 0.5 and |1.5/2 - 1| = 0.25."""
    joints = np.zeros((2, 2, 3))
    joints[:, 1, 1] = 0.5
    expected = 1000 * np.mean([0.5, 0.25]) * np.mean([0.0, 0.5])
    assert stature_floor_mm(joints, np.array([1.0, 2.0])) == expected
