"""Any filter by its name."""

import inspect
from collections.abc import Callable

from torch import Tensor

from posebook.errors import PosebookError
from posebook.smoothing.gaussian import gaussian, gaussian_vectors
from posebook.smoothing.one_euro import one_euro, one_euro_vectors
from posebook.smoothing.savitzky_golay import savitzky_golay, savitzky_golay_vectors
from posebook.smoothing.slerp import slerp, slerp_vectors

FILTERS = {
    "gaussian": (gaussian, gaussian_vectors),
    "one_euro": (one_euro, one_euro_vectors),
    "savitzky_golay": (savitzky_golay, savitzky_golay_vectors),
    "slerp": (slerp, slerp_vectors),
}  # name -> on rotations, on vectors


def smooth(rotations: Tensor, fps: float, filter: str = "gaussian", **parameters: float) -> Tensor:
    """Smooth rotations over time.

    Args:
        rotations: (T, ..., 3, 3), one sequence.
        fps: frames per second.
        filter: one of FILTERS; "one_euro" and "slerp" look back only, the others use the whole clip.
        parameters: of that filter, e.g. sigma=0.1 (seconds) for "gaussian".

    Returns:
        (T, ..., 3, 3).

    Raises:
        PosebookError: an unknown filter or parameter, or input that does not fit.
    """
    return _find(filter, 0, parameters)(rotations, fps, **parameters)


def smooth_vectors(values: Tensor, fps: float, filter: str = "gaussian", **parameters: float) -> Tensor:
    """Smooth betas, cameras or positions (T, ...) over time; arguments and errors as `smooth`."""
    return _find(filter, 1, parameters)(values, fps, **parameters)


def _find(name: str, kind: int, parameters: dict) -> Callable[..., Tensor]:
    if name not in FILTERS:
        raise PosebookError(f"Unknown filter {name!r}: expected one of {', '.join(FILTERS)}.")
    function = FILTERS[name][kind]
    known = list(inspect.signature(function).parameters)[2:]
    unknown = [parameter for parameter in parameters if parameter not in known]
    if unknown:
        raise PosebookError(f"Filter {name!r} has no parameter {unknown[0]!r}: it takes {', '.join(known)}.")
    return function
