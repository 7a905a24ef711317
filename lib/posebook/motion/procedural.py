"""The embedded motion source: named actions, many clips each, made from nothing but the clip's name."""

from collections.abc import Callable

import numpy as np

from posebook.errors import PosebookError
from posebook.motion.assemble import assemble
from posebook.motion.clip import FPS, ClipInfo, MotionClip
from posebook.motion.curves import named_rng
from posebook.motion.expressive import dance, gesture, kick, punch, wave
from posebook.motion.locomotion import jump, run, walk
from posebook.motion.plan import Plan
from posebook.motion.skeleton import skeleton
from posebook.motion.standing import bend, reach, sit, squat, stretch
from posebook.splits import membership

ACTIONS: dict[str, Callable[[np.random.Generator, Plan], None]] = {
    "walk": walk, "run": run, "jump": jump, "squat": squat, "sit": sit, "bend": bend, "reach": reach,
    "stretch": stretch, "wave": wave, "gesture": gesture, "punch": punch, "kick": kick, "dance": dance,
}  # fmt: skip
CLIPS_PER_ACTION = 30
SUBJECT = "procedural"


def num_frames(name: str) -> int:
    """Length of a clip: 3 to 4 s, from its name alone."""
    return int(named_rng("posebook-length", name).integers(round(3 * FPS), round(4 * FPS) + 1))


def list_procedural() -> list[ClipInfo]:
    """All clips, action by action; the split is a fixed hash of the name."""
    names = [(f"{action}_{k:03d}", action) for action in ACTIONS for k in range(CLIPS_PER_ACTION)]
    return [ClipInfo(name, action, SUBJECT, num_frames(name), membership("clip", name)) for name, action in names]


def load_procedural(name: str) -> MotionClip:
    """Make one clip, the same every time and everywhere. Raises PosebookError for a name that is not listed."""
    action, _, number = name.rpartition("_")
    if action not in ACTIONS or not number.isdecimal() or f"{action}_{int(number):03d}" != name:
        raise PosebookError(
            f"No procedural clip {name!r}. Names are <action>_<3 digits>, as walk_017; actions: {', '.join(ACTIONS)}."
        )
    plan = Plan(num_frames(name))
    ACTIONS[action](named_rng("posebook-clip", name), plan)
    return assemble(skeleton(), plan, name, action, SUBJECT)
