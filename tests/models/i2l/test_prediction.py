"""predict: defaults, units, and what depends on focal length and root depth."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.i2l import HeatmapUnits, I2LMeshNet
from posebook.models.i2l.crop import clean_box, crop_affine, warp
from posebook.models.i2l.units import HAND_DEPTH

BOX = (30, 10, 60, 70)


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype=np.uint8)


def test_defaults_are_the_stated_ones(small, picture):
    found = small.predict(picture, BOX)
    side = clean_box(torch.tensor(BOX), 140, 100)[2].item()
    assert found.focal == 1500
    assert found.root_depth == pytest.approx(1500 * 2 / side)
    torch.testing.assert_close(found.K, torch.tensor([[1500.0, 0, 70], [0, 1500, 50], [0, 0, 1]]))
    assert found.mesh_param is None and found.mesh_param_relative is None
    assert found.pose.shape == (9,) and found.shape.shape == (10,)


def test_it_is_the_network_on_the_crop(small, picture):
    found = small.predict(picture, BOX)
    image = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    affine = crop_affine(found.box, 64)
    with torch.no_grad():
        mesh = small(warp(image, affine.to_image, 64)[None]).mesh_img[0].double()
    pixels = mesh[:, :2] * 4 @ affine.to_image[:, :2].T + affine.to_image[:, 2]
    torch.testing.assert_close(found.mesh_pixels.double(), pixels, atol=1e-4, rtol=0)
    depth = found.root_depth + (mesh[:, 2] / 16 * 2 - 1)
    torch.testing.assert_close(found.mesh_lixel[:, 2].double(), depth, atol=1e-4, rtol=0)
    projected = (found.mesh_lixel @ found.K.T).double()
    torch.testing.assert_close(projected[:, :2] / projected[:, 2:], pixels, atol=1e-3, rtol=0)


def test_only_camera_meshes_depend_on_focal_and_depth(small, picture):
    near, far = small.predict(picture, BOX, 1000, 4.0), small.predict(picture, BOX, focal=500, root_depth=8.0)
    for name in ("joints_pixels", "mesh_pixels", "mesh_relative", "pose", "shape"):
        torch.testing.assert_close(getattr(near, name), getattr(far, name))
    assert (near.focal, near.root_depth, far.focal, far.root_depth) == (1000, 4, 500, 8)
    spread = [p.mesh_lixel[:, :2].std().item() for p in (near, far)]
    assert spread[1] == pytest.approx(4 * spread[0], rel=0.3)  # exact at the root's depth


def test_relative_mesh_takes_the_box_for_two_metres(small, picture):
    found = small.predict(picture, BOX)
    wide = found.mesh_pixels[:, 0].max() - found.mesh_pixels[:, 0].min()
    metres = found.mesh_relative[:, 0].max() - found.mesh_relative[:, 0].min()
    assert metres.item() == pytest.approx(wide.item() * 2 / found.box[2].item(), rel=1e-4)
    root = small.joint_regressor[0] @ found.mesh_relative
    torch.testing.assert_close(root, torch.zeros(3), atol=1e-5, rtol=0)


def test_hand_bins_are_shallow(small, picture):
    small.units = HeatmapUnits(64, 16, HAND_DEPTH)
    found = small.predict(picture, BOX)
    assert found.root_depth == pytest.approx(1500 * 0.3 / found.box[2].item())
    assert (found.mesh_lixel[:, 2] - found.root_depth).abs().max() <= 0.15


def test_modes_of_all_parts_stay(small, picture):
    small.train_stage("param")
    before = [m.training for m in small.modules()], small.param_regressor.fc[1].running_mean.clone()
    small.predict(picture, BOX)
    assert [m.training for m in small.modules()] == before[0]
    assert torch.equal(small.param_regressor.fc[1].running_mean, before[1])


def test_kinds_of_pictures_agree(small, picture):
    wanted = small.predict(picture, BOX).mesh_pixels
    for same in (torch.from_numpy(picture), picture.astype(np.float32) / 255, picture[:, ::-1][:, ::-1]):
        torch.testing.assert_close(small.predict(same, BOX).mesh_pixels, wanted, atol=1e-3, rtol=0)


def test_box_that_was_widened_before(small, picture):
    once = small.predict(picture, BOX)
    again = small.predict(picture, once.box, widen=False)
    torch.testing.assert_close(again.mesh_pixels, once.mesh_pixels)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"image": np.zeros((5, 5), np.uint8)}, "RGB picture"),
        ({"image": np.full((5, 5, 3), 200.0)}, "beyond that range"),
        ({"box": (500, 10, 20, 20)}, "no area"),
        ({"focal": 0.0}, "above 0"),
        ({"root_depth": -1.0}, "above 0"),
    ],
)
def test_bad_input_is_refused(small, picture, change, told):
    with pytest.raises(PosebookError, match=told):
        small.predict(**{"image": picture, "box": BOX} | change)


def test_body_mesh_stands_at_the_root_depth(recorded_body, picture):
    network = I2LMeshNet(24, 6890, recorded_body.J_regressor, recorded_body, image_size=64,
                         trunk={"depth": 18, "width": 8}, hidden=8)  # fmt: skip
    found = network.predict(picture, BOX, focal=800, root_depth=3.5)
    root = recorded_body.J_regressor[0] @ found.mesh_param
    assert root[2].item() == pytest.approx(3.5, abs=1e-4)
    moved = found.mesh_param - root
    torch.testing.assert_close(moved, found.mesh_param_relative, atol=1e-4, rtol=0)
