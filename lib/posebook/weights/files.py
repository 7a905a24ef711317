"""Finding an official file and reading it into our network: safely, whole, and with a list of what does not fit.

The network is made without memory and takes the file's own arrays, which stay on the disk until they are used.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posebook.cache import cache_dir
from posebook.errors import PosebookError
from posebook.models.hmr import CAMERA, HMR, POSE, SHAPE, Regressor
from posebook.models.i2l import I2LMeshNet, load_official_i2l
from posebook.models.i2l.units import BODY_DEPTH, HAND_DEPTH
from posebook.models.tcmr import TCMR
from posebook.models.vibe import VIBE
from posebook.models.video_checkpoints import (
    VideoWeights,
    harmless_numbers,
    load_official_spin,
    load_official_tcmr,
    load_official_vibe,
)
from posebook.weights.known import KnownWeights

SIZES = {"i2l": (29, 6890, 24, BODY_DEPTH), "hand": (21, 778, 16, HAND_DEPTH)}  # joints, vertices, rotations, metres
VIDEO = {"spin": (HMR, load_official_spin), "vibe": (VIBE, load_official_vibe), "tcmr": (TCMR, load_official_tcmr)}


class LoadedWeights(NamedTuple):
    """An official file in our network."""

    known: KnownWeights
    path: Path
    network: nn.Module  # eval mode, without a body model: that is the user's licensed file
    parameters: int
    epoch: int | None  # 0-based; None if the file does not say
    performance: float | None  # PA-MPJPE on the validation set that the file carries, mm
    split_off: tuple[str, ...]  # names of the licensed body arrays in the file, which the network does not hold
    others: tuple[str, ...]  # further networks in the file that were not loaded
    body: dict[str, Tensor]  # the licensed arrays of SPIN, VIBE and TCMR, for `spin_body_of` and licence holders


def default_folder() -> Path:
    """`<cache>/weights`: where `posebook weights` looks when no folder is given."""
    return cache_dir("weights")


def find_file(known: KnownWeights, folder: str | Path) -> Path | None:
    """The file under one of its published names, in the folder itself or in its subfolder of the entry's name."""
    places = (place / file for place in (Path(folder), Path(folder) / known.name) for file in known.files)
    return next((path for path in places if path.is_file()), None)


def load_weights(known: KnownWeights, path: str | Path) -> LoadedWeights:
    """Read an official file into our network, strictly.

    Args:
        known: what the file should be. path: of the file, unchanged, under any name.

    Returns:
        LoadedWeights.

    Raises:
        PosebookError: no file, a cut one, another kind, one that holds Python objects (they are never run); or weights
            that do not fit, with lists of the missing, the unknown and the wrongly sized ones.
    """
    path = Path(path)
    with torch.serialization.safe_globals(harmless_numbers()):  # of NumPy, beside the tensors
        if known.kind in SIZES:
            return _load_i2l(known, path)
        return _load_video(known, path)


def _load_i2l(known: KnownWeights, path: Path) -> LoadedWeights:
    joints, vertices, rotations, depth = SIZES[known.kind]
    found = load_official_i2l(path)
    with torch.device("meta"):
        network = I2LMeshNet(joints, vertices, torch.empty(joints, vertices), rotation_num=rotations, depth_size=depth)
    _check_size(found.state, network, known, path)
    network.load_state_dict(found.state, strict=True, assign=True)
    return LoadedWeights(known, path, network.eval(), _count(network), found.epoch, None, found.dropped, (), {})


def _check_size(state: dict[str, Tensor], network: nn.Module, known: KnownWeights, path: Path) -> None:
    """The loader takes bodies and hands; here it is said which one it must be."""
    vertices = state["mesh_net.conv_x.0.weight"].shape[0]
    if vertices != network.vertex_num:
        told = next((k for k, sizes in SIZES.items() if sizes[1] == vertices), "unknown kind")
        raise PosebookError(
            f"{path} is for a mesh of {vertices} vertices ({told}); {known.name} has {network.vertex_num}. "
            "Pass the name that belongs to the file; `posebook weights` lists them."
        )


def _load_video(known: KnownWeights, path: Path) -> LoadedWeights:
    kind, load = VIDEO[known.kind]
    found: VideoWeights = load(path)
    with torch.device("meta"):
        means = [torch.empty(size) for size in (POSE, SHAPE, CAMERA)]
        network = HMR(None, *means) if kind is HMR else kind(Regressor(None, *means))
    network.load_state_dict(found.state, strict=True, assign=True)
    others = () if found.discriminator is None else ("motion discriminator",)
    return LoadedWeights(known, path, network.eval(), _count(network), found.epoch, found.performance,
                         tuple(found.body), others, found.body)  # fmt: skip


def _count(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())
