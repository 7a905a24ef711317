"""Sizes of the rendered hand benchmark, by the names of `posebook.profile`."""

from dataclasses import dataclass

from posebook.errors import PosebookError


@dataclass(frozen=True)
class HandProfile:
    """Size of the hand benchmark; every picture shows another person, pose, view, skin and scene."""

    image_size: int  # pixels, square crops
    train_images: int
    val_images: int
    test_images: int
    turn: float  # degrees the hand may be turned away from "fingers up, palm or back to the camera"; 180 is any way
    margin: float = 0.1  # added round the mesh's extent on each side of the box
    seed: int = 1


HAND_PROFILES = {
    "smoke": HandProfile(64, 96, 16, 32, turn=60),
    "laptop": HandProfile(64, 8000, 400, 1000, turn=60),
    "gpu": HandProfile(256, 60000, 1000, 3960, turn=180),  # FreiHAND's evaluation set has 3,960 pictures
}


def hand_profile(name: str = "laptop") -> HandProfile:
    """Sizes by the name of a profile: "smoke", "laptop" or "gpu"."""
    if name not in HAND_PROFILES:
        raise PosebookError(f"Unknown profile {name!r}: expected one of {', '.join(HAND_PROFILES)}.")
    return HAND_PROFILES[name]
