"""Reading weight files that others wrote: safely, whole, and with lists of what does not fit."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posebook.errors import PosebookError

SHOWN = 8  # entries of each list in a message


def read_file(path: Path, safe: Sequence = ()) -> Any:
    """Tensors, plain containers and what is `safe`; pickled code is never run.

    Args:
        path: what torch.save wrote, in either of its formats.
        safe: see torch.serialization.safe_globals.

    Raises:
        PosebookError: no file, a cut one, a foreign one, or one that holds other objects.
    """
    if not path.is_file():
        raise PosebookError(f"There is no checkpoint at {path}. Download one as the official repository says.")
    try:  # mapped, so that an optimizer's share is not read
        with torch.serialization.safe_globals(list(safe)):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # a cut or foreign file fails in too many ways to list
        reason = str(error).strip().split("\n")[0]
        raise PosebookError(
            f"{path} could not be read as weights ({type(error).__name__}: {reason}). It is cut off, not a checkpoint, "
            "or holds Python objects, which are never run. Download it again."
        ) from error


def tensors_of(content: Any, entry: str, path: Path, expected: str) -> dict[str, Tensor]:
    """content[entry], a dictionary of tensors.

    Raises:
        PosebookError: another content; it is named with `expected`, e.g. "the official vibe_model_wo_3dpw.pth.tar".
    """
    found = content.get(entry) if isinstance(content, Mapping) else None
    if not isinstance(found, Mapping) or not found or not all(isinstance(v, Tensor) for v in found.values()):
        what = sorted(map(str, content)) if isinstance(content, Mapping) else type(content).__name__
        raise PosebookError(
            f"{path} is not such a checkpoint: expected a dictionary with an entry {entry!r} of tensors, got {what}. "
            f"Pass {expected} unchanged."
        )
    return {str(key): value for key, value in found.items()}


def check_same(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], path: Path, hint: str = "") -> None:
    """Names and sizes must be those expected, all of them.

    Raises:
        PosebookError: lists of the missing, the unknown and the wrongly sized entries, then `hint`.
    """
    wrong = [f"{key} {tuple(state[key].shape)} instead of {tuple(value.shape)}" for key, value in expected.items()
             if key in state and state[key].shape != value.shape]  # fmt: skip
    lists = {"missing": [k for k in expected if k not in state], "unknown": [k for k in state if k not in expected],
             "of another size": wrong}  # fmt: skip
    if not any(lists.values()):
        return
    told = "; ".join(f"{len(found)} {what}: {_shortened(found)}" for what, found in lists.items() if found)
    raise PosebookError(f"The weights in {path} do not fit the network. {told}. {hint}Nothing was loaded.")


def _shortened(entries: list[str]) -> str:
    rest = len(entries) - SHOWN
    return ", ".join(entries[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
