"""Where the published description leaves a choice: our reading as the default, the alternative one switch away.

Source: specs/selfsup.md sections 1.1, 1.3, 2.2, 2.3 and 8.
"""

from dataclasses import dataclass

from posebook.errors import PosebookError

CHOICES = {
    "elevation": ("learned", "fixed"),
    "composition": ("elepose", "paper"),
    "base": ("consistency", "image"),
    "adversarial": ("lsgan", "log"),
    "painter": ("decoder", "encoder"),
    "falloff": ("distance", "squared"),
    "picture_gradient": ("stopped", "attached"),
    "pose_gradient": ("painter", "attached", "stopped"),
}


@dataclass(frozen=True)
class Readings:
    """One reading of the method; the first value of each choice is ours.

    Raises:
        PosebookError: an unknown value.
    """

    elevation: str = "learned"  # of the second view: from the lifter's angles, or "fixed" within 20 degrees
    composition: str = "elepose"  # Rx(-mu + sigma eps) Ry(a) Rx(angle); "paper": Rx(e)^T Ry(a) Rx(e)
    base: str = "consistency"  # the terms of L_base: 2D, 3D, deformation; "image": adversarial, skeleton, 2D
    adversarial: str = "lsgan"  # KeypointGAN's code; "log": the cross-entropy of the paper's text
    painter: str = "decoder"  # the image network keeps its decoder, drops the image's; "encoder": upsampled instead
    falloff: str = "distance"  # of a drawn line, KeypointGAN's code; "squared" is its paper's text
    picture_gradient: str = "stopped"  # in the pose reader's picture term, as KeypointGAN's code; or "attached"
    pose_gradient: str = (
        "painter"  # pose terms train lifter and painter; "attached": the reader too; "stopped": neither
    )

    def __post_init__(self):
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise PosebookError(f"{name} must be one of {', '.join(choices)}; got {getattr(self, name)!r}.")
