"""Root depth from bone lengths: exact recovery, brute force, closed form, the three modes."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.models.root_depth import (
    C2F_BONES,
    C2F_MEAN_LENGTHS,
    C2F_TO_H36M17,
    bone_lengths,
    fit_root_depth,
    root_depth,
)

CAMERA = torch.tensor([[1145.0, 0, 512], [0, 1144, 515], [0, 0, 1]], dtype=torch.float64)


def _people(count=50, seed=0):
    """(B, 17, 3) metres in front of the camera, H36M17 order; random tree with limbs of 0.1 to 0.5 m."""
    generator = torch.Generator().manual_seed(seed)
    joints = torch.zeros(count, 17, 3, dtype=torch.float64)
    for parent, child in H36M17.bones:
        way = torch.randn(count, 3, generator=generator, dtype=torch.float64)
        length = 0.1 + 0.4 * torch.rand(count, 1, generator=generator, dtype=torch.float64)
        joints[:, child] = joints[:, parent] + 0.6 * way / way.norm(dim=-1, keepdim=True) * length
    depth = 3 + 4 * torch.rand(count, 1, generator=generator, dtype=torch.float64)
    joints[..., 2] += depth
    return joints


def _views(joints):
    image = joints @ CAMERA.T
    return image[..., :2] / image[..., 2:], joints[..., 2] - joints[:, :1, 2]


def test_own_bones_give_back_the_true_depth():
    joints = _people()
    fit = fit_root_depth(*_views(joints), CAMERA.expand(50, 3, 3), bone_lengths(joints, H36M17.bones), H36M17.bones)
    torch.testing.assert_close(fit.depth, joints[:, 0, 2], atol=1e-5, rtol=0)
    assert fit.residual.max() < 1e-5


def test_fit_is_the_brute_force_minimum():
    joints = _people(20, seed=1)
    lengths = bone_lengths(joints, H36M17.bones).mean(0)  # mode 3: somebody else's bones
    pixels, relative = _views(joints)
    fit = fit_root_depth(pixels, relative, CAMERA, lengths, H36M17.bones)
    candidates = torch.arange(1.5, 15, 0.002, dtype=torch.float64)  # (K,)
    rays = (torch.cat((pixels, torch.ones(20, 17, 1)), -1).double() @ torch.linalg.inv(CAMERA).T).unsqueeze(1)
    skeletons = rays * (relative.unsqueeze(1) + candidates[:, None]).unsqueeze(-1)  # (B, K, 17, 3)
    cost = (bone_lengths(skeletons, H36M17.bones) - lengths).norm(dim=-1)  # (B, K)
    assert (fit.depth - candidates[cost.argmin(1)]).abs().max() <= 0.0011
    assert (fit.residual <= cost.min(1).values + 1e-9).all()
    assert (fit.depth - joints[:, 0, 2]).abs().mean() > 0.05  # the fit had something to do


def test_flat_person_scales_with_the_bones():
    """Without relative depth all bones grow linearly with the root's: lengths 5 % too long put it 5 % too far."""
    joints = _people(10)
    joints[..., 2] = joints[:, :1, 2]
    lengths = bone_lengths(joints, H36M17.bones)
    fit = fit_root_depth(*_views(joints), CAMERA, 1.05 * lengths, H36M17.bones)
    torch.testing.assert_close(fit.depth, 1.05 * joints[:, 0, 2], atol=1e-5, rtol=0)


def test_c2f_tables():
    assert len(C2F_BONES) == len(C2F_MEAN_LENGTHS) == 16
    renamed = {tuple(sorted((C2F_TO_H36M17.index(a), C2F_TO_H36M17.index(b)))) for a, b in C2F_BONES}
    assert renamed == {tuple(sorted(b)) for b in H36M17.bones}  # the same skeleton in another order
    spec = "1-2 1-5 1-8 2-3 3-4 5-6 6-7 8-9 9-10 9-12 9-15 10-11 12-13 13-14 15-16 16-17"
    assert [f"{a + 1}-{b + 1}" for a, b in C2F_BONES] == spec.split()
    legs, rest = "134.05 134.05 238.38 449.20 445.58 449.21 445.58", "255.34 116.08 148.84 148.83 115.00"
    lengths = f"{legs} {rest} 279.76 249.52 279.76 249.52"
    assert [f"{v * 1000:.2f}" for v in C2F_MEAN_LENGTHS] == lengths.split()
    names_c2f = [H36M17.names[C2F_TO_H36M17.index(j)] for j in range(17)]
    assert names_c2f[1] == "left_hip" and names_c2f[4] == "right_hip" and names_c2f[11] == "left_shoulder"


def test_modes():
    joints = _people(8)
    pixels, relative = _views(joints)
    lengths, depth = bone_lengths(joints, H36M17.bones), joints[:, 0, 2]
    common = (pixels, relative, CAMERA, H36M17.bones)
    assert torch.equal(root_depth(1, *common, truth=joints), depth)
    torch.testing.assert_close(root_depth(2, *common, truth=joints), depth, atol=1e-5, rtol=0)
    third = root_depth(3, *common, mean_lengths=lengths.mean(0))
    assert torch.equal(third, fit_root_depth(pixels, relative, CAMERA, lengths.mean(0), H36M17.bones).depth)
    for mode, given in ((4, {"truth": joints}), (3, {"truth": joints}), (1, {"mean_lengths": lengths})):
        with pytest.raises(PosebookError, match="mode"):
            root_depth(mode, *common, **given)


def test_float32_and_wrong_lengths():
    joints = _people(5)
    pixels, relative = (v.float() for v in _views(joints))
    fit = fit_root_depth(pixels, relative, CAMERA.float(), bone_lengths(joints, H36M17.bones), H36M17.bones)
    assert fit.depth.dtype == torch.float32
    torch.testing.assert_close(fit.depth, joints[:, 0, 2].float(), atol=1e-3, rtol=0)
    with pytest.raises(PosebookError, match="16 bone lengths"):
        fit_root_depth(pixels, relative, CAMERA, torch.ones(15), H36M17.bones)
