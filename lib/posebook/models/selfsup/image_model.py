"""The whole loop on images: painter, reader, discriminator and lifter trained together, the prior frozen.

One weighted sum trains all networks in one step, and each term reaches only the networks it should:

* the discriminator's loss: the discriminator (painted pictures come detached, from a pool);
* the adversarial term: the painter (through a discriminator whose weights are taken as constants);
* the skeleton term: the reader (the painted picture detached, unless readings say otherwise);
* the pose terms: lifter and painter, through a reader whose weights are taken as constants; by readings the reader too
  (it then prefers likely poses to those it sees), or the lifter alone.

With Adam, whose steps do not depend on a loss' factor, this is what three optimisers of equal settings do. Pictures and
images are in [-1, 1]; drawn poses are in [-1, 1] of a crop made by the same rule as the images'.

A crop's zoom follows from how wide and tall a person looks from one side, so a turned person would need another crop.
Where crops differ in zoom, give it: poses are divided by it before they are lifted, as if no crop had been made.
Source: specs/selfsup.md 0, 2.1 and 2.3.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call

from posebook.errors import PosebookError
from posebook.models.selfsup.discriminator import Discriminator, PicturePool, discriminator_loss, painter_loss
from posebook.models.selfsup.lift import Cycle, lift
from posebook.models.selfsup.lifter import Lifter
from posebook.models.selfsup.lifting_model import LiftingModel
from posebook.models.selfsup.losses import LossWeights, PoseLosses, weighted
from posebook.models.selfsup.picture_losses import PictureLosses, skeleton_loss
from posebook.models.selfsup.pose_networks import PoseReader, SkeletonPainter
from posebook.models.selfsup.poses import check_shape, mean_scale, normalise
from posebook.models.selfsup.prior import PosePrior
from posebook.models.selfsup.readings import Readings
from posebook.models.selfsup.skeleton_image import SIGMA, as_picture, draw_skeleton


class ImageStep(NamedTuple):
    """One step's terms and what it saw."""

    pictures: PictureLosses  # unweighted
    poses: PoseLosses | None  # unweighted; None where the lifter is left out
    discriminator: Tensor  # its own loss, weight 1
    total: Tensor  # weighted sum of all, to minimise
    painted: Tensor  # (B, 1, S, S) s
    read: Tensor  # (B, J, 2) y in [-1, 1]
    cycle: Cycle | None


class ImagePrediction(NamedTuple):
    """What the trained networks say of images."""

    painted: Tensor  # (B, 1, S, S)
    pose: Tensor  # (B, J, 2) in [-1, 1] of the image
    points: Tensor  # (B, J, 3) root-centred, in units of the prior's scale


class ImageModel(nn.Module):
    """Painter Phi, reader Omega, discriminator D, lifter Lambda, and the frozen prior.

    Args:
        prior: trained on the normalised `bag`.
        bag: (N, J, 2) the unpaired poses in [-1, 1] of their crops; their mean scale joins reader and lifter.
        bag_zoom: (N,) of their crops, relative to anything fixed; None for crops of one zoom.
        image_size: S.
        painter_width, reader_width, discriminator_width, lifter_width: 32, 32, 64 and 1024 in the paper.
        weights, readings: of the losses.
        pool: painted pictures kept for the discriminator.
        with_lifter: False trains the image networks alone (the pose terms are left out).
        sigma: of drawn skeletons, see `draw_skeleton`; small pictures want wider lines.

    Raises:
        PosebookError: poses or sizes that do not fit.
    """

    def __init__(self, prior: PosePrior, bag: Tensor, image_size: int = 128, painter_width: int = 32,
                 reader_width: int = 32, discriminator_width: int = 64, lifter_width: int = 1024,
                 weights: LossWeights | None = None, readings: Readings | None = None, pool: int = 50,
                 with_lifter: bool = True, bag_zoom: Tensor | None = None, sigma: float = SIGMA):  # fmt: skip
        super().__init__()
        self.structure, self.image_size, self.with_lifter, self.sigma = prior.structure, image_size, with_lifter, sigma
        self.readings, self.weights = readings or Readings(), weights or LossWeights()
        joints = len(self.structure.joints)
        check_shape(bag, self.structure)
        if float(bag.abs().mean()) > 1:
            raise PosebookError("The bag of poses must be in [-1, 1] of its crops; divide pixels by half the side.")
        self.painter = SkeletonPainter(painter_width, self.readings.painter)
        self.reader = PoseReader(joints, reader_width)
        self.discriminator = Discriminator(image_size, discriminator_width)
        self.pool = PicturePool(image_size, pool)
        self.lifting = LiftingModel(Lifter(joints, lifter_width), prior, self.weights, self.readings)
        self.register_buffer("scale", mean_scale(unzoomed(bag, bag_zoom), self.structure).detach().clone())

    def forward(self, images: Tensor, drawn: Tensor, generator: torch.Generator | None = None,
                zoom: Tensor | None = None) -> ImageStep:  # fmt: skip
        """One step.

        Args:
            images: (B, 3, S, S) in [-1, 1], unlabelled.
            drawn: (B, J, 2) from the bag, of other people than the images.
            generator: of views and of the picture pool, on the images' device.
            zoom: (B,) of the images' crops, relative to the same as `bag_zoom`.

        Raises:
            PosebookError: wrong shapes, a batch of one.
        """
        check_shape(drawn, self.structure)
        if tuple(images.shape[2:]) != (self.image_size, self.image_size):
            raise PosebookError(f"Expected images (B, 3, {self.image_size}, {self.image_size}), got {images.shape}.")
        real, painted = self.draw(drawn), self.painter(images)
        read = self._read(painted)
        pictures = PictureLosses(self._skeleton(drawn, real, painted), self._adversarial(painted))
        shown = self.discriminator(self.pool(painted, generator))
        judged = discriminator_loss(self.discriminator(real), shown, self.readings.adversarial)
        total, lifted = weighted(pictures, self.weights) + judged, None
        if self.with_lifter:
            lifted = self.lifting(self.normalised(read, zoom), generator)
            total = total + lifted.total
        losses, cycle = (lifted.losses, lifted.cycle) if lifted else (None, None)
        return ImageStep(pictures, losses, judged, total, painted, read, cycle)

    def draw(self, poses: Tensor) -> Tensor:
        """k: poses (B, J, 2) in [-1, 1] -> skeleton pictures (B, 1, S, S) in [-1, 1]."""
        drawing = draw_skeleton(poses, self.structure.links, self.image_size, self.sigma, self.readings.falloff)
        return as_picture(drawing)

    def normalised(self, poses: Tensor, zoom: Tensor | None = None) -> Tensor:
        """Poses in [-1, 1] of crops of some zoom (B,) to the lifter's frame, with the bag's scale."""
        return normalise(unzoomed(poses, zoom), self.structure, self.scale)

    @torch.no_grad()
    def predict(self, images: Tensor, zoom: Tensor | None = None) -> ImagePrediction:
        """Images (B, 3, S, S) of crops of some zoom (B,) -> skeleton pictures, 2D and 3D poses."""
        painted = self.painter(images)
        pose = self.reader(painted)
        flat = self.normalised(pose, zoom)
        return ImagePrediction(painted, pose, lift(flat, self.lifting.lifter(flat).depth, self.structure.root))

    def _read(self, painted: Tensor) -> Tensor:
        """y for the pose terms, with the gradients that the readings allow."""
        way = self.readings.pose_gradient
        if way == "attached":
            return self.reader(painted)
        return with_constants(self.reader, painted if way == "painter" else painted.detach())

    def _skeleton(self, drawn: Tensor, real: Tensor, painted: Tensor) -> Tensor:
        seen = painted.detach() if self.readings.picture_gradient == "stopped" else painted
        return skeleton_loss(self.reader(real), drawn, self.draw(self.reader(seen)), seen)

    def _adversarial(self, painted: Tensor) -> Tensor:
        return painter_loss(with_constants(self.discriminator, painted), self.readings.adversarial)


def unzoomed(poses: Tensor, zoom: Tensor | None) -> Tensor:
    """Poses (B, J, 2) of crops over their zoom (B,), or as they are."""
    return poses if zoom is None else poses / zoom[:, None, None]


def with_constants(network: nn.Module, picture: Tensor):
    """The network of a picture, its weights taken as constants: gradients reach the picture only."""
    return functional_call(network, {name: weight.detach() for name, weight in network.named_parameters()}, (picture,))
