"""Finding the dataset that a paper's evaluation wants."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from posebook.data import Dataset, open_dataset
from posebook.data.real import open_real
from posebook.errors import PosebookError
from posebook.motion import MOTIONS
from posebook.profile import load_profile
from posebook.runner import choose_profile
from posebook.weights.known import MPI, KnownWeights

SPLITS = {"3dpw": "test", "human36m": "test", "human36m_json": "test", "freihand": "evaluation"}
SAME_AS = {"human36m_json": "human36m"}  # another form of the same dataset


def prepared_dataset(name: str, size: int) -> Any:
    """A dataset for `evaluate_weights`.

    Args:
        name: of a real dataset that a script in data_download/ has prepared (its test split is opened); the folder of a
            finished dataset in this library's layout; or "procedural" or "cmu" for the synthetic test split of the
            profile in POSEBOOK_PROFILE (laptop without it).
        size: pixels of the crops that are cut from real pictures.

    Raises:
        PosebookError: it is not prepared here; with what to do.
    """
    profile = load_profile(choose_profile(None))
    if name in MOTIONS:
        return open_dataset(name, "test", profile)
    if name in SPLITS:
        return open_real(name, SPLITS[name], replace(profile, data=replace(profile.data, image_size=size)))
    folder = Path(name).expanduser()
    if folder.is_dir():
        return Dataset(folder)
    raise PosebookError(
        f"No dataset {name!r} here. Expected {', '.join((*SPLITS, *MOTIONS))}, or the folder of a prepared dataset; "
        "data_download/README.md says how real ones are prepared."
    )


def check_protocol(known: KnownWeights, dataset: str) -> None:
    """Refuse an evaluation whose joints are not the paper's.

    Raises:
        PosebookError: MPI-INF-3DHP; hands on bodies, bodies on hands.
    """
    if dataset == MPI:
        raise PosebookError(
            f"{known.name} on {MPI}: the paper scores 17 joints of that dataset's own, picked from the 49; this "
            "evaluation has h36m17 only and would print a number that cannot be compared."
        )
    if (known.kind == "hand") != (dataset == "freihand") and dataset in (*SPLITS, *MOTIONS):
        raise PosebookError(f"{known.name} is for {'hands' if known.kind == 'hand' else 'bodies'}; {dataset} is not.")
