"""Networks of chapters 1 to 3 as methods: volumes of joints, bodies without a camera, I2L-MeshNet's two meshes."""

from collections.abc import Callable

from torch import Tensor

from posebook.methods.answers import BodyAnswer, PictureAnswer
from posebook.models.i2l import I2LMeshNet, I2LOutput


def lixel_mesh(network: I2LMeshNet) -> Callable[[Tensor], PictureAnswer]:
    """I2L-MeshNet's mesh as it is drawn, and PoseNet's joints."""

    def model(crops: Tensor) -> PictureAnswer:
        out = network(crops, stage="lixel")
        return PictureAnswer(network.units.to_crop(out.mesh_img), network.units.to_crop(out.joints_img))

    return model


def parameter_mesh(network: I2LMeshNet) -> Callable[[Tensor], BodyAnswer]:
    """I2L-MeshNet's body model; its root is seen where the lixel mesh has it, its distance is not known."""

    def model(crops: Tensor) -> BodyAnswer:
        out: I2LOutput = network(crops)
        root = network.units.to_crop(out.joints_from_mesh[:, :1])[:, 0, :2]
        return BodyAnswer(out.mesh_cam, network.joints_cam(out.mesh_cam), root, None)

    return model


def in_the_box(vertices: Tensor, joints: Tensor, size: int, margin: float) -> BodyAnswer:
    """A body without any camera, put so that its extent fills the box that the crop was cut with.

    Args:
        vertices: (T, V, 3) metres, root at the origin. joints: (T, J, 3) likewise.
        size: of the crop, pixels. margin: side of the crop over the longer side of the box.
    """
    low, high = vertices[..., :2].amin(1), vertices[..., :2].amax(1)  # (T, 2)
    scale = size / margin / (high - low).amax(1)
    root = size / 2 - (low + high) / 2 * scale.unsqueeze(1)
    return BodyAnswer(vertices, joints, root, scale)
