"""The umbrella Laplacian against a loop over vertices and closed forms."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.metrics import umbrella_laplacian

TETRAHEDRON = torch.tensor([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])


def test_a_regular_tetrahedron():
    """Each corner's neighbours are the other three: it lies 4/3 of its distance to the centre from their mean."""
    corners = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / 10
    assert umbrella_laplacian(corners[None], TETRAHEDRON).item() == pytest.approx(1000 * 4 / 3 * 3**0.5 / 10, rel=1e-5)


def test_equals_a_loop_over_vertices():
    rng = np.random.default_rng(0)
    faces = np.array([[0, 1, 2], [2, 1, 3], [3, 1, 4], [0, 2, 5]])
    points = rng.normal(size=(3, 7, 3))  # vertex 6 is in no face
    near = {v: {w for f in faces for w in f if v in f and w != v} for v in range(7)}
    wanted = [np.mean([np.linalg.norm(p[v] - p[list(n)].mean(0)) for v, n in near.items() if n]) for p in points]
    found = umbrella_laplacian(torch.tensor(points), torch.tensor(faces), "none")
    np.testing.assert_allclose(found.numpy(), 1000 * np.array(wanted), rtol=1e-6)


def test_noise_makes_a_plane_bumpy():
    grid = torch.stack(torch.meshgrid(torch.arange(5.0), torch.arange(5.0), indexing="ij"), -1).flatten(0, 1)
    plane = torch.cat((grid, torch.zeros(25, 1)), 1)[None] / 10
    faces = torch.tensor([[5 * i + j, 5 * i + j + 1, 5 * i + j + 5] for i in range(4) for j in range(4)])
    bumpy = plane + 0.01 * torch.randn(1, 25, 3, generator=torch.Generator().manual_seed(0))
    assert umbrella_laplacian(bumpy, faces) > umbrella_laplacian(plane, faces)
    torch.testing.assert_close(umbrella_laplacian(plane + 0.3, faces), umbrella_laplacian(plane, faces))


def test_faces_that_do_not_fit_are_refused():
    for points, faces in ((torch.rand(1, 3, 3), TETRAHEDRON), (torch.rand(4, 3), TETRAHEDRON)):
        with pytest.raises(PosebookError, match="faces"):
            umbrella_laplacian(points, faces)
