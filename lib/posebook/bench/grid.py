"""The grid file: chapters × profiles × datasets × motions × seeds, expanded into runs."""

from dataclasses import dataclass, field, fields
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from posebook.errors import PosebookError
from posebook.profile import PROFILES
from posebook.project import EVALUATION, select_chapters
from posebook.results import run_path
from posebook.runner import CELL_TIMEOUT, Request, choose_profile

SYNTHETIC = "synthetic"  # the dataset that Posebook renders itself


@dataclass(frozen=True)
class Grid:
    """What a grid file may say; every list may be a single value."""

    chapters: list[str] = field(default_factory=list)  # empty: all
    profiles: list[str] = field(default_factory=lambda: ["laptop"])
    datasets: list[str] = field(default_factory=lambda: [SYNTHETIC])  # or names of data_download/README.md
    motions: list[str] = field(default_factory=lambda: ["procedural"])
    seeds: list[int] = field(default_factory=lambda: [0])
    experiments: str = "core"
    device: str = "auto"  # auto, cpu or cuda; the grid itself hands out the GPUs
    results: str = "results-local"
    cell_timeout: int = CELL_TIMEOUT  # seconds one cell may take
    cores: int = 1  # threads of one run, wherever it runs: the numbers must not depend on how many run at once
    memory_gb: float = 0.0  # of one run; 0: what earlier runs needed
    slurm: dict[str, Any] = field(default_factory=dict)  # options of dask_jobqueue.SLURMCluster: queue, account …


class GridRun(NamedTuple):
    """One run of a grid: a chapter with one seed. It pickles, and means the same on every node."""

    chapter: str
    request: Request  # its results folder is absolute

    @property
    def folder(self) -> Path:
        """Where the finished run will be."""
        asked = self.request
        return run_path(asked.results, asked.profile, asked.dataset or asked.motion, self.chapter, asked.seed)

    @property
    def label(self) -> str:
        """`01 smoke procedural seed 0`."""
        asked = self.request
        return f"{self.chapter} {asked.profile} {asked.dataset or asked.motion} seed {asked.seed}"


class _StrictLoader(yaml.SafeLoader):
    """PyYAML, except that a key given twice is an error instead of the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_grid(path: str | Path) -> Grid:
    """The grid in a YAML file, its values checked.

    Raises:
        PosebookError: no such file, no YAML, an unknown or repeated key, a value of the wrong kind or given twice.
    """
    path = Path(path)
    if not path.is_file():
        raise PosebookError(f"There is no grid file {path}. docs/scaling.md shows one.")
    try:
        given = yaml.load(path.read_text(), _StrictLoader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise PosebookError(f"{path} is not a YAML file that can be read: {' '.join(str(error).split())}.") from error
    if not isinstance(given, dict):
        raise PosebookError(f"{path} must hold `key: value` lines such as `seeds: [0, 1, 2]`, not {given!r}.")
    known = {f.name: f for f in fields(Grid)}
    unknown = sorted(str(key) for key in set(given) - set(known))
    if unknown:
        raise PosebookError(f"{path} has the unknown key(s) {', '.join(unknown)}. A grid knows {', '.join(known)}.")
    return Grid(**{key: _value(path, key, value) for key, value in given.items()})


def _value(path: Path, key: str, value: Any) -> Any:
    """A value of the kind that its key wants; a single value of a list key becomes a list of one."""
    wanted = type(getattr(Grid(), key))
    if wanted is list:
        return _list(path, key, value if isinstance(value, list) else [value])
    if wanted in (int, float):
        least = 0 if key == "memory_gb" else 1
        if isinstance(value, bool) or not isinstance(value, (int, wanted)) or value < least:
            kind = "whole number" if wanted is int else "number"
            raise PosebookError(f"{path}: {key} must be a {kind} from {least}, not {value!r}.")
        return wanted(value)
    if not isinstance(value, wanted):
        raise PosebookError(f"{path}: {key} must be a {'mapping' if wanted is dict else 'text'}, not {value!r}.")
    return value


def _list(path: Path, key: str, values: list) -> list:
    """Seeds as whole numbers, everything else as text; nothing twice, nothing empty."""
    if not values:
        raise PosebookError(f"{path}: {key} is an empty list. Name at least one, or leave the key out.")
    if key == "seeds":
        if not all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in values):
            raise PosebookError(f"{path}: seeds must be whole numbers from 0, such as [0, 1, 2], not {values!r}.")
    elif not all(isinstance(value, (str, int)) and not isinstance(value, bool) for value in values):
        raise PosebookError(f"{path}: {key} must be a list of names, not {values!r}.")
    else:
        values = [str(value) for value in values]
    if key == "chapters" and "all" in values:
        if len(values) > 1:
            raise PosebookError(f"{path}: chapters are either `all` or a list of numbers, not both.")
        return []
    twice = sorted({str(value) for value in values if values.count(value) > 1})
    if twice:
        raise PosebookError(f"{path}: {key} has {', '.join(twice)} twice; each run of a grid is made once.")
    return values


def expand(grid: Grid, results: Path, force: bool = False) -> list[GridRun]:
    """All runs of a grid, in the order of its lists.

    A real dataset is scored by the evaluation notebook, which has no seeds: one run per profile.

    Raises:
        PosebookError: an unknown or repeated chapter, profile, dataset, motion or device.
    """
    _check_names(grid)
    chapters = select_chapters(grid.chapters)
    if len(chapters) < len(grid.chapters):
        raise PosebookError(f"The grid's chapters {', '.join(grid.chapters)} name one chapter twice.")
    common = {"device": grid.device, "experiments": grid.experiments, "results": results.resolve(), "force": force}
    common |= {"cell_timeout": grid.cell_timeout}
    runs = []
    for profile, dataset in product(grid.profiles, grid.datasets):
        if dataset != SYNTHETIC:
            request = Request(profile, grid.seeds[0], grid.motions[0], dataset=dataset, **common)
            runs.append(GridRun(EVALUATION, request))
            continue
        for motion, chapter, seed in product(grid.motions, chapters, grid.seeds):
            runs.append(GridRun(chapter, Request(profile, seed, motion, **common)))
    return runs


def distinct(runs: list[GridRun]) -> list[Request]:
    """One request for every combination of what a node must have: motion data, dataset, device."""
    return list({(run.request.motion, run.request.dataset, run.request.device): run.request for run in runs}.values())


def _check_names(grid: Grid) -> None:
    from posebook.data.real.catalogue import entry
    from posebook.motion import MOTIONS

    for profile in grid.profiles:
        if profile not in PROFILES:
            raise PosebookError(f"Unknown profile {profile!r} in the grid: expected one of {', '.join(PROFILES)}.")
        choose_profile(profile)  # refuses a POSEBOOK_PROFILE that would win over the grid
    for motion in grid.motions:
        if motion not in MOTIONS:
            raise PosebookError(f"Unknown motion {motion!r} in the grid: expected one of {', '.join(MOTIONS)}.")
    real = [dataset for dataset in grid.datasets if dataset != SYNTHETIC]
    for dataset in real:
        entry(dataset)
    if real and len(grid.motions) > 1:
        raise PosebookError(
            f"The grid scores {', '.join(real)} by rows trained on one motion, but lists {', '.join(grid.motions)}: "
            "put real datasets and several motions into two grids."
        )
    if EVALUATION in grid.chapters:
        raise PosebookError("A grid asks for `evaluate` by naming a real dataset under `datasets`, not as a chapter.")
    if grid.device not in ("auto", "cpu", "cuda"):
        raise PosebookError(f"The grid's device must be auto, cpu or cuda, not {grid.device!r}: it hands out the GPUs.")
