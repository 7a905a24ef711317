"""Chapter 5: from a picture to 3D without a label, as Sosa and Hogg train it, and the same networks with labels.

The prior first; then painter, reader, discriminator and lifter together, from scratch, on pictures of one half and the
bag of 2D poses of the other. `with_lifter=False` trains the image networks alone.
"""

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from posebook.data.dataset import Dataset
from posebook.experiments.lifting import Variant, build_model, predict, train_prior
from posebook.experiments.lifting_sets import Setting, pixels_of, ratio_of, to_unit, zoom_of
from posebook.experiments.outcome import (
    Outcome,
    checkpoint_path,
    count_parameters,
    gflop_of,
    ms_per_image,
    remember,
    training_memory_mb,
)
from posebook.models.selfsup import ImageModel, Structure, normalise
from posebook.profile import Profile
from posebook.train import Budget, fit, make_fabric, seed_everything

FILMED = 4  # test pictures that are painted at several moments of a training
MOMENTS = (0.0, 0.01, 0.03, 0.1, 0.3)  # shares of the training; its end is the prediction
AT_ONCE = 64  # test pictures
GREY = 0.0  # a masked background, in [-1, 1]


@dataclass(frozen=True)
class ImageVariant:
    """One image pipeline to train."""

    row: str  # name in tables
    with_lifter: bool = True  # False: image networks alone
    supervised: bool = False  # true 2D and depth in place of all losses
    masked: bool = False  # background taken away by the true mask, as in KeypointGAN's Human3.6M pictures
    core: bool = False  # trained by default


def image_variants() -> list[ImageVariant]:
    """Pipelines of the chapter's bodies; those with `core` are trained by default."""
    return [
        ImageVariant("from image", core=True),
        ImageVariant("from image, supervised twin", supervised=True, core=True),
        ImageVariant("from image, networks alone", with_lifter=False),
        ImageVariant("from image, background masked", masked=True),
    ]


class Pictures:
    """Pictures of a dataset as the networks read them.

    Args:
        dataset: with image, and parts where the background is masked.
        structure: whose poses. device: where tensors go. masked: see ImageVariant.
        size: pixels S, a divisor of the dataset's; each is the mean of those it covers. None: as they are.

    Raises:
        PosebookError: another size.
    """

    def __init__(self, dataset: Dataset, structure: Structure, device="cpu", masked: bool = False,
                 size: int | None = None):  # fmt: skip
        self.dataset, self.device, self.masked = dataset, device, masked
        self.size = size or dataset.arrays["image"].shape[1]
        pixels = pixels_of(dataset, structure) * ratio_of(dataset, self.size)
        self.poses = to_unit(pixels, self.size).to(device)  # (N, J, 2) in [-1, 1]
        self.zoom = zoom_of(dataset, self.size).to(device)  # (N,)

    def __len__(self) -> int:
        return len(self.poses)

    def get(self, rows: np.ndarray | slice) -> Tensor:
        """(B, 3, S, S) in [-1, 1]."""
        arrays = self.dataset.arrays
        image = torch.from_numpy(np.array(arrays["image"][rows])).to(self.device)
        image = image.permute(0, 3, 1, 2).float() / 127.5 - 1
        if self.masked:
            person = torch.from_numpy(np.array(arrays["parts"][rows]) > 0).to(self.device)
            image = torch.where(person.unsqueeze(1), image, GREY)
        return F.avg_pool2d(image, image.shape[-1] // self.size)


class Filmed(nn.Module):
    """A pipeline in training, and what it paints and reads of the same few pictures on the way.

    The film is made of buffers, so that a resumed training has it.

    Args:
        model: in training. shown: (P, 3, S, S), of zoom (P,). steps: of the whole training.
    """

    def __init__(self, model: ImageModel, shown: Tensor, zoom: Tensor, steps: int):
        super().__init__()
        self.model = model
        joints, size = len(model.structure.joints), model.image_size
        self.register_buffer("shown", shown)
        self.register_buffer("zoom", zoom)
        self.register_buffer("moments", torch.tensor([round(share * steps) for share in MOMENTS]))
        self.register_buffer("step", torch.zeros((), dtype=torch.long))
        self.register_buffer("painted", torch.zeros(len(MOMENTS), len(shown), size, size))
        self.register_buffer("read", torch.zeros(len(MOMENTS), len(shown), joints, 2))

    def forward(self, images: Tensor, zoom: Tensor, poses: Tensor, depth: Tensor | None = None,
                generator: torch.Generator | None = None) -> Tensor:  # fmt: skip
        """Loss of one step: of unpaired poses without depth, of the images' own poses with it."""
        self._film()
        if depth is None:
            return self.model(images, poses, generator, zoom).total
        return taught_loss(self.model, images, zoom, poses, depth)

    @torch.no_grad()
    def _film(self) -> None:
        now = self.moments == self.step
        if bool(now.any()):
            self.model.eval()
            seen = self.model.predict(self.shown, self.zoom)
            self.model.train()
            self.painted[now], self.read[now] = seen.painted[:, 0], seen.pose
        self.step += 1


def taught_loss(model: ImageModel, images: Tensor, zoom: Tensor, poses: Tensor, depth: Tensor) -> Tensor:
    """The twin's loss: true skeleton picture (mean square), true 2D and true depth (mean absolute)."""
    painted = model.painter(images)
    read = model.reader(painted)
    told = model.lifting.lifter(model.normalised(read, zoom)).depth
    others = torch.arange(depth.shape[1], device=depth.device) != model.structure.root
    deep = (told - depth)[:, others].abs().mean()
    return F.mse_loss(painted, model.draw(poses)) + (read - poses).abs().mean() + deep


def train_images(variant: ImageVariant, profile: Profile, setting: Setting, seed: int, device: str) -> Outcome:
    """Train one pipeline and look at the test pictures; from the cache if it was done before.

    Returns:
        Outcome; predictions: pose (N, J, 2) in [-1, 1] of the crop, joints3d (N, J, 3) about metres with the root at 0
        (of a lifter that was not trained if `with_lifter` is False), painted, film and film_pose of FILMED pictures.
    """
    p = profile.lifting
    key = {"images": asdict(variant), "sizes": asdict(p), "data": setting.versions, "seed": seed, "on": device,
           "structure": setting.structure.joints.name}  # fmt: skip
    make = lambda: train_anew(variant, profile, setting, seed, device, checkpoint_path(key, __name__))  # noqa: E731
    return remember(key, make, __name__)


def build_pipeline(variant: ImageVariant, profile: Profile, setting: Setting, seed: int, device: str) -> ImageModel:
    """Untrained networks round the prior that the lifters of this setting share."""
    p = profile.lifting
    prior = train_prior(Variant(variant.row), profile, setting, seed, device)
    bag = Pictures(setting.datasets[0], setting.structure, device, size=p.image_size)
    seed_everything(seed)
    return ImageModel(prior, bag.poses, p.image_size, *p.image_widths, p.width, with_lifter=variant.with_lifter,
                      bag_zoom=bag.zoom, sigma=p.line)  # fmt: skip


def train_anew(variant: ImageVariant, profile: Profile, setting: Setting, seed: int, device: str, kept=None) -> Outcome:
    """As `train_images`, without the cache; the checkpoint `kept` is gone on from."""
    p, depth = profile.lifting, setting.train.depth
    bag, pictures, test = (
        Pictures(d, setting.structure, device, variant.masked, p.image_size) for d in setting.datasets
    )
    budget = Budget(p.images_seen, p.image_batch, p.image_rate)
    model = build_pipeline(variant, profile, setting, seed, device)
    shown = filmed_rows(len(test))
    filmed = Filmed(model, test.get(shown), test.zoom[shown], -(-budget.images_seen // budget.batch))

    def loss(net: nn.Module, rows: np.ndarray, generator: torch.Generator) -> Tensor:
        seen = pictures.get(rows), pictures.zoom[rows]
        if variant.supervised:
            return net(*seen, pictures.poses[rows], depth[rows])
        drawn = torch.randint(len(bag), (len(rows),), generator=generator, device=bag.poses.device)
        return net(*seen, bag.poses[drawn], None, generator)

    networks = (model.painter, model.reader, model.discriminator, model.lifting.lifter)  # clipped one by one
    history = fit(filmed, loss, len(pictures), budget, seed, make_fabric(device), variant.row, kept, networks)
    few, used = test.get(slice(0, 32)), (model.painter, model.reader, model.lifting.lifter)
    costs = sum(count_parameters(net) for net in used), gflop_of(lambda: model.predict(few[:1])), budget.images_seen
    return Outcome(variant.row, look(model, test, setting.metres) | film_of(filmed), history, *costs,
                   ms_per_image(model.predict, few), model.state_dict(), training_memory_mb(device))  # fmt: skip


def filmed_rows(count: int) -> np.ndarray:
    """Rows of the test pictures that are filmed."""
    return np.linspace(0, count - 1, FILMED).astype(int)


def film_of(filmed: Filmed) -> dict[str, np.ndarray]:
    """film (M + 1, P, S, S) and film_pose (M + 1, P, J, 2): at the moments and at the end."""
    end = filmed.model.predict(filmed.shown, filmed.zoom)
    painted, read = torch.cat((filmed.painted, end.painted[None, :, 0])), torch.cat((filmed.read, end.pose[None]))
    return {"film": painted.cpu().numpy().astype(np.float16), "film_pose": read.cpu().numpy()}


@torch.no_grad()
def look(model: ImageModel, pictures: Pictures, metres: float) -> dict[str, np.ndarray]:
    """pose (N, J, 2) in [-1, 1] and joints3d (N, J, 3) of every picture."""
    model.eval()
    parts = [slice(i, i + AT_ONCE) for i in range(0, len(pictures), AT_ONCE)]
    seen = [model.predict(pictures.get(part), pictures.zoom[part]) for part in parts]
    points = metres * torch.cat([s.points for s in seen])
    return {"pose": torch.cat([s.pose for s in seen]).cpu().numpy(), "joints3d": points.cpu().numpy()}


def lift_read(lifter: Outcome, pose: np.ndarray, profile: Profile, setting: Setting, seed: int,
              device: str) -> np.ndarray:  # fmt: skip
    """A lifter of true 2D on what networks read in the test pictures: (N, J, 2) in [-1, 1] -> joints (N, J, 3)."""
    variant = Variant(lifter.row)
    model = build_model(variant, profile, train_prior(variant, profile, setting, seed, device)).to(device)
    model.load_state_dict(lifter.state)
    read = torch.from_numpy(pose).to(device)
    zoom = zoom_of(setting.datasets[2], profile.lifting.image_size).to(device)
    poses = normalise(read / zoom[:, None, None], setting.structure, setting.scale)
    return predict(model, poses, setting.metres)["joints3d"]
