"""One person in one's own picture: box -> crop -> network -> pixels and metres. Source: specs/i2l.md 2.3, 7.1."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.i2l.crop import apply_affine, clean_box, crop_affine, warp
from posebook.models.i2l.units import place_body, to_camera

if TYPE_CHECKING:
    from posebook.models.i2l.network import I2LMeshNet, I2LOutput

FOCAL = 1500.0  # pixels, the official default for pictures of unknown cameras; 500 is the better guess for hands


class Prediction(NamedTuple):
    """One person. Camera frame: x right, y down, z forward, metres; "relative": the same axes, root at the origin."""

    joints_pixels: Tensor  # (J, 2) PoseNet's joints in the picture
    mesh_pixels: Tensor  # (V, 2) lixel mesh in the picture; needs neither focal length nor root depth
    mesh_relative: Tensor  # (V, 3) lixel mesh as if the box were depth_size metres wide; needs neither
    mesh_lixel: Tensor  # (V, 3) lixel mesh, camera frame; its scale is root_depth / focal
    joints: Tensor  # (J, 3) regressed from mesh_lixel, camera frame
    mesh_param_relative: Tensor | None  # (V, 3) posed body model; needs neither. None without a body layer
    mesh_param: Tensor | None  # (V, 3) the same, camera frame
    pose: Tensor  # (3 R,) axis-angle, radians
    shape: Tensor  # (betas,)
    box: Tensor  # (4,) the box that was cut out, x, y, width, height, pixels
    focal: float  # pixels, given or assumed
    root_depth: float  # metres, given or assumed
    K: Tensor  # (3, 3) of the whole picture, pixels


def predict(network: "I2LMeshNet", image: Any, box: Any, focal: float | None = None, root_depth: float | None = None,
            principal: tuple[float, float] | None = None, widen: bool = True) -> Prediction:  # fmt: skip
    """Joints and meshes of the person in a box.

    Args:
        network: in any mode; it is run in eval mode and left as it was.
        image: (H, W, 3) RGB, uint8 0..255 or floating point in [0, 1]: a numpy array, a tensor or a PIL picture. Not
            BGR: the official demo's own pictures were made from BGR by mistake.
        box: x, y, width, height of the person, pixels.
        focal: pixels. None assumes 1500, the official default; 500 is a better guess for hands.
        root_depth: metres from the camera to the root. None assumes the depth at which the widened box is as wide
            as the bins are deep (network.units.depth_size: 2 m for bodies), focal * depth_size / side, so that the
            lixel mesh's scale does not depend on the focal length.
        principal: pixels; None is the picture's centre.
        widen: clean the box up and widen it (`crop.clean_box`); False for boxes that have been through it.

    Returns:
        Prediction. With a guessed focal length or root depth, read only what its fields say needs neither.

    Raises:
        PosebookError: another picture format, a box outside the picture, a focal length or depth not above 0.
    """
    picture = _picture(image).to(network.joint_regressor.device)
    height, width = picture.shape[1:]
    used = clean_box(box, width, height) if widen else torch.as_tensor(box, dtype=torch.float64)
    if used is None:
        raise PosebookError(f"The box {box} (x, y, width, height) has no area in the {width} x {height} picture.")
    focal = FOCAL if focal is None else float(focal)
    root_depth = focal * network.units.depth_size / float(used[2:].max()) if root_depth is None else float(root_depth)
    if not (focal > 0 and root_depth > 0):
        raise PosebookError(f"Expected a focal length in pixels and a depth in metres above 0: {focal}, {root_depth}.")
    centre = (width / 2, height / 2) if principal is None else principal
    K = torch.tensor([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1]], device=picture.device)
    affine = crop_affine(used, network.image_size)
    with evaluating(network), torch.no_grad():
        output = network(warp(picture, affine.to_image, network.image_size)[None])
        return _read_out(network, output, affine.to_image.to(picture), used, focal, root_depth, K)


def _read_out(network: "I2LMeshNet", output: "I2LOutput", to_image: Tensor, box: Tensor, focal: float,
              root_depth: float, K: Tensor) -> Prediction:  # fmt: skip
    units, depth = network.units, torch.tensor([root_depth], device=K.device)
    root = output.joints_from_mesh[:, :1]  # (1, 1, 3)
    mesh = to_camera(output.mesh_img, units, to_image[None], depth, K)
    placed = None
    if output.mesh_cam is not None:
        placed = place_body(output.mesh_cam, root[:, 0], units, to_image[None], depth, K)[0]
    pixels = [apply_affine(to_image, units.to_crop(p[0])[:, :2]) for p in (output.joints_img, output.mesh_img)]
    return Prediction(
        *pixels, units.relative(output.mesh_img, root)[0], mesh[0], network.joints_cam(mesh)[0],
        None if output.mesh_cam is None else output.mesh_cam[0], placed, output.pose[0], output.shape[0], box, focal,
        root_depth, K,
    )  # fmt: skip


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Eval mode inside, every module's own mode afterwards."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _picture(image: Any) -> Tensor:
    """(H, W, 3) of any kind -> (3, H, W) float32 in [0, 1]."""
    pixels = image if isinstance(image, Tensor) else torch.from_numpy(np.array(image))
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise PosebookError(f"Expected an RGB picture (H, W, 3), got {tuple(pixels.shape)}; convert grey or RGBA ones.")
    if pixels.dtype == torch.uint8:
        pixels = pixels.float() / 255
    elif not pixels.is_floating_point() or pixels.min() < 0 or pixels.max() > 1:
        raise PosebookError(f"Expected uint8 0..255 or floating point in [0, 1], got {pixels.dtype} beyond that range.")
    return pixels.permute(2, 0, 1).float()
