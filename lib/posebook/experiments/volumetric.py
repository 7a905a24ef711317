"""Chapter 1: volumes against coordinates, stacks, coupled against decoupled, trunk against scratch.

Every variant sees the same number of images in the same order, with the same optimiser and augmentation. The long row
is the exception; it is named and belongs to no comparison.
"""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from posebook.data.batches import Batch, Batches, mirrored
from posebook.experiments.outcome import (
    Outcome,
    count_gflop,
    count_parameters,
    ms_per_image,
    remember,
    training_memory_mb,
)
from posebook.findings import Claim
from posebook.models.coordinate import CoordinateRegressor, coordinate_loss, coordinate_targets, split_coordinates
from posebook.models.decode import (
    DepthBins,
    argmax_cells,
    back_project,
    soft_argmax_cells,
    softmax_cells,
    unflip_volume,
)
from posebook.models.hourglass import DecoupledHourglass, StackedHourglass, load_trunk_state
from posebook.models.root_depth import bone_lengths, root_depth
from posebook.models.volumetric import stack_targets, volume_cross_entropy, volume_mse
from posebook.pixels import grid_to_pixels, pixels_to_grid
from posebook.profile import Profile, VolumetricProfile
from posebook.train import Budget, fit, make_fabric, seed_everything
from posebook.trunk import hourglass_config, load_trunk

WINDOW = 2  # cells round the peak that soft-argmax weighs, for both losses; chosen on val
SECOND_STACK = 1.5  # training time of two stacks over one, as measured on two cores
HEAD_SHRINK = 0.01  # of torch's initial head weights: volumes start near empty, as C2F's port also found necessary
MSE_SCALE = 100.0  # the mean over thousands of nearly empty cells is tiny; Adam does not mind, the clipping does


@dataclass(frozen=True)
class Variant:
    """One row to train."""

    row: str  # name in tables
    depths: tuple[int, ...] = ()  # bins of each stack's volume; none: coordinates are regressed
    loss: str = "mse"  # the paper's; "cross-entropy" is a named deviation
    coupled: bool = True
    init: str = "trunk"
    long: bool = False  # the one run with more images
    share: float = 1.0  # of the images seen; not 1 only in the row at equal training time
    core: bool = True  # trained by default


class Prediction(NamedTuple):
    """Network output in the crop, before the root depth is known."""

    pixels: Tensor  # (B, J, 2)
    relative_depth: Tensor  # (B, J) metres


def variants(profile: VolumetricProfile) -> list[Variant]:
    """All rows of the chapter at a profile's sizes; those with `core` are trained by default."""
    d, init = profile.depth, profile.init
    chain = (*profile.middle, d)
    rows = [
        Variant("coordinates", init=init),
        Variant(f"volume {{{d}}}", (d,), init=init),
        Variant(f"volume {{{d}}} cross-entropy", (d,), "cross-entropy", init=init, core=False),
        Variant(f"volume {{{d},{d}}}", (d, d), init=init),
        Variant(f"volume {{1,{d}}}", (1, d), init=init),
        Variant(f"decoupled {{1,{d}}}", (1, d), coupled=False, init=init, core=False),
    ]
    rows += [Variant(f"volume {{{n}}}", (n,), init=init, core=False) for n in profile.depths if n != d]
    rows.append(Variant(f"volume {{{','.join(map(str, chain))}}}", chain, init=init, core=False))
    other = "scratch" if init == "trunk" else "trunk"
    rows.append(Variant(f"volume {{{d}}} from {other}", (d,), init=other, core=False))
    rows.append(Variant(f"volume {{{d}}} equal time", (d,), init=init, share=SECOND_STACK, core=False))
    rows.append(Variant(f"volume {{{d}}} cross-entropy long", (d,), "cross-entropy", init=init, long=True, core=False))
    return rows


def build_model(variant: Variant, profile: Profile) -> nn.Module:
    """Network of a variant, with the trunk's weights if it starts from them."""
    config = hourglass_config(profile, variant.depths or (1,))
    if not variant.depths:
        model = CoordinateRegressor(config, profile.data.image_size)
    else:
        model = StackedHourglass(config) if variant.coupled else DecoupledHourglass(config)
        shrink_heads(model)
    if variant.init == "trunk":
        load_trunk_state(model, load_trunk("hourglass", profile).state)
    return model


@torch.no_grad()
def shrink_heads(model: nn.Module) -> None:
    """Start every head near zero.

    With torch's default the first volumes are noise far above the all-zero answer, and hundreds of steps go into
    unlearning it: on val 203 mm after 16,000 images against 97 mm after 8,000. specs/c2f.md section 6 reports the same.
    """
    for head in model.heads:
        head.weight.mul_(HEAD_SHRINK)
        head.bias.zero_()


def volume_cells(batch: Batch, grid: int, depth: int, size: int) -> Tensor:
    """(B, J, 3) continuous cells of the true joints: x and y on the map, z in depth bins."""
    plane = pixels_to_grid(batch.pixels, grid, size)
    return torch.cat((plane, DepthBins(depth).to_cells(batch.relative_depth).unsqueeze(-1)), -1)


def variant_loss(variant: Variant, answer, batch: Batch, size: int, sigma_scale: float) -> Tensor:
    """Training loss of any variant."""
    if not variant.depths:
        return coordinate_loss(answer, coordinate_targets(batch.pixels, batch.relative_depth, size))
    grid, finest = answer[-1].shape[-1], variant.depths[-1]
    cells = volume_cells(batch, grid, finest, size)
    targets = stack_targets(cells, grid, variant.depths, centre="continuous", scale=sigma_scale)
    if variant.loss == "mse":
        return MSE_SCALE * volume_mse(answer, targets)
    return volume_cross_entropy(answer, targets)


def decode(variant: Variant, answer, size: int, read_out: str = "soft-argmax") -> Prediction:
    """Pixels and relative depth from a network's answer (a list of volumes, or coordinates)."""
    if not variant.depths:
        return Prediction(*split_coordinates(answer, size))
    volume = answer[-1]
    if read_out == "argmax":
        cells = argmax_cells(volume)
    else:
        read = softmax_cells if variant.loss == "cross-entropy" else soft_argmax_cells
        cells = read(volume, WINDOW)
    pixels = grid_to_pixels(cells[..., :2], volume.shape[-1], size)
    return Prediction(pixels, DepthBins(volume.shape[2]).to_metres(cells[..., 2]))


@torch.no_grad()
def predict(model: nn.Module, variant: Variant, batches: Batches, batch_size: int = 128) -> dict[str, np.ndarray]:
    """Predict all rows with the flip test of the paper: volumes (or coordinates) averaged with the mirrored image's.

    Returns:
        pixels (N, J, 2), relative_depth (N, J) metres, argmax_pixels and argmax_depth likewise, read out by argmax.
    """
    model.eval()
    flip = batches.joint_set.flip
    parts = []
    for start in range(0, len(batches), batch_size):
        batch = batches.get(slice(start, start + batch_size))
        turned = mirrored(batch, batches.joint_set, batches.size).image
        answer, other = model(batch.image), model(turned)
        if variant.depths:
            answer = [(answer[-1] + unflip_volume(other[-1], flip)) / 2]
        else:
            answer = (answer + other[:, list(flip)] * torch.tensor([-1.0, 1.0, 1.0]).to(other)) / 2
        read = [decode(variant, answer, batches.size, how) for how in ("soft-argmax", "argmax")]
        parts.append([a.float().cpu() for p in read for a in p])
    names = ("pixels", "relative_depth", "argmax_pixels", "argmax_depth")
    return {n: torch.cat(a).numpy() for n, a in zip(names, zip(*parts, strict=True), strict=True)}


def train_variant(variant: Variant, profile: Profile, train: Batches, test: Batches, seed: int, device: str) -> Outcome:
    """Train one variant and predict the test images; from the cache if it was done before."""
    v = profile.volumetric
    trunk = load_trunk("hourglass", profile).card["sha256"] if variant.init == "trunk" else None
    versions = [b.dataset.manifest["data_version"] for b in (train, test)]
    key = {
        "variant": asdict(variant),
        "profile": asdict(v),
        "data": versions,
        "trunk": trunk,
        "seed": seed,
        "on": device,
    }

    def make() -> Outcome:
        seed_everything(seed)
        model = build_model(variant, profile)
        images = v.long_images_seen if variant.long else round(v.images_seen * variant.share)
        budget = Budget(images, v.batch, v.learning_rate)

        def loss(net, rows, generator):
            batch = train.augmented(rows, generator)
            return variant_loss(variant, net(batch.image), batch, train.size, v.sigma_scale)

        history = fit(model, loss, len(train), budget, seed, make_fabric(device), variant.row)
        predictions = predict(model, variant, test)
        speed = ms_per_image(model, test.get(slice(0, 32)).image)
        costs = (count_parameters(model), count_gflop(model, train.size), budget.images_seen, speed)
        return Outcome(variant.row, predictions, history, *costs, model.state_dict(), training_memory_mb(device))

    return remember(key, make, __name__)


def mean_bone_lengths(train: Batches) -> Tensor:
    """(bones,) metres: mean over the training people, what root-depth mode 3 knows about people."""
    joints = torch.from_numpy(np.array(train.dataset.arrays[train.fields[1]]))
    return bone_lengths(joints, train.joint_set.bones).mean(0)


def to_camera(pixels, relative_depth, test: Batches, mode: int, mean_lengths: Tensor) -> np.ndarray:
    """Absolute joints in the camera frame from crop predictions.

    Args:
        pixels: (N, J, 2) of the crop.
        relative_depth: (N, J) metres.
        test: the images' cameras, and for modes 1 and 2 their true joints.
        mode: root depth 1 (true, oracle), 2 (own bones, oracle) or 3 (mean training bones).
        mean_lengths: (bones,) metres.

    Returns:
        (N, J, 3) metres.
    """
    pixels, relative_depth = (torch.as_tensor(a).detach().cpu() for a in (pixels, relative_depth))
    K = torch.from_numpy(np.array(test.dataset.arrays["K"]))
    truth = torch.from_numpy(np.array(test.dataset.arrays[test.fields[1]]))
    depth = root_depth(mode, pixels, relative_depth, K, test.joint_set.bones, mean_lengths.cpu(), truth)
    return back_project(pixels, relative_depth + depth.unsqueeze(-1), K).numpy()


def add_floors(sheet, train: Batches, test: Batches, depth: int, sigma_scale: float) -> None:
    """Oracle rows: perfect heat maps decoded, so that only the grid, the read-out and the root depth cost anything."""
    batch = test.get(slice(0, len(test)))
    grid = test.size // 4
    cells = volume_cells(batch, grid, depth, test.size)
    mean = mean_bone_lengths(train)
    for name, read_out in (("argmax", argmax_cells), ("soft-argmax", soft_argmax_cells)):
        options = {"centre": "continuous", "scale": sigma_scale}
        found = torch.cat([read_out(stack_targets(c, grid, (depth,), **options)[0]) for c in cells.split(64)])
        pixels = grid_to_pixels(found[..., :2], grid, test.size)
        relative = DepthBins(depth).to_metres(found[..., 2])
        for mode in (1, 3):
            joints = to_camera(pixels, relative, test, mode, mean)
            oracle = ("heat maps",) if mode == 3 else ("heat maps", "root depth")
            sheet.add(f"perfect volume {{{depth}}}, {name}, root depth mode {mode}", joints, oracle=oracle)


def claims(profile: VolumetricProfile) -> list[Claim]:
    """What the paper says, as comparisons of our rows; fixed before any number was seen."""
    d = profile.depth
    low, high = min(profile.depths), max(profile.depths)
    one, two, coarse = f"volume {{{d}}}", f"volume {{{d},{d}}}", f"volume {{1,{d}}}"
    chain = f"volume {{{','.join(map(str, (*profile.middle, d)))}}}"
    memory = "remembered, not verified: not printed"
    pair = (one, f"{one} from scratch") if profile.init == "trunk" else (f"{one} from trunk", one)
    port = "a port of the authors' net, two stacks: 73.6, 68.6, 67.1 mm at 16, 32, 64 bins (Human3.6M)"
    return [
        Claim("A volume beats regressing coordinates", "C2F table 1", memory, one, "coordinates", -1),
        Claim("More depth bins beat fewer", "C2F table 1", port, f"volume {{{high}}}", f"volume {{{low}}}", -1),
        Claim("A second stack helps", "C2F table 2", memory, two, one, -1),
        Claim("A second stack helps at equal training time", "ours", "not a claim of the paper", two,
              f"{one} equal time", -1),
        Claim("Coarse-to-fine beats a fine volume in both stacks", "C2F table 2", memory, coarse, two, -1),
        Claim("A longer coarse-to-fine chain beats two stacks", "C2F table 2", memory, chain, coarse, -1),
        Claim("Coupled beats decoupled", "C2F section 3.3", memory, coarse, f"decoupled {{1,{d}}}", -1),
        Claim("A pretrained trunk beats scratch", "ours", "not a claim of the paper", *pair, -1),
        Claim("Cross-entropy beats the paper's squared error", "ours", "not a claim of the paper",
              f"{one} cross-entropy", one, -1),
    ]  # fmt: skip
