"""Finding the dataset that a paper's evaluation wants."""

from pathlib import Path
from typing import Any

from posebook.data import Dataset, open_dataset
from posebook.errors import PosebookError
from posebook.motion import MOTIONS
from posebook.profile import load_profile
from posebook.runner import choose_profile
from posebook.weights.known import MPI, KnownWeights


def prepared_dataset(name: str) -> Any:
    """A dataset for `evaluate_weights`.

    Args:
        name: the folder of a finished dataset in this library's layout, or "procedural" or "cmu" for the synthetic
            test split of the profile in POSEBOOK_PROFILE (laptop without it).

    Raises:
        PosebookError: it is not prepared here; with what to do.
    """
    if name in MOTIONS:
        return open_dataset(name, "test", load_profile(choose_profile(None)))
    folder = Path(name).expanduser()
    if folder.is_dir():
        return Dataset(folder)
    raise PosebookError(
        f"The dataset {name!r} is not prepared here: data_download/README.md says how. Expected the folder of a "
        f"prepared dataset, or {' or '.join(MOTIONS)} for our synthetic test pictures."
    )


def check_protocol(known: KnownWeights, dataset: str) -> None:
    """Refuse an evaluation whose joints are not the paper's.

    Raises:
        PosebookError: MPI-INF-3DHP.
    """
    if dataset == MPI:
        raise PosebookError(
            f"{known.name} on {MPI}: the paper scores 17 joints of that dataset's own, picked from the 49; this "
            "evaluation has h36m17 only and would print a number that cannot be compared."
        )
