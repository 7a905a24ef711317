"""The trunks: stem and first hourglass, and a small ResNet, pretrained on 2D joints of the train split.

Most of the five papers start from a pretrained network. Ours must not have seen a test person, clip or scene, so it is
trained here, on other images of the train split, and its card says on what. A trunk of another body, split or picture
size is refused.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from posebook.body import load_assets
from posebook.cache import atomic_path, cache_dir, file_hash, write_text
from posebook.data import open_dataset
from posebook.data.batches import Batches
from posebook.errors import PosebookError
from posebook.models.decode import softmax_cells
from posebook.models.hourglass import HourglassConfig, StackedHourglass, trunk_state
from posebook.models.resnet import ResNet
from posebook.models.volumetric import gaussian_volume, volume_cross_entropy
from posebook.own_body import FREE
from posebook.pixels import grid_to_pixels, pixels_to_grid
from posebook.profile import Profile
from posebook.splits import split_hash
from posebook.train import Budget, fit, make_fabric, seed_everything

COMMITTED = Path(__file__).parent / "trunks"
LARGEST = 10_000_000  # bytes a committed trunk may have
RESNET = {"depth": 18, "width": 32}


class Trunk(NamedTuple):
    """Pretrained weights with their card."""

    state: dict[str, Tensor]
    card: dict
    path: Path


class ResNetPose(nn.Module):
    """ResNet with a light heat-map head on strides 4 and 32, used for pretraining only."""

    def __init__(self, joints: int = 17, **options):
        super().__init__()
        self.trunk = ResNet(**options)
        with torch.no_grad():
            features = self.trunk(torch.zeros(1, 3, 64, 64))
        widths = features.stride4.shape[1], features.stride32.shape[1]
        self.fine, self.coarse = (nn.Conv2d(w, 64, 1) for w in widths)
        self.head = nn.Sequential(nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU())
        self.heat = nn.Conv2d(64, joints, 1)
        self.coordinates = nn.Linear(features.pooled.shape[1], 2 * joints)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) -> heat maps (B, J, 1, H/4, W/4) and coordinates (B, J, 2) in -1..1."""
        features = self.trunk(image)
        coarse = F.interpolate(self.coarse(features.stride32), features.stride4.shape[2:], mode="bilinear")
        heat = self.heat(self.head(self.fine(features.stride4) + coarse))
        return heat.unsqueeze(2), self.coordinates(features.pooled).unflatten(1, (-1, 2))


def heat_loss(heat: Tensor, pixels: Tensor, size: int) -> Tensor:
    """Cross-entropy of 2D heat maps (B, J, 1, H, W) with Gaussians at `pixels` (B, J, 2)."""
    cells = pixels_to_grid(pixels, heat.shape[-1], size)
    cells = torch.cat((cells, torch.full_like(cells[..., :1], 0.5)), -1)
    return volume_cross_entropy([heat], [gaussian_volume(cells, heat.shape[-1], 1, centre="continuous", scale=0.4)])


@torch.no_grad()
def pixel_error(model, batches: Batches) -> float:
    """Mean distance of decoded heat maps from the true 2D joints, pixels."""
    errors = []
    for start in range(0, len(batches), 128):
        batch = batches.get(slice(start, start + 128))
        heat = model(batch.image)
        heat = heat[0] if isinstance(heat, (list, tuple)) else heat
        pixels = grid_to_pixels(softmax_cells(heat, radius=(2, 2, 0))[..., :2], heat.shape[-1], batches.size)
        errors.append((pixels - batch.pixels).norm(dim=-1).mean(-1))
    return float(torch.cat(errors).mean())


def trunk_name(kind: str, profile: Profile) -> str:
    """File stem of a trunk."""
    v = profile.volumetric
    shape = f"{v.family}{v.modules}-{v.levels}-{v.width}" if kind == "hourglass" else "{depth}-{width}".format(**RESNET)
    return f"{kind}-{shape}-{profile.data.image_size}px"


def load_trunk(kind: str, profile: Profile, folder: Path | None = None) -> Trunk:
    """Load a trunk and compare its card with this benchmark.

    Args:
        kind: "hourglass" or "resnet".
        profile: which size.
        folder: where to look; default the committed ones, then the cache (`posebook pretrain`).

    Raises:
        PosebookError: when there is none, its file was changed, or body or split are not this benchmark's.
    """
    folders = [folder] if folder else [COMMITTED, cache_dir("trunk", profile.name)]
    name = trunk_name(kind, profile)
    path = next((f / f"{name}.safetensors" for f in folders if (f / f"{name}.safetensors").exists()), None)
    if path is None:
        raise PosebookError(
            f"Expected a trunk {name}.safetensors in {' or '.join(map(str, folders))}, found none. "
            f"Run `posebook pretrain --profile {profile.name}` or use init='scratch'."
        )
    card = read_card(path)
    expected = {"sha256": file_hash(path), "body_hash": load_assets("full", FREE).hash, "split_hash": split_hash()}
    for field, value in expected.items():
        if card.get(field) != value:
            raise PosebookError(
                f"Trunk {path.name}: expected {field} {value}, its card says {card.get(field)}. It belongs to another "
                f"benchmark and could have seen test data. Run `posebook pretrain --profile {profile.name}` or use "
                "init='scratch'."
            )
    return Trunk({k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}, card, path)


def read_card(path: Path) -> dict:
    """Card of a trunk; without a readable one nobody knows what the weights have seen."""
    try:
        return json.loads(path.with_suffix(".json").read_text())
    except (OSError, ValueError) as error:
        raise PosebookError(
            f"Expected a card {path.with_suffix('.json').name} beside {path}, found none that can be read ({error}). "
            "Delete the trunk and run `posebook pretrain`."
        ) from error


def save_trunk(state: dict[str, Tensor], card: dict, name: str, folder: Path) -> Path:
    """Write weights (half precision if they would exceed 5 MB) and card, card last."""
    state = {k: v.detach().cpu().contiguous() for k, v in state.items()}
    if sum(v.numel() * v.element_size() for v in state.values()) > LARGEST // 2:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    path = folder / f"{name}.safetensors"
    with atomic_path(path) as temporary:
        save_file(state, temporary)
        temporary.chmod(0o644)  # safetensors makes files that only their owner can read
        if temporary.stat().st_size > LARGEST and folder == COMMITTED:
            raise PosebookError(
                f"{name} has {temporary.stat().st_size} bytes; committed trunks have at most {LARGEST}."
            )
    write_text(path.with_suffix(".json"), json.dumps(card | {"sha256": file_hash(path)}, indent=1))
    return path


def pretrain(profile: Profile, device: str = "cpu", folder: Path | None = None, kinds=("hourglass", "resnet")) -> list:
    """Train the trunks of a profile and write them with their cards.

    Args:
        profile: sizes and epochs.
        device: "cpu", "cuda" or "auto".
        folder: default the cache; maintainers give `posebook.trunk.COMMITTED`.
        kinds: which trunks.

    Returns:
        Paths of the safetensors files.
    """
    data = replace(profile.data, train_images=profile.trunk.images, seed=profile.trunk.seed)
    fabric = make_fabric(device)
    train = Batches(open_dataset("procedural", "train", replace(profile, data=data)), fabric.device)
    val = Batches(open_dataset("procedural", "val", profile), fabric.device)
    return [
        train_trunk(kind, profile, train, val, fabric, folder or cache_dir("trunk", profile.name)) for kind in kinds
    ]


def train_trunk(kind: str, profile: Profile, train: Batches, val: Batches, fabric, folder: Path) -> Path:
    """Train one trunk on 2D joints and save it."""
    seed_everything(profile.trunk.seed)
    epochs = profile.trunk.stem_epochs if kind == "hourglass" else profile.trunk.resnet_epochs
    budget = Budget(epochs * len(train), batch=32, learning_rate=2e-3)
    if kind == "hourglass":
        config = hourglass_config(profile, (1,))
        model, options = StackedHourglass(config), asdict(config)
    else:
        model, options = ResNetPose(**RESNET), dict(RESNET)

    def loss(net, rows, generator):
        batch = train.augmented(rows, generator)
        answer = net(batch.image)
        value = heat_loss(answer[0], batch.pixels, train.size)
        if kind == "resnet":
            value = value + 2 * (answer[1] - (batch.pixels * (2 / train.size) - 1)).abs().mean()
        return value

    history = fit(model, loss, len(train), budget, profile.trunk.seed, fabric, f"Pretraining {kind}")
    state = trunk_state(model) if kind == "hourglass" else model.trunk.state_dict()
    card = {
        "kind": kind,
        "command": f"posebook pretrain --profile {profile.name}",
        "trained_on": train.dataset.describe(),
        "labels": "2D joints (h36m17) only",
        "options": options,
        "data_seed": profile.trunk.seed,
        "data_version": train.dataset.manifest["data_version"],
        "split_hash": split_hash(),
        "body_hash": load_assets("full", FREE).hash,
        "images_seen": budget.images_seen,
        "minutes": round(history.minutes, 1),
        "device": str(fabric.device),
        "val_error_pixels": round(pixel_error(model, val), 3),
        "log": {"images": history.images, "loss": [round(v, 4) for v in history.losses]},
    }
    return save_trunk(state, card, trunk_name(kind, profile), folder)


def hourglass_config(profile: Profile, depths: tuple[int, ...]) -> HourglassConfig:
    """Chapter 1's network of a profile with other depths."""
    v = profile.volumetric
    return HourglassConfig(v.family, depths, v.modules, width=v.width, levels=v.levels)
