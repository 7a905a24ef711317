"""Heat-map units and the way to camera space, there and back."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.i2l import HeatmapUnits, place_body, to_camera
from posebook.models.i2l.crop import crop_affine

UNITS = HeatmapUnits()


def test_check_values_of_the_spec():
    """specs/i2l.md 2.2: bin i is crop pixel 4 i, the root is at z 32, 2 m (body) or 0.3 m (hand) fill 64 bins."""
    crop = torch.tensor([[4.0, 128.0, 0.0], [256.0, 0.0, -1.0], [0.0, 0.0, 0.5]])
    wanted = torch.tensor([[1.0, 32.0, 32.0], [64.0, 0.0, 0.0], [0.0, 0.0, 48.0]])
    torch.testing.assert_close(UNITS.from_crop(crop), wanted)
    torch.testing.assert_close(UNITS.to_crop(wanted), crop)
    hand = HeatmapUnits(depth_size=0.3).from_crop(torch.tensor([[0.0, 0.0, 0.15]]))
    assert hand[0, 2].item() == pytest.approx(64)


def test_inside_is_half_open_on_all_axes():
    points = torch.tensor([[0.0, 0, 0], [63.9, 63.9, 63.9], [64.0, 1, 1], [1, -0.1, 1], [1, 1, 64.0]])
    assert UNITS.inside(points).squeeze(1).tolist() == [1, 1, 0, 0, 0]


@pytest.mark.parity
def test_to_camera_repeats_the_recorded_camera(recorded):
    camera = recorded["geometry"]["camera"]
    (fx, fy), (cx, cy) = camera["f"], camera["c"]
    K = torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    pixels = camera["cam2pixel"]  # x, y pixels and depth, metres
    whole = HeatmapUnits(image_size=256, bins=64, depth_size=2.0)
    root = pixels[0, 2]
    crop = torch.cat((pixels[:, :2], pixels[:, 2:] - root), -1)
    identity = torch.tensor([[1.0, 0, 0], [0, 1, 0]])
    found = to_camera(whole.from_crop(crop)[None], whole, identity[None], root[None], K[None])
    torch.testing.assert_close(found[0], camera["pts"], atol=1e-5, rtol=0)
    torch.testing.assert_close(found[0], camera["pixel2cam"], atol=1e-5, rtol=0)


def test_person_survives_projection_crop_and_way_back():
    g = torch.Generator().manual_seed(0)
    points = (torch.rand(1, 50, 3, generator=g) - 0.5).double() + torch.tensor([0.4, -0.2, 5.0])
    K = torch.tensor([[[1400.0, 0, 330], [0, 1450, 190], [0, 0, 1]]]).double()
    image = points @ K.mT
    pixels = image[..., :2] / image[..., 2:]
    affine = crop_affine(torch.tensor([200.0, 20, 500, 500]), 256, 1.1, 0.4)
    homogeneous = torch.cat((pixels, torch.ones_like(pixels[..., :1])), -1)
    crop = torch.cat((homogeneous @ affine.to_crop.mT, points[..., 2:] - 5.0), -1)
    found = to_camera(UNITS.from_crop(crop), UNITS, affine.to_image[None], torch.tensor([5.0]), K)
    torch.testing.assert_close(found, points, atol=1e-9, rtol=0)


def test_scale_of_the_lixel_mesh_is_depth_over_focal():
    """Twice the root depth or half the focal length make the mesh twice as wide (specs/i2l.md 2.3)."""
    flat = torch.tensor([[[10.0, 20, 32], [50.0, 40, 32]]])
    identity = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])

    def width(focal, depth):
        K = torch.tensor([[[focal, 0, 128], [0, focal, 128], [0, 0, 1.0]]])
        points = to_camera(flat, UNITS, identity, torch.tensor([depth]), K)
        return (points[0, 1] - points[0, 0]).norm().item()

    assert width(1500.0, 10.0) == pytest.approx(2 * width(1500.0, 5.0)) == pytest.approx(2 * width(3000.0, 10.0))


def test_body_stands_on_the_root_pixel_at_the_given_depth():
    body = torch.randn(1, 7, 3)
    body[:, 0] = 0
    K = torch.tensor([[[1000.0, 0, 100], [0, 1000, 100], [0, 0, 1]]])
    identity = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
    root = torch.tensor([[32.0, 16.0, 55.0]])  # crop pixel (128, 64); its z does not count
    placed = place_body(body, root, UNITS, identity, torch.tensor([4.0]), K)
    torch.testing.assert_close(placed[0, 0], torch.tensor([28 * 4 / 1000, -36 * 4 / 1000, 4.0]))
    torch.testing.assert_close(placed - placed[:, :1], body)


def test_sizes_must_be_positive():
    with pytest.raises(PosebookError, match="positive"):
        HeatmapUnits(depth_size=0)
