"""Reading the official weights of SPIN, VIBE and TCMR. Source: specs/vibe.md 1.1, 1.4, 1.5.

The official networks hold the body model, so that each file carries a copy of the licensed SMPL arrays; they are split
off and used only by `spin_body_of`. SPIN's file has the network under `model`; VIBE's and TCMR's under `gen_state_dict`
beside `performance`, a NumPy number, which torch reads only if told that it is harmless.
"""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.checkpoint_report import check_same, read_file, tensors_of
from posebook.models.hmr import CAMERA, HMR, POSE, SHAPE, Regressor
from posebook.models.motion_discriminator import MotionDiscriminator
from posebook.models.spin49 import SMPL_VERTEX_IDS
from posebook.models.spin_body import SpinBody, SpinJoints
from posebook.models.tcmr import TCMR
from posebook.models.vibe import VIBE

SPIN_FILE = "the official spin_model_checkpoint.pth.tar"
VIBE_FILE = "the official vibe_model_wo_3dpw.pth.tar or vibe_model_w_3dpw.pth.tar"
TCMR_FILE = "an official tcmr_*.pth.tar"
_BODY = "smpl"  # part of the name of every body array
_BODY_ARRAYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "parents", "lbs_weights", "J_regressor_extra")


class VideoWeights(NamedTuple):
    """What a file holds."""

    state: dict[str, Tensor]  # the network's part, with this library's names, which are the official ones
    body: dict[str, Tensor]  # the licensed SMPL arrays, by smplx's names; may be empty
    discriminator: dict[str, Tensor] | None  # of VIBE's training files
    epoch: int | None  # None if the file does not say
    performance: float | None  # PA-MPJPE on the validation set, mm


def load_official_spin(path: str | Path, network: HMR | Regressor | None = None) -> VideoWeights:
    """Read SPIN's file, check it whole, and load it.

    Args:
        path: `spin_model_checkpoint.pth.tar`.
        network: loaded with the weights, if given: SPIN's network, or the regressor of VIBE or TCMR, which takes its
            part (training starts there). Else the file is held against the paper's network.

    Returns:
        VideoWeights; `state` is the part that fits the network.

    Raises:
        PosebookError: no file, a cut one, one that holds code, another kind; or weights that do not fit, with lists of
            the missing, the unknown and the wrongly sized ones. The network is then unchanged.
    """
    found = _read(Path(path), "model", SPIN_FILE)
    if isinstance(network, Regressor):
        found = found._replace(state={k: v for k, v in found.state.items() if k in _own(network)})
    return _into(found, _blank(HMR) if network is None else network, Path(path), network is not None)


def load_official_vibe(path: str | Path, network: VIBE | None = None,
                       discriminator: MotionDiscriminator | None = None) -> VideoWeights:  # fmt: skip
    """Read a file of VIBE's, check it whole, and load it.

    Args:
        path: `vibe_model_wo_3dpw.pth.tar` or `vibe_model_w_3dpw.pth.tar` (withdrawn), or one of VIBE's own training.
        network: loaded with the weights, if given; a VIBEDemo keeps its `hmr`, which has SPIN's file. Else the file is
            held against the paper's network.
        discriminator: loaded too, if given.

    Returns, raises: as `load_official_spin`; also for a file without discriminator where one is asked for.
    """
    path = Path(path)
    found = _read(path, "gen_state_dict", VIBE_FILE)
    if discriminator is not None:
        if found.discriminator is None:
            raise PosebookError(f"{path} holds no discriminator (disc_motion_state_dict); leave discriminator out.")
        check_same(found.discriminator, discriminator.state_dict(), path)
    hint = "A file of another encoder needs a network that was built with its options. "
    found = _into(found, _blank(VIBE) if network is None else network, path, network is not None, hint)
    if discriminator is not None:
        discriminator.load_state_dict(found.discriminator)
    return found


def load_official_tcmr(path: str | Path, network: TCMR | None = None) -> VideoWeights:
    """Read a file of TCMR's, check it whole, and load it.

    Args:
        path: `tcmr_table4_3dpw_test.pth.tar` or another.
        network: loaded with the weights, if given. Else the file is held against the paper's network.

    Returns, raises: as `load_official_spin`.
    """
    found = _read(Path(path), "gen_state_dict", TCMR_FILE)
    return _into(found, _blank(TCMR) if network is None else network, Path(path), network is not None)


def spin_body_of(weights: VideoWeights, vertices: bool = True) -> SpinBody | SpinJoints:
    """The neutral SMPL body that an official file carries: only for those who have SMPL's licence.

    Args:
        weights: from one of the loaders.
        vertices: False gives SpinJoints.

    Raises:
        PosebookError: a file without the arrays.
    """
    missing = [name for name in _BODY_ARRAYS if name not in weights.body]
    if missing:
        raise PosebookError(f"The file carries no whole body model: {missing} are missing. Use load_body and SpinBody.")
    layer = SimpleNamespace(**{name: weights.body[name] for name in _BODY_ARRAYS[:-1]})
    layer.shapedirs = layer.shapedirs[..., :SHAPE]  # old smplx keeps all 300
    return (SpinBody if vertices else SpinJoints)(layer, weights.body["J_regressor_extra"], SMPL_VERTEX_IDS)


def _read(path: Path, entry: str, expected: str) -> VideoWeights:
    content = read_file(path, harmless_numbers())
    named = tensors_of(content, entry, path, expected)
    body = {key.split(f"{_BODY}.")[1]: value for key, value in named.items() if _BODY in key.split(".")}
    state = {key: value for key, value in named.items() if _BODY not in key.split(".")}
    judged = content.get("disc_motion_state_dict")
    judged = {str(k): v for k, v in judged.items()} if isinstance(judged, Mapping) and judged else None
    epoch, performance = _number(content.get("epoch")), _number(content.get("performance"))
    return VideoWeights(state, body, judged, None if epoch is None else int(epoch), performance)


def harmless_numbers() -> list:
    """What a NumPy number in a pickle is made of, by its names in NumPy 1 and 2, for torch's safe_globals."""
    scalar = np._core.multiarray.scalar
    return [(scalar, "numpy.core.multiarray.scalar"), (scalar, "numpy._core.multiarray.scalar"), np.dtype,
            np.dtypes.Float64DType, np.dtypes.Float32DType]  # fmt: skip


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float | np.number) else None


def _own(network: nn.Module) -> dict[str, Tensor]:
    """What the file must have: the whole network, but for the backbone of a VIBEDemo."""
    return {key: value for key, value in network.state_dict().items() if not key.startswith("hmr.")}


def _into(found: VideoWeights, network: nn.Module, path: Path, load: bool, hint: str = "") -> VideoWeights:
    check_same(found.state, _own(network), path, hint)
    if load:
        network.load_state_dict(found.state, strict=False)
    return found


def _blank(kind: type) -> nn.Module:
    """The paper's network without memory."""
    with torch.device("meta"):
        means = [torch.empty(size) for size in (POSE, SHAPE, CAMERA)]
        return HMR(None, *means) if kind is HMR else kind(Regressor(None, *means))
