"""Profiles: sizes and budgets, never the method or the code path.

`smoke` is for CI (seconds a chapter), `laptop` the default (2 CPU cores, minutes), `gpu` the papers' network sizes.
"""

import os
from dataclasses import asdict, dataclass

from posebook.errors import PosebookError


@dataclass(frozen=True)
class DataProfile:
    """Size of the synthetic benchmark."""

    image_size: int  # pixels, square crops
    level: str  # body level that is rendered (joints always come from the full mesh)
    train_images: int  # stills, each another person, clip, frame, camera, outfit and scene
    train_sequences: int  # for temporal chapters, rendered when asked for
    val_sequences: int
    test_sequences: int
    frames: int  # contiguous frames of a sequence, 30 fps
    azimuth: float  # degrees to either side of the heading; 180 is all round
    margin: float = 0.1  # added round the mesh's extent on each side of the box
    seed: int = 1


@dataclass(frozen=True)
class TrunkProfile:
    """2D pretraining on the train split."""

    images: int  # own stills of the train split
    seed: int  # data seed, not that of the chapters' images
    stem_epochs: int
    resnet_epochs: int


@dataclass(frozen=True)
class VolumetricProfile:
    """Chapter 1."""

    width: int  # channels of the hourglass (paper 256)
    modules: int  # residual blocks per position (paper family A: own layout)
    family: str  # "B" uniform, "A" the paper's
    levels: int  # poolings in an hourglass
    depth: int  # bins of the finest volume (paper 64)
    depths: tuple[int, ...]  # growing depth resolutions of the representation experiment
    middle: tuple[int, ...]  # depths of the longest coarse-to-fine chain before the last
    sigma_scale: float  # width of target Gaussians relative to the paper's 2 cells
    images_seen: int  # per trained variant
    long_images_seen: int  # of the one long run
    batch: int
    learning_rate: float
    init: str  # "trunk" or "scratch"


@dataclass(frozen=True)
class SegmentationProfile:
    """Chapter 2, stage 1."""

    depth: int  # of the ResNet encoder (paper 101)
    width: int  # channels of its stem (paper 64)
    pool: int  # max-pool after the stem: 2 (paper) or 0 (none, for small pictures)
    stride_on: str  # which convolution of a bottleneck has the stride
    decoder: tuple[int, int, int, int]  # widths of the four refinement units, coarsest first
    images_seen: int  # per fold
    weak_share: float  # of these, for the badly trained stage 1
    batch: int
    learning_rate: float
    equal_time: float  # both folds' training time over one stage 2 training: measured on two cores, guessed for a GPU


@dataclass(frozen=True)
class FittingProfile:
    """Chapter 2, stage 2."""

    depth: int  # of the ResNet trunk (paper 50)
    width: int  # channels of its stem (paper 64)
    pool: int
    strides: tuple[int, int, int, int]  # paper (2, 2, 2, 1)
    stride_on: str
    images_seen: int  # per trained variant
    batch: int
    learning_rate: float


@dataclass(frozen=True)
class MeshProfile:
    """Chapter 3."""

    depth: int  # of the ResNet trunks (paper 50)
    width: int  # channels of their stem (paper 64)
    strides: tuple[int, int, int, int]  # of their layers (paper 1, 2, 2, 2: maps of 8 x 8 cells at 256 px)
    hidden: int  # channels of the upsampled maps (paper 256)
    hidden_fc: int  # hidden layer of the coordinate head
    level: str  # body level that is predicted; the paper's has 6,890 vertices
    bins: tuple[int, ...]  # resolutions of the lixel head; one of them is a quarter of the picture, I2L-MeshNet's own
    voxel_bins: int  # the volume that fits into memory
    sigma: float  # of PoseNet's Gaussians, in 64ths of the box (paper 2.5)
    images_seen: int  # per trained variant
    param_share: float  # of these, for the second stage (paper 5 of 13 epochs)
    equal_time: float  # training time of both trunks over that of MeshNet alone: measured on two cores
    batch: int
    learning_rate: float  # of heads that say numbers, chosen on val
    heat_learning_rate: float  # of heads that draw heat maps, chosen on val
    core_rivals: bool  # body parameters and voxels are part of the core: three of its minutes on two cores


@dataclass(frozen=True)
class TemporalProfile:
    """Chapter 4."""

    depth: int  # of the single-frame network's ResNet (paper 50)
    width: int  # channels of its stem (paper 64)
    strides: tuple[int, int, int, int]  # of its layers (paper 1, 2, 2, 2)
    init: str  # of its trunk: "trunk" (2D joints of other pictures) or "scratch"
    regressor_hidden: int  # of the iterative regressor (paper 1024)
    hmr_images: int  # pictures it sees in training
    hmr_batch: int
    hmr_learning_rate: float
    hidden: int  # of the temporal encoders' GRUs (paper 1024)
    discriminator_hidden: int  # of the motion discriminator's GRU and attention (paper 1024)
    attention_size: int  # of TCMR's integration (paper 256)
    sequences: int  # training sequences, each one window long
    window: int  # frames (paper 16)
    windows_seen: int  # per trained variant (paper 15000 steps of 32)
    batch: int  # windows
    only_2d: float  # share of training sequences that teach by 2D joints alone (paper 19 of 32)
    learning_rate: float  # chosen on val (paper 5e-5)
    discriminator_rate: float  # (paper 1e-4)
    windows_from_pictures: int  # seen by networks that go on learning from pictures, with or without their features


@dataclass(frozen=True)
class LiftingProfile:
    """Chapter 5."""

    stills: int  # unlabelled pictures, and as many unpaired poses
    width: int  # of the lifter (paper 1024)
    flow_hidden: int  # of the flow's blocks (paper 1024)
    blocks: int  # of the flow (paper 8)
    prior_poses: int  # seen by the prior in training
    poses_seen: int  # by a variation of the lifter, in each world that it tries; the lifter itself sees LONG times it
    batch: int  # of prior and lifter (paper 256)
    prior_rate: float  # learning rates, chosen on val (paper 1e-4, 2e-4)
    learning_rate: float
    image_size: int  # pixels of the pictures that the image pipeline sees (paper 128): the benchmark's, made smaller
    line: float  # sigma of its drawn skeletons: half as bright 0.69 sigma^2 from a line (paper 0.2, in 128 pixels)
    image_widths: tuple[int, int, int]  # of painter, reader, discriminator (paper 32, 32, 64)
    images_seen: int  # by the image pipeline
    image_batch: int  # (paper 16)
    image_rate: float  # (paper 2e-4)


@dataclass(frozen=True)
class Profile:
    """All sizes of one profile."""

    name: str
    data: DataProfile
    trunk: TrunkProfile
    volumetric: VolumetricProfile
    segmentation: SegmentationProfile
    fitting: FittingProfile
    mesh: MeshProfile
    temporal: TemporalProfile
    lifting: LiftingProfile
    core_hands: bool  # the hands of chapter 3 are part of its core: their pictures cost two minutes on two cores

    def describe(self) -> dict:
        """Nested dict for run.json."""
        return asdict(self)


def smoke() -> Profile:
    """Seconds: proves that every line runs; its numbers mean nothing."""
    return Profile(
        "smoke",
        DataProfile(64, "coarse", 96, 4, 2, 6, 8, azimuth=70),
        TrunkProfile(64, 1001, 1, 1),
        VolumetricProfile(96, 1, "B", 3, 16, (8, 16), (1, 2), 0.5, 64, 128, 16, 2e-3, "trunk"),
        SegmentationProfile(18, 32, 2, "3x3", (64, 48, 48, 48), 32, 0.5, 16, 2e-3, 1.0),
        FittingProfile(18, 32, 3, (1, 2, 2, 2), "3x3", 64, 16, 1e-3),
        MeshProfile(18, 32, (1, 2, 2, 1), 32, 64, "coarse", (8, 16), 8, 2.5, 32, 0.5, 2.0, 16, 1e-3, 2e-3, True),
        TemporalProfile(18, 32, (1, 2, 2, 1), "trunk", 64, 64, 16, 1e-3, 32, 32, 16, 6, 6, 32, 8, 0.5, 5e-4, 1e-4, 8),
        LiftingProfile(96, 32, 32, 2, 256, 256, 32, 1e-3, 1e-3, 32, 0.28, (4, 4, 4), 16, 4, 1e-3),
        core_hands=True,
    )


def laptop() -> Profile:
    """Minutes on two cores, one small net per variant."""
    return Profile(
        "laptop",
        DataProfile(64, "coarse", 8000, 240, 16, 48, 32, azimuth=70),
        TrunkProfile(20000, 1001, 6, 3),
        VolumetricProfile(96, 1, "B", 3, 16, (8, 16, 32), (1, 2), 0.5, 12000, 40000, 32, 2e-3, "trunk"),
        SegmentationProfile(18, 32, 2, "3x3", (64, 48, 48, 48), 16000, 0.2, 16, 2e-3, 4.5),
        FittingProfile(18, 32, 3, (1, 2, 2, 2), "3x3", 24000, 32, 1e-3),
        MeshProfile(
            18, 32, (1, 2, 2, 1), 64, 1024, "coarse", (8, 16, 32, 64), 8, 2.5, 6400, 0.4, 2.0, 16, 1e-3, 2e-3, False
        ),
        TemporalProfile(
            18, 32, (1, 2, 2, 1), "trunk", 256, 8000, 32, 1e-3, 256, 256, 64, 512, 16, 8000, 32, 0.5, 1e-3, 1e-4, 512
        ),
        LiftingProfile(8000, 256, 256, 8, 204800, 128000, 256, 1e-3, 1e-3, 32, 0.28, (8, 8, 16), 8000, 16, 4e-4),
        core_hands=False,
    )


def gpu() -> Profile:
    """Paper-size networks at 256 px, all azimuths."""
    return Profile(
        "gpu",
        DataProfile(256, "full", 60000, 800, 16, 48, 32, azimuth=180),
        TrunkProfile(60000, 1001, 10, 10),
        VolumetricProfile(256, 3, "A", 4, 64, (8, 16, 32, 64), (1, 2, 4), 1.0, 600000, 1200000, 16, 2.5e-4, "scratch"),
        SegmentationProfile(101, 64, 2, "1x1", (512, 256, 256, 256), 120000, 0.1, 16, 1e-4, 3.0),
        FittingProfile(50, 64, 2, (2, 2, 2, 1), "1x1", 600000, 32, 2e-4),
        MeshProfile(
            50, 64, (1, 2, 2, 2), 256, 1024, "smpl6890", (16, 32, 64), 16, 2.5, 600000, 0.4, 2.0, 32, 1e-4, 1e-4, True
        ),
        TemporalProfile(50, 64, (1, 2, 2, 2), "scratch", 1024, 600000, 64, 2e-4, 1024, 1024, 256, 6000, 16, 480000, 32,
                        0.6, 5e-5, 1e-4, 20000),
        LiftingProfile(60000, 1024, 1024, 8, 6600000, 2000000, 256, 1e-4, 2e-4, 128, 0.2, (32, 32, 64), 3200000, 16,
                       2e-4),
        core_hands=True,
    )  # fmt: skip


PROFILES = {"smoke": smoke, "laptop": laptop, "gpu": gpu}


def load_profile(name: str = "laptop") -> Profile:
    """Sizes by name; the environment's POSEBOOK_PROFILE wins over the argument and says so.

    Args:
        name: "smoke", "laptop" or "gpu": a notebook's parameter.

    Raises:
        PosebookError: for an unknown name, from either source.
    """
    chosen = os.environ.get("POSEBOOK_PROFILE") or name
    if chosen not in PROFILES:
        raise PosebookError(f"Unknown profile {chosen!r}: expected one of {', '.join(PROFILES)}.")
    if chosen != name:
        print(f"POSEBOOK_PROFILE={chosen} in the environment wins over profile={name!r} of the notebook.")
    return PROFILES[chosen]()
