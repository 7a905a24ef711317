"""Rotation maps against numpy's SVD in double precision, finite differences, scipy and closed forms."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError
from posebook.joints import SMPL24
from posebook.rotations import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    matrix_to_rotation_6d,
    mirrored_rotations,
    project_to_rotation,
    rotation_6d_to_matrix,
)

EYE = torch.eye(3, dtype=torch.float64)


def normal(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def turns(count, seed=0):
    return torch.from_numpy(Rotation.random(count, rng=np.random.default_rng(seed)).as_matrix())


def with_singular_values(values, count=8, reflect=False):
    """Matrices U diag(values) V^T of random rotations U, V; with a reflection in between, determinants < 0."""
    signs = torch.tensor([1.0, 1.0, -1.0 if reflect else 1.0], dtype=torch.float64)
    return turns(count, 1) @ torch.diag(torch.tensor(values, dtype=torch.float64) * signs) @ turns(count, 2).mT


def nearest(matrix):
    """The textbook formula, one matrix at a time, in numpy."""
    found = []
    for m in matrix.double().reshape(-1, 3, 3).numpy():
        u, _, vt = np.linalg.svd(m)
        found.append(u @ np.diag([1, 1, np.linalg.det(u) * np.linalg.det(vt)]) @ vt)
    return torch.from_numpy(np.stack(found)).reshape(matrix.shape)


MATRICES = {
    "random": normal(500, 3, 3),
    "nearly rotations": turns(100) + 0.3 * normal(100, 3, 3, seed=1),
    "reflections": -turns(50),
    "mirrors": turns(50) * torch.tensor([1.0, 1.0, -1.0]),
    "identity, 2 I, -I": torch.stack([EYE, 2 * EYE, -EYE]),
    "plane": with_singular_values((2, 1, 0)),
    "line": with_singular_values((3, 0, 0)),
    "zero": torch.zeros(2, 3, 3, dtype=torch.float64),
    "tiny and huge": torch.cat([1e-12 * normal(5, 3, 3), 1e12 * normal(5, 3, 3)]),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", MATRICES)
def test_every_matrix_becomes_a_proper_rotation(kind, dtype):
    found = project_to_rotation(MATRICES[kind].to(dtype))
    assert found.dtype == dtype and found.shape == MATRICES[kind].shape
    tolerance = 2e-6 if dtype == torch.float32 else 1e-13
    torch.testing.assert_close(torch.linalg.det(found), torch.ones(len(found), dtype=dtype), atol=tolerance, rtol=0)
    torch.testing.assert_close(found @ found.mT, EYE.to(dtype).expand_as(found), atol=tolerance, rtol=0)


def test_it_is_numpys_nearest_rotation():
    apart = torch.cat([normal(500, 3, 3), with_singular_values((3, 2, 1), reflect=True), MATRICES["plane"]])
    torch.testing.assert_close(project_to_rotation(apart), nearest(apart), atol=1e-10, rtol=0)
    torch.testing.assert_close(project_to_rotation(turns(20)), turns(20), atol=1e-13, rtol=0)
    torch.testing.assert_close(project_to_rotation(7 * turns(20)), turns(20), atol=1e-13, rtol=0)
    batched = project_to_rotation(apart[:12].reshape(2, 3, 2, 3, 3).float())
    torch.testing.assert_close(batched.double(), nearest(apart[:12]).reshape(batched.shape), atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", ["random", "reflections", "plane", "line", "zero"])
def test_no_other_rotation_is_nearer(kind):
    matrix = MATRICES[kind][:20]
    found = project_to_rotation(matrix)
    others = torch.cat([turns(2000).unsqueeze(1).expand(-1, len(matrix), -1, -1),
                        axis_angle_to_matrix(0.01 * normal(500, 1, 3)) @ found])  # fmt: skip
    distance = (found - matrix).flatten(1).norm(dim=1)
    assert ((others - matrix).flatten(2).norm(dim=2) >= distance - 1e-12).all()


def gradient(matrix, weight, **options):
    matrix = matrix.clone().requires_grad_()
    (project_to_rotation(matrix, **options) * weight).sum().backward()
    return matrix.grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [k for k in MATRICES if k != "tiny and huge"])
def test_gradients_are_finite_everywhere(kind, dtype):
    matrix = MATRICES[kind].to(dtype)
    for fix in (True, False):
        assert gradient(matrix, normal(3, 3).to(dtype), fix_determinant=fix).isfinite().all()


@pytest.mark.parametrize("scale", [1.0, 2.0, 0.1])
def test_gradient_at_multiples_of_the_identity(scale):
    weight = normal(3, 3)
    expected = (weight - weight.mT) / (2 * scale)  # R of c I + E is I + (E - E^T) / (2 c) to first order
    torch.testing.assert_close(gradient(scale * EYE, weight), expected, atol=1e-8, rtol=0)


@pytest.mark.parametrize("reflect", [False, True])
@pytest.mark.parametrize("values", [(3, 2, 1), (2, 2, 0.5), (1.5, 0.3, 0.1)])
def test_gradient_is_that_of_finite_differences(values, reflect):
    matrix = with_singular_values(values, 3, reflect).requires_grad_()
    assert torch.autograd.gradcheck(project_to_rotation, matrix, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("matrix", [EYE, 2 * EYE, EYE * torch.tensor([1, 1, 0.5]), turns(1)[0]])
def test_gradient_at_equal_singular_values_is_that_of_finite_differences(matrix):
    assert torch.autograd.gradcheck(project_to_rotation, matrix.clone().requires_grad_(), atol=1e-6, rtol=1e-5)


def test_without_the_determinant_reflections_pass():
    matrix = MATRICES["random"]
    sign = torch.linalg.det(matrix).sign()
    found = project_to_rotation(matrix, fix_determinant=False)
    torch.testing.assert_close(torch.linalg.det(found), sign, atol=1e-12, rtol=0)
    assert 0.4 < (sign < 0).double().mean() < 0.6  # half of all matrices, specs/nbf.md section 3
    torch.testing.assert_close(found[sign > 0], project_to_rotation(matrix[sign > 0]))
    u, _, vt = np.linalg.svd(matrix.numpy())
    torch.testing.assert_close(found, torch.from_numpy(u @ vt), atol=1e-10, rtol=0)
    torch.testing.assert_close(project_to_rotation(-EYE, fix_determinant=False), -EYE)


def gram_schmidt(a, b):
    """By hand, one pair of vectors at a time."""
    x = a / np.linalg.norm(a)
    y = b - (x @ b) * x
    y = y / np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)], 1)


def test_6d_is_gram_schmidt_on_interleaved_columns():
    numbers = normal(4, 5, 6)
    expected = [gram_schmidt(n[[0, 2, 4]], n[[1, 3, 5]]) for n in numbers.reshape(-1, 6).numpy()]
    torch.testing.assert_close(rotation_6d_to_matrix(numbers), torch.from_numpy(np.stack(expected)).view(4, 5, 3, 3))
    straight = torch.tensor([1.0, 0, 0, 1, 0, 0])  # row by row of the identity's first two columns
    torch.testing.assert_close(rotation_6d_to_matrix(straight), torch.eye(3))
    quarter = torch.tensor([0.0, -3, 5, 1, 0, 0])  # x goes to y; lengths, and the first column in the second, go
    torch.testing.assert_close(rotation_6d_to_matrix(quarter), torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]))


def test_6d_round_trip():
    rotations = turns(24).view(4, 6, 3, 3)
    assert matrix_to_rotation_6d(rotations).shape == (4, 6, 6)
    torch.testing.assert_close(rotation_6d_to_matrix(matrix_to_rotation_6d(rotations)), rotations)
    assert torch.autograd.gradcheck(rotation_6d_to_matrix, normal(3, 6).requires_grad_())


def test_axis_angle_is_scipys_rotvec():
    vectors = torch.cat([normal(100, 3), 1e-9 * normal(5, 3), torch.zeros(1, 3, dtype=torch.float64)])
    expected = torch.from_numpy(Rotation.from_rotvec(vectors.numpy()).as_matrix())
    torch.testing.assert_close(axis_angle_to_matrix(vectors), expected, atol=1e-12, rtol=0)
    short = vectors[vectors.norm(dim=1) < np.pi - 1e-3]
    torch.testing.assert_close(matrix_to_axis_angle(axis_angle_to_matrix(short)), short, atol=1e-9, rtol=0)
    back = matrix_to_axis_angle(turns(200).view(10, 20, 3, 3))
    assert back.norm(dim=-1).max() <= np.pi + 1e-12
    torch.testing.assert_close(axis_angle_to_matrix(back), turns(200).view(10, 20, 3, 3), atol=1e-9, rtol=0)


def test_axis_angle_at_zero_and_at_pi():
    zero = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(axis_angle_to_matrix, zero)
    half = axis_angle_to_matrix(torch.tensor([0.0, np.pi, 0]))
    torch.testing.assert_close(half, torch.diag(torch.tensor([-1.0, 1, -1])), atol=1e-6, rtol=0)
    torch.testing.assert_close(matrix_to_axis_angle(half).abs(), torch.tensor([0, np.pi, 0]), atol=1e-3, rtol=0)
    torch.testing.assert_close(matrix_to_axis_angle(torch.eye(3)), torch.zeros(3))


def test_a_mirror_turns_axes_and_swaps_sides():
    vectors = normal(2, 24, 3)
    mirrored = mirrored_rotations(axis_angle_to_matrix(vectors), SMPL24.flip)
    expected = torch.empty_like(vectors)
    for joint, name in enumerate(SMPL24.names):
        swapped = name.replace("left", "L").replace("right", "left").replace("L", "right")
        expected[:, joint] = vectors[:, SMPL24.index(swapped)] * torch.tensor([1.0, -1, -1])  # axes are pseudovectors
    torch.testing.assert_close(mirrored, axis_angle_to_matrix(expected))
    torch.testing.assert_close(mirrored_rotations(mirrored, SMPL24.flip), axis_angle_to_matrix(vectors))


@pytest.mark.parametrize(
    ("convert", "shape", "name"),
    [
        (project_to_rotation, (4, 9), "matrix"),
        (project_to_rotation, (3,), "matrix"),
        (rotation_6d_to_matrix, (4, 3, 2), "numbers"),
        (matrix_to_rotation_6d, (4, 6), "rotation"),
        (axis_angle_to_matrix, (4, 3, 4), "axis_angle"),
        (matrix_to_axis_angle, (4, 3), "rotation"),
    ],
)
def test_other_shapes_and_integers_are_refused(convert, shape, name):
    with pytest.raises(PosebookError, match=f"{name}: expected floating point .*last dimensions"):
        convert(torch.zeros(shape))
    good = {"matrix": (3, 3), "numbers": (6,), "rotation": (3, 3), "axis_angle": (3,)}[name]
    with pytest.raises(PosebookError, match="int64"):
        convert(torch.zeros(good, dtype=torch.int64))
