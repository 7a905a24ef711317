"""MPII's own annotation file, `mpii_human_pose_v1_u12_1.mat` (or _2): a struct RELEASE of pictures and people.

RELEASE.annolist(i).image.name, .annorect(j).{scale, objpos.x, .y, annopoints.point(k).{x, y, id, is_visible}} and
RELEASE.img_train(i). Ids are those of the 16 joints; a point whose is_visible is empty counts as seen. Pictures of the
test set have no points. Which training people validate is the choice of the hourglass's authors and not told here: with
this file alone there is only `train`. Source: specs/data.md section 1.3.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posebook.data.real.files import check_fields, read_mat
from posebook.errors import PosebookError

NAMES = ("mpii_human_pose_v1_u12_2.mat", "mpii_human_pose_v1_u12_1.mat")
JOINTS = 16


class Annotated(NamedTuple):
    """One person as the file has it; pixels are numbered from 1."""

    image: str
    center: tuple[float, float]
    scale: float  # height of the person over 200 pixels
    points: np.ndarray  # (16, 2), 0 where there is none
    labelled: np.ndarray  # (16,) bool
    visible: np.ndarray  # (16,) bool


def mat_file(source: Path) -> Path | None:
    """The annotation file in the source folder or its `annot`; None if it is not there."""
    places = [folder / name for name in NAMES for folder in (source, source / "annot")]
    return next((path for path in places if path.is_file()), None)


def training_people(path: Path) -> Iterator[Annotated]:
    """Everybody with place, scale and joints in the pictures for training.

    Raises:
        PosebookError: the file is no MPII annotation, or lists do not belong together.
    """
    release = check_fields(vars(read_mat(path, ("RELEASE",))["RELEASE"]), ("annolist", "img_train"), str(path))
    pictures, train = np.atleast_1d(release["annolist"]), np.atleast_1d(release["img_train"])
    if len(pictures) != len(train):
        raise PosebookError(f"{path}: {len(pictures)} pictures, but img_train has {len(train)} entries. Get it again.")
    for picture in pictures[train.astype(bool)]:
        fields = check_fields(vars(picture), ("image", "annorect"), f"{path}, a picture")
        for person in structs(fields["annorect"]):
            found = person_of(vars(person), str(fields["image"].name), path)
            if found is not None:
                yield found


def person_of(person: dict, image: str, path: Path) -> Annotated | None:
    """One entry of annorect; None where it has no place, no scale or no joints."""
    points = structs(getattr(person.get("annopoints"), "point", None))
    place = person.get("objpos")
    if not points or not hasattr(place, "x") or not np.size(person.get("scale", ())):
        return None
    pixels, labelled, visible = np.zeros((JOINTS, 2)), np.zeros(JOINTS, bool), np.zeros(JOINTS, bool)
    for point in points:
        joint = int(point.id)
        if not 0 <= joint < JOINTS:
            raise PosebookError(f"{path}, {image}: expected joint ids 0 to 15, found {joint}. Get the file again.")
        pixels[joint], labelled[joint] = (point.x, point.y), True
        told = np.ravel(getattr(point, "is_visible", ()))
        visible[joint] = not len(told) or str(told[0]) not in ("0", "0.0", "False")
    return Annotated(image, (float(place.x), float(place.y)), float(person["scale"]), pixels, labelled, visible)


def structs(found) -> list:
    """MATLAB's struct array as scipy squeezes it: a struct, an array of them, or an empty array."""
    return [item for item in np.ravel(np.asarray(found, dtype=object)) if hasattr(item, "_fieldnames")]
