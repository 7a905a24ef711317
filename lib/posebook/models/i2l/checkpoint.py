"""Reading the official weights. Source: specs/i2l.md 1.7.

A snapshot is a dictionary of `epoch`, `network` and `optimizer`; `network` is what DataParallel saves, with a copy of
the licensed body model's arrays inside. Only tensors and plain containers are read, never pickled code.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.checkpoint_report import check_same, read_file
from posebook.models.i2l.network import I2LMeshNet

PREFIX, BODY_LAYER = "module.", "human_model_layer."
BODY = (29, 6890, 24)  # joints, vertices, rotations where a file does not tell


class OfficialWeights(NamedTuple):
    """The network's part of a snapshot."""

    epoch: int | None  # 0-based; None if the file does not say
    state: dict[str, Tensor]  # 723 entries with this library's names, which are the official ones
    dropped: tuple[str, ...]  # names of the body model's copied arrays, left out


def load_official_i2l(path: str | Path, network: I2LMeshNet | None = None) -> OfficialWeights:
    """Read an official snapshot, check it whole, and load it strictly.

    Args:
        path: `snapshot_<epoch>.pth.tar`.
        network: loaded with the weights, if given. Else the file is held against the paper's network of its own joint,
            vertex and rotation numbers.

    Returns:
        OfficialWeights, ready for `load_state_dict(weights.state)`.

    Raises:
        PosebookError: no file, a cut one, one that holds code, no `network` entry; or weights that do not fit, with
            a list of the missing, the unknown and the wrongly sized ones. The network is then unchanged.
    """
    path = Path(path)
    snapshot = read_file(path)
    entries = snapshot.get("network") if isinstance(snapshot, Mapping) else None
    if not isinstance(entries, Mapping) or not all(isinstance(v, Tensor) for v in entries.values()):
        found = sorted(map(str, snapshot)) if isinstance(snapshot, Mapping) else type(snapshot).__name__
        raise PosebookError(
            f"{path} is not an I2L-MeshNet snapshot: expected a dictionary with an entry 'network' of tensors, got "
            f"{found}. Pass the official snapshot_<epoch>.pth.tar unchanged."
        )
    named = {str(key).removeprefix(PREFIX): value for key, value in entries.items()}
    state = {key: value for key, value in named.items() if not key.startswith(BODY_LAYER)}
    _check_same(state, _blank(state) if network is None else network, path)
    if network is not None:
        network.load_state_dict(state, strict=True)
    epoch = snapshot.get("epoch")
    return OfficialWeights(epoch if isinstance(epoch, int) else None, state, tuple(named.keys() - state.keys()))


def _blank(state: Mapping[str, Tensor]) -> I2LMeshNet:
    """The paper's network without memory, of the sizes that the weights tell."""
    sizes = [_rows(state, key, otherwise) for key, otherwise in zip(
        ("pose_net.conv_x.0.weight", "mesh_net.conv_x.0.weight", "param_regressor.fc_pose.0.weight"),
        (BODY[0], BODY[1], BODY[2] * 6), strict=True)]  # fmt: skip
    joints, vertices, rotations = sizes[0], sizes[1], max(sizes[2] // 6, 1)
    with torch.device("meta"):
        return I2LMeshNet(joints, vertices, torch.empty(joints, vertices), rotation_num=rotations)


def _rows(state: Mapping[str, Tensor], key: str, otherwise: int) -> int:
    value = state.get(key)
    return otherwise if value is None or value.ndim == 0 or value.shape[0] == 0 else value.shape[0]


def _check_same(state: Mapping[str, Tensor], network: nn.Module, path: Path) -> None:
    heads = [key for key in state if key.startswith("param_regressor.fc_pose")]
    expected = network.state_dict()
    hint = ""
    if any(key in expected and state[key].shape != expected[key].shape for key in heads):
        hint = "Hand snapshots from before 2020-09-11 may regress 24 rotations instead of 16: pass rotation_num=24. "
    check_same(state, expected, path, hint)
