"""Which row of a chapter stands for which method, and what the method was taught with.

The rows were named by the chapters before any test number was seen (`headline` in run.json); none was picked here by
its error. Rivals are rows of the same chapter that its text compares the method with.
"""

from typing import NamedTuple

PAPER, RIVAL, FLOOR = "paper", "rival", "floor"


class Method(NamedTuple):
    """One line of the leaderboard."""

    name: str
    role: str  # "paper": the method of a paper; "rival": what its chapter sets against it; "floor": looks at nothing
    chapter: str
    row: str  # in the chapter's tables
    supervision: str  # what its training was told beside the pictures
    after: tuple[str, ...] = ()  # rows of the chapter whose network runs before it: their costs are added

    @property
    def label(self) -> str:
        """Name with chapter, for figures."""
        return f"{self.chapter} {self.name}"


POSES_2D = "trunk pretrained on 2D joints"
BODIES = "body parameters of every picture"
VIDEO = "body parameters of half of the windows, 2D joints of the others, unpaired motion"

METHODS = (
    Method("C2F volume", PAPER, "01", "volume {1,16}", f"3D joints of every picture; {POSES_2D}"),
    Method("coordinates", RIVAL, "01", "coordinates", f"3D joints of every picture; {POSES_2D}"),
    Method("NBF, 12 parts", PAPER, "02", "12 parts, predicted", f"{BODIES}; part maps of every picture"),
    Method("NBF on RGB", RIVAL, "02", "RGB", BODIES),
    Method("NBF on RGB, equal time", RIVAL, "02", "RGB, equal time", BODIES),
    Method("I2L lixel", PAPER, "03", "I2L lixel", f"meshes and 3D joints of every picture; {POSES_2D}"),
    Method("SMPL parameters", RIVAL, "03", "SMPL parameters", f"{BODIES}; {POSES_2D}"),
    Method("mesh coordinates", RIVAL, "03", "coordinates", f"meshes and 3D joints of every picture; {POSES_2D}"),
    Method("VIBE", PAPER, "04", "VIBE", f"{VIDEO}; {POSES_2D}", ("single frames",)),
    Method("TCMR", PAPER, "04", "TCMR", f"{VIDEO}; {POSES_2D}", ("single frames",)),
    Method("single frames", RIVAL, "04", "single frames", f"{BODIES}; {POSES_2D}"),
    Method("lifter from pictures", PAPER, "05", "from image", "no label of any picture; unpaired 2D poses"),
    Method("its supervised twin", RIVAL, "05", "from image, supervised twin", "2D joints and depths of every picture"),
    Method("mean pose", FLOOR, "01", "mean pose", "3D joints of the training people"),
)


def methods(*roles: str) -> list[Method]:
    """Methods of these roles, all if none is named, in the order of the chapters."""
    return [method for method in METHODS if not roles or method.role in roles]
