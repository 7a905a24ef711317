"""Read-out of volumes: stored limits, argmax and soft-argmax by brute force, back-projection, oracle floors."""

import math

import pytest
import torch

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.models.decode import (
    DepthBins,
    argmax_cells,
    back_project,
    coarse_bin,
    soft_argmax_cells,
    softmax_cells,
    unflip_volume,
    volume_to_camera,
)
from posebook.models.volumetric import gaussian_volume
from posebook.pixels import pixels_to_grid

CELL_MM = 27.6  # one of 64 cells at the root, specs/c2f.md section 5


def test_stored_limits():
    bins = DepthBins(64)
    edges = bins.edges() * 1000
    assert (
        len(edges) == 65 and edges[0].item() == pytest.approx(-1005.186) and edges[-1].item() == pytest.approx(980.860)
    )
    torch.testing.assert_close(edges.diff(), torch.full((64,), 31.032, dtype=torch.float64), atol=1e-3, rtol=0)
    assert bins.to_index(torch.tensor(0.0)) == 32  # the 33rd bin
    assert bins.centres()[32].item() * 1000 == pytest.approx(3.35, abs=0.005)
    assert bins.centres().mean().item() * 1000 == pytest.approx(-12.163, abs=1e-3)


def test_bins_and_metres_are_inverse():
    bins = DepthBins(16)
    depth = torch.linspace(-1, 0.98, 101, dtype=torch.float64)
    torch.testing.assert_close(bins.to_metres(bins.to_cells(depth)), depth)
    assert torch.equal(bins.to_index(bins.centres()), torch.arange(16))
    brute = [(bins.edges()[1:-1] <= d).sum().item() for d in depth]
    assert bins.to_index(depth).tolist() == brute
    assert bins.to_index(torch.tensor([-5.0, 5.0])).tolist() == [0, 15]


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16, 32, 64])
def test_coarse_bin_rule(depth):
    zind = torch.arange(1, 65)
    assert coarse_bin(zind, depth).tolist() == [math.ceil(z * depth / 64) for z in range(1, 65)]
    metres = DepthBins(64).centres()  # the same bin by metres, 0-based
    assert torch.equal(DepthBins(depth).to_index(metres), coarse_bin(zind, depth) - 1)


def test_argmax_is_over_the_whole_block():
    volume = torch.rand(3, 4, 8, 5, 6, generator=torch.Generator().manual_seed(0))
    ours = argmax_cells(volume)
    for b in range(3):
        for j in range(4):
            z, y, x = (volume[b, j] == volume[b, j].max()).nonzero()[0].tolist()
            assert ours[b, j].tolist() == [x + 0.5, y + 0.5, z + 0.5]


@pytest.mark.parametrize("radius", [1, 2, (3, 2, 1)])
def test_windowed_decoders_equal_brute_force(radius):
    volume = torch.randn(2, 3, 8, 6, 7, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    soft, softmax = soft_argmax_cells(volume, radius), softmax_cells(volume, radius)
    rx, ry, rz = (radius,) * 3 if isinstance(radius, int) else radius
    for b in range(2):
        for j in range(3):
            v = volume[b, j]
            pz, py, px = (v == v.max()).nonzero()[0].tolist()
            z0, y0, x0 = max(pz - rz, 0), max(py - ry, 0), max(px - rx, 0)
            window = v[z0 : pz + rz + 1, y0 : py + ry + 1, x0 : px + rx + 1]
            axes = [torch.arange(n) + s + 0.5 for n, s in zip(window.shape, (z0, y0, x0), strict=True)]
            z, y, x = torch.meshgrid(*axes, indexing="ij")
            for ours, weight in ((soft, window.clamp(min=0)), (softmax, window.exp())):
                weight = weight / weight.sum()
                expected = torch.stack([(weight * c).sum() for c in (x, y, z)])
                torch.testing.assert_close(ours[b, j], expected)


def test_half_precision_volumes_are_decoded_in_float32():
    volume = torch.rand(1, 17, 16, 16, 16).bfloat16()
    for decode in (argmax_cells, soft_argmax_cells, softmax_cells):
        assert decode(volume).dtype == torch.float32
        assert torch.equal(decode(volume), decode(volume.float()))


def test_softmax_over_the_whole_volume():
    volume = torch.randn(2, 3, 8, 6, 7, dtype=torch.float64, requires_grad=True)
    whole = softmax_cells(volume)
    torch.testing.assert_close(whole, softmax_cells(volume, radius=8))  # a window that covers everything
    whole.sum().backward()
    assert torch.isfinite(volume.grad).all() and volume.grad.abs().sum() > 0


def test_soft_argmax_recovers_sub_cell_positions_where_softmax_falls_to_the_centre():
    generator = torch.Generator().manual_seed(2)
    cells = 12 + 8 * torch.rand(4, 17, 3, generator=generator, dtype=torch.float64)
    volume = gaussian_volume(cells, 32, 32, centre="continuous", scale=0.5)  # sigma 1, what MSE training aims at
    assert (argmax_cells(volume) - cells).abs().max() <= 0.5
    assert (soft_argmax_cells(volume, 3) - cells).abs().max() < 0.05
    off = torch.full_like(cells, 4.5)
    collapsed = softmax_cells(gaussian_volume(off, 32, 32))
    assert (collapsed - 16).abs().max() < 0.1  # the joint is at 4.5, the softmax says the middle


def test_soft_argmax_of_an_empty_volume_is_the_peak():
    assert soft_argmax_cells(torch.full((1, 1, 8, 4, 4), -1.0)).tolist() == [[[0.5, 0.5, 0.5]]]
    volume = torch.full((1, 1, 8, 4, 4), -1.0)
    volume[0, 0, 5, 2, 3] = -0.5
    assert soft_argmax_cells(volume).tolist() == [[[3.5, 2.5, 5.5]]]


def test_unflip_volume():
    cells = torch.rand(2, 17, 3) * 16
    mirrored = cells.clone()[:, list(H36M17.flip)]
    mirrored[..., 0] = 16 - mirrored[..., 0]
    assert torch.equal(unflip_volume(gaussian_volume(mirrored, 16, 16), H36M17.flip), gaussian_volume(cells, 16, 16))


def test_back_projection_inverts_the_pinhole():
    joints = torch.rand(3, 17, 3, dtype=torch.float64) + torch.tensor([-0.5, -0.5, 3.0])
    camera = torch.tensor([[120.0, 0, 33], [0, 110, 29], [0, 0, 1]], dtype=torch.float64).repeat(3, 1, 1)
    camera[1, 0, 0] = 150
    image = torch.einsum("bij,bkj->bki", camera, joints)
    pixels = image[..., :2] / image[..., 2:]
    torch.testing.assert_close(back_project(pixels, joints[..., 2], camera), joints)
    torch.testing.assert_close(back_project(pixels[:1], joints[:1, :, 2], camera[0]), joints[:1])


@pytest.mark.parametrize("depth", [2, 3, 4, 7])
def test_intermediate_volumes_are_never_decoded(depth):
    volume = torch.rand(1, 2, depth, 4, 4)
    for decode in (argmax_cells, soft_argmax_cells, softmax_cells):
        with pytest.raises(PosebookError, match="must not be decoded"):
            decode(volume)
    with pytest.raises(PosebookError, match="must not be decoded"):
        volume_to_camera(torch.zeros(1, 2, 3), DepthBins(depth), torch.eye(3), torch.ones(1), 4, 16)


def test_one_bin_is_a_2d_answer():
    volume = torch.rand(1, 2, 1, 4, 4)
    assert argmax_cells(volume)[..., 2].tolist() == [[0.5, 0.5]]
    with pytest.raises(PosebookError, match="has no depth"):
        volume_to_camera(torch.zeros(1, 2, 3), DepthBins(1), torch.eye(3), torch.ones(1), 4, 16)


# ---- oracle floors of specs/c2f.md section 5, mode 1 --------------------------------------------------------------
# The spec's came from 394 real poses that may not be shipped. Here: 5 m from a Human3.6M-like camera, the same cell at
# the root (27.6 mm), joints spread at random; sd of relative depth 0.19 m so that "no depth" costs the spec's 147 mm.

FOCAL, ROOT_DEPTH = 1145.0, 5.0
BOX = 64 * CELL_MM / 1000 * FOCAL / ROOT_DEPTH


@pytest.fixture(scope="module")
def poses():
    generator = torch.Generator().manual_seed(0)
    spread = torch.tensor([0.25, 0.45, 0.19], dtype=torch.float64)
    joints = torch.randn(20000, 17, 3, generator=generator, dtype=torch.float64) * spread
    joints[:, 0] = 0
    shift = (torch.rand(20000, 1, 3, generator=generator, dtype=torch.float64) - 0.5) * torch.tensor([0.1, 0.1, 0])
    return joints + shift + torch.tensor([0, 0, ROOT_DEPTH])


def _floor(poses, grid, depth):
    """MPJPE in mm of the best possible answer on `grid` cells (None: exact) and `depth` bins (None: exact)."""
    camera = torch.tensor([[FOCAL, 0, BOX / 2], [0, FOCAL, BOX / 2], [0, 0, 1]], dtype=torch.float64)
    pixels, relative = poses[..., :2] / poses[..., 2:] * FOCAL + BOX / 2, poses[..., 2] - ROOT_DEPTH
    if grid:
        pixels = (pixels_to_grid(pixels, grid, BOX).floor() + 0.5) * BOX / grid
    if depth:
        bins = DepthBins(depth)
        relative = bins.centres()[bins.to_index(relative)]
    answer = back_project(pixels, relative + ROOT_DEPTH, camera)
    return ((answer - answer[:, :1]) - (poses - poses[:, :1])).norm(dim=-1).mean().item() * 1000


@pytest.mark.parametrize(("grid", "spec"), [(32, 26.6), (64, 13.8), (128, 6.8), (256, 3.4)])
def test_image_plane_floor(poses, grid, spec):
    floor = _floor(poses, grid, None)
    assert floor == pytest.approx(spec, rel=0.1)
    # Closed form: after root alignment the error is the distance of two random points of a cell, 0.5214 of its side;
    # the root's own error is 0.
    assert floor == pytest.approx(0.5214 * CELL_MM * 64 / grid * 16 / 17, rel=0.05)


@pytest.mark.parametrize(
    ("depth", "spec", "tolerance"),
    [(1, 147, 0.1), (2, 519, 0.15), (4, 247, 0.1), (8, 112, 0.1), (16, 53.2, 0.1), (32, 25.9, 0.1), (64, 16.6, 0.1),
     (128, 15.3, 0.1)],
)  # fmt: skip
def test_depth_floor(poses, depth, spec, tolerance):
    """d = 2 is looser: it only counts how many joints are nearer than the pelvis."""
    assert _floor(poses, 64, depth) == pytest.approx(spec, rel=tolerance)


def test_depth_quantisation_alone(poses):
    assert _floor(poses, None, 64) == pytest.approx(7.5, rel=0.1)


def test_two_and_four_bins_are_worse_than_none(poses):
    assert _floor(poses, 64, 2) > _floor(poses, 64, 4) > _floor(poses, 64, 1) > _floor(poses, 64, 8)


def test_perfect_volumes_reach_the_floor(poses):
    """The whole chain, target -> argmax -> camera, gives the floor computed above without any volume."""
    some, bins = poses[:6], DepthBins(64)
    pixels = some[..., :2] / some[..., 2:] * FOCAL + BOX / 2
    depth = bins.to_cells(some[..., 2:] - ROOT_DEPTH)
    cells = torch.cat((pixels_to_grid(pixels, 64, BOX), depth), -1)
    inside = ((cells >= 0) & (cells < 64)).all(-1)
    found = argmax_cells(gaussian_volume(cells.float(), 64, 64)).double()
    camera = torch.tensor([[FOCAL, 0, BOX / 2], [0, FOCAL, BOX / 2], [0, 0, 1]], dtype=torch.float64)
    answer = volume_to_camera(found, bins, camera, torch.full((6,), ROOT_DEPTH), 64, BOX)
    assert (found - cells).abs()[inside].max() <= 0.5 + 1e-4
    expected = back_project(
        (cells[..., :2].floor() + 0.5) * BOX / 64, bins.centres()[bins.to_index(some[..., 2] - 5)] + 5, camera
    )
    torch.testing.assert_close(answer[inside], expected[inside], atol=1e-6, rtol=0)
