"""What chapter 5 trains and tests on: a bag of 2D poses, unlabelled pictures, test pictures; and rows without training.

Bag and pictures come from two halves of the training clips *and* people (of the hands: poses and people): nobody and no
motion is in both. Both are seen from all round, whatever the benchmark's azimuths: the method turns each pose all the
way round and asks the bag whether it knows the result. A bag seen from the front alone calls every back impossible.

For the same reason 2D poses are taken out of their crops: a crop's zoom depends on how wide a person looks from that
side, so a turned person would be of another size. Poses are x / z of the camera, pixels over the crop's focal length.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from posebook.data.batches import FIELDS
from posebook.data.dataset import Dataset, open_dataset
from posebook.data.halves import half_of, open_disjoint_stills
from posebook.data.subset import subset
from posebook.errors import PosebookError
from posebook.models.selfsup import BODY17, HAND, Structure, lift, mean_scale, normalise
from posebook.motion import list_clips
from posebook.profile import Profile

ALL_ROUND = 180.0  # degrees of azimuth to either side
METRES = {"h36m17": 0.6, "hand21": 0.18}  # one unit of lifted poses, about root - far joint; scores are scale-free


class Flat(NamedTuple):
    """2D poses of a dataset as the lifter reads them, and what is true of them."""

    poses: Tensor  # (N, J, 2) normalised
    depth: Tensor  # (N, J) true depths in the lifter's unit
    joints: Tensor  # (N, J, 3) metres, root at 0


@dataclass
class Setting:
    """Structure and sets that all variants of a comparison share."""

    structure: Structure
    bag: Flat
    train: Flat
    test: Flat
    versions: list[str] = field(default_factory=list)  # of the data: bag, train, test
    datasets: tuple = ()  # the same three, with their pictures
    scale: float = 0.0  # mean distance root - far joint of the bag, as x / z of the camera

    @property
    def metres(self) -> float:
        """Metres that one unit of lifted poses stands for in tables."""
        return METRES[self.structure.joints.name]


def open_setting(motion: str, profile: Profile, test: Dataset, device="cpu", bag_motion: str = "",
                 structure: Structure = BODY17) -> Setting:  # fmt: skip
    """Bodies.

    Args:
        motion: source of the training clips. test: any dataset in the sample schema.
        bag_motion: source of the bag's clips, if it is another one.
        structure: its bone means are replaced by those of the bag's bodies: a table of measured people.

    Raises:
        PosebookError: motion that is not there.
    """
    round_ = replace(profile, data=replace(profile.data, azimuth=ALL_ROUND))
    sources = {"motion": bag_motion or motion, "pictures": motion}
    halves = [open_disjoint_stills(source, half, profile.lifting.stills, round_) for half, source in sources.items()]
    return make_setting(structure, *halves, test, device)


def hand_setting(train: Dataset, test: Dataset, device="cpu") -> Setting:
    """Right hands: the training hands in two halves by person; poses that are in both leave the pictures."""
    halves = np.array([half_of(person) for person in train.texts["subject"]])
    bag = np.flatnonzero(halves == "motion")
    fresh = ~np.isin(train.texts["clip"], train.texts["clip"][bag])
    pictures = np.flatnonzero((halves == "pictures") & fresh)
    return make_setting(HAND, subset(train, bag, "bag"), subset(train, pictures, "pictures"), test, device)


def make_setting(structure: Structure, bag: Dataset, train: Dataset, test: Dataset, device="cpu") -> Setting:
    """All three sets with the bag's scale and the bag's bone means."""
    points = torch.from_numpy(np.array(bag.arrays[FIELDS[structure.joints.name][1]]))
    scale = mean_scale(rays_of(bag, structure), structure)
    datasets = (bag, train, test)
    versions = [d.manifest["data_version"] for d in datasets]
    flats = [flat(d, structure, scale, device) for d in datasets]
    return Setting(structure.with_bones_of(points), *flats, versions, datasets, float(scale))


def pixels_of(dataset: Dataset, structure: Structure) -> Tensor:
    """(N, J, 2) crop pixels."""
    return torch.from_numpy(np.array(dataset.arrays[FIELDS[structure.joints.name][0]]))


def focal_of(dataset: Dataset) -> Tensor:
    """(N,) pixels: focal length of every crop."""
    return torch.from_numpy(np.array(dataset.arrays["K"]))[:, 0, 0]


def rays_of(dataset: Dataset, structure: Structure) -> Tensor:
    """(N, J, 2) crop pixels over the crop's focal length: x / z of the camera, up to a shift of the whole pose."""
    return pixels_of(dataset, structure) / focal_of(dataset)[:, None, None]


def to_unit(pixels: Tensor, size: int) -> Tensor:
    """Crop pixels to the range of skeleton pictures: centres of the first and last pixel at -1 and 1."""
    return 2 * (pixels - 0.5) / (size - 1) - 1


def to_pixels(unit: Tensor, size: int) -> Tensor:
    """Inverse of `to_unit`."""
    return (unit + 1) * (size - 1) / 2 + 0.5


def zoom_of(dataset: Dataset, size: int) -> Tensor:
    """(N,) how many units of `to_unit` one x / z of the camera is in each crop, made `size` pixels wide."""
    return 2 * focal_of(dataset) * ratio_of(dataset, size) / (size - 1)


def ratio_of(dataset: Dataset, size: int) -> float:
    """Pixels of a picture made `size` wide to one of the dataset's.

    Raises:
        PosebookError: the dataset's size is no multiple of it.
    """
    stored = dataset.arrays["image"].shape[1]
    if size < 1 or stored % size:
        raise PosebookError(f"image_size: expected a divisor of the pictures' {stored} pixels, got {size}.")
    return size / stored


def flat(dataset: Dataset, structure: Structure, scale: Tensor, device="cpu") -> Flat:
    """A dataset's true 2D as the lifter's input, with its true depths.

    A pose at distance Z has X = Z x for its ray x. The unit is x / scale at depth 0: one unit is Z scale metres, and a
    joint's depth offset is z / (Z scale).

    Args:
        scale: of the bag, for all sets.
    """
    joints = torch.from_numpy(np.array(dataset.arrays[FIELDS[structure.joints.name][1]]))
    rooted = joints - joints[:, [structure.root]]
    depth = rooted[..., 2] / (joints[:, [structure.root], 2] * scale)
    poses = normalise(rays_of(dataset, structure), structure, scale)
    return Flat(poses.to(device), depth.to(device), rooted.to(device))


def lifted(setting: Setting, depth: Tensor) -> np.ndarray:
    """Test poses at given depths (N, J): joints (N, J, 3), about metres, root at 0."""
    return (lift(setting.test.poses, depth, setting.structure.root) * setting.metres).cpu().numpy()


def constant_depth(setting: Setting) -> np.ndarray:
    """All joints as far as the root: what a picture says without depth."""
    return lifted(setting, torch.zeros_like(setting.test.depth))


def mean_depth(setting: Setting, azimuth: float = ALL_ROUND) -> np.ndarray:
    """Every joint at its mean depth over the training people, which are labels that no lifter here has.

    Args:
        azimuth: degrees; only people whose pelvis faces the camera up to this angle count. The test people's range
            makes the baseline stronger: fronts and backs cancel each other.
    """
    depth = setting.train.depth[seen_from(setting, azimuth)]
    return lifted(setting, depth.mean(0).expand(len(setting.test.poses), -1))


def true_depth(setting: Setting) -> np.ndarray:
    """Every joint at its true depth: what the lifter's camera alone costs, which looks at the root from 10 units."""
    return lifted(setting, setting.test.depth)


def seen_from(setting: Setting, azimuth: float) -> Tensor:
    """Numbers of the training people whose pelvis faces the camera up to an angle, degrees; everybody for 180."""
    if azimuth >= ALL_ROUND:
        return torch.arange(len(setting.train.depth))
    return torch.from_numpy(np.flatnonzero(facing(setting.datasets[1]) <= azimuth))


def facing(dataset: Dataset) -> np.ndarray:
    """(N,) degrees about the vertical between where the pelvis faces and the camera, 0 to 180."""
    ahead = Rotation.from_rotvec(np.array(dataset.arrays["global_orient"])).apply([0.0, 0.0, 1.0])
    return np.degrees(np.abs(np.arctan2(ahead[:, 0], -ahead[:, 2])))


class Mismatch(NamedTuple):
    """Settings whose bag moves otherwise than the people that are lifted."""

    settings: dict[str, Setting]  # row -> setting; empty where a motion source is not there
    left_out: str  # why, with the command that prepares it; empty otherwise


def open_mismatch(motion: str, other: str, profile: Profile, test: Dataset, device="cpu") -> Mismatch:
    """Both ways: the other source's bag for these people, this source's bag for the other's, and the other's own.

    Args:
        motion, other: two sources. test: of `motion`.
    """
    try:
        list_clips(other)
    except PosebookError as error:
        return Mismatch({}, f"left out: {error}")
    other_test = open_dataset(other, "test", profile)
    settings = {
        f"lifter, prior of {other} motion": open_setting(motion, profile, test, device, other),
        f"{other}, lifter": open_setting(other, profile, other_test, device),
        f"{other}, prior of {motion} motion": open_setting(other, profile, other_test, device, motion),
    }
    return Mismatch(settings, "")
