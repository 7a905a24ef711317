"""The rows that `posebook train` can train: what each chapter's notebook does for one of them, and nothing else."""

from collections.abc import Callable
from typing import NamedTuple

from posebook.data.dataset import Dataset, open_dataset
from posebook.errors import PosebookError
from posebook.experiments.outcome import Outcome
from posebook.profile import Profile


class Setup(NamedTuple):
    """What a notebook's parameters say."""

    profile: Profile
    motion: str
    seed: int
    device: str  # of this process' tensors
    pictures: Dataset | None = None  # training pictures instead of the benchmark's, e.g. shards

    def train_set(self) -> Dataset:
        """Training pictures."""
        return self.pictures or open_dataset(self.motion, "train", self.profile)

    def test_set(self) -> Dataset:
        """Test pictures."""
        return open_dataset(self.motion, "test", self.profile)


class Row(NamedTuple):
    """One network that can be trained."""

    name: str  # in tables
    train: Callable[[Setup], Outcome]
    alone: str = ""  # why one process must train it; empty: any number does


def rows(chapter: str, profile: Profile) -> dict[str, Row]:
    """Rows of a chapter by name, in the notebook's order.

    Raises:
        PosebookError: a chapter that trains nothing.
    """
    chapters = {"01": volumetric, "02": body_fitting, "03": lixels, "04": temporal, "05": lifting}
    number = chapter.zfill(2)
    if number not in chapters:
        raise PosebookError(f"Chapter {chapter!r} trains no network. Those that do: {', '.join(chapters)}.")
    return {row.name: row for row in chapters[number](profile)}


def volumetric(profile: Profile) -> list[Row]:
    """Chapter 1."""
    from posebook.data.batches import Batches
    from posebook.experiments.volumetric import train_variant, variants

    def train(variant, s: Setup) -> Outcome:
        sets = (Batches(d, s.device) for d in (s.train_set(), s.test_set()))
        return train_variant(variant, s.profile, *sets, s.seed, s.device)

    return [Row(v.row, lambda s, v=v: train(v, s)) for v in variants(profile.volumetric)]


def body_fitting(profile: Profile) -> list[Row]:
    """Chapter 2; a row that sees predicted maps has stage 1 trained first."""
    from posebook.data.body_batches import BodyBatches
    from posebook.experiments.bodies import Judge
    from posebook.experiments.nbf import train_variant, variants
    from posebook.experiments.segmentation import train_stage_one

    shares = {"predicted": 1.0, "weak": profile.segmentation.weak_share}

    def train(variant, s: Setup) -> Outcome:
        bodies, test = (BodyBatches(d, s.device) for d in (s.train_set(), s.test_set()))
        common = bodies, test, s.seed, s.device
        share = shares.get(variant.source)
        stages = {variant.source: train_stage_one(s.profile, *common, share)} if share else {}
        return train_variant(variant, s.profile, stages, bodies, test, Judge(test), s.seed, s.device)

    def alone(variant) -> str:
        if variant.degraded:
            return "its maps are degraded at random, which is not split over processes"
        return "" if variant.labelled == 1 else "its loss is a mean over the labelled pictures of a batch"

    return [Row(v.row, lambda s, v=v: train(v, s), alone(v)) for v in variants(profile)]


def lixels(profile: Profile) -> list[Row]:
    """Chapter 3, bodies and hands; the second stage has the first trained before it."""
    from posebook.experiments.i2l import FIRST_STAGE, train_variant, variants
    from posebook.experiments.mesh_judge import BodyMeshJudge, HandMeshJudge
    from posebook.experiments.meshes import BodyMeshes, HandMeshes
    from posebook.hand import hand_profile, open_hand_dataset

    known = {v.row: v for v in variants(profile)}

    def train(variant, s: Setup) -> Outcome:
        if variant.subject == "hand":
            sets = (open_hand_dataset(split, hand_profile(s.profile.name)) for split in ("train", "test"))
            meshes, test = (HandMeshes(d, s.device) for d in sets)
            judge = HandMeshJudge(test, meshes)
        else:
            meshes, test = (BodyMeshes(d, s.device, s.profile.mesh.level) for d in (s.train_set(), s.test_set()))
            judge = BodyMeshJudge(test, meshes)
        common = s.profile, meshes, test, judge, s.seed, s.device
        first = train_variant(known[FIRST_STAGE], *common) if variant.form == "i2l parameters" else None
        return train_variant(variant, *common, first)

    return [Row(v.row, lambda s, v=v: train(v, s)) for v in known.values()]


def temporal(profile: Profile) -> list[Row]:
    """Chapter 4: the single-frame network, which all others start from, and the video networks.

    Losses of the video networks are means over those windows of a batch that have 3D labels, whose number differs
    between parts, and the motion discriminator takes steps of its own within the loss, where DDP sees none of them.
    """
    from posebook.experiments.hmr import ROW
    from posebook.experiments.temporal import variants
    from posebook.training.video import train_single, train_video

    def why(variant) -> str:
        labels = "its loss is a mean over the windows of a batch with 3D labels"
        return f"{labels}, and its motion prior learns within the loss" if variant.prior else labels

    single = Row(ROW, lambda s: train_single(s).outcome)
    return [single, *(Row(v.row, lambda s, v=v: train_video(v, s), why(v)) for v in variants())]


def lifting(profile: Profile) -> list[Row]:
    """Chapter 5: lifters and picture pipelines of the chapter's own motion.

    Views are tilted by mean and deviation of the elevations of a whole batch, and the deformation loss pairs its poses.
    """
    from posebook.experiments.lifting import train_variant, variants
    from posebook.experiments.lifting_images import image_variants, train_images
    from posebook.experiments.lifting_sets import open_setting

    def train(how: Callable, variant, s: Setup) -> Outcome:
        setting = open_setting(s.motion, s.profile, s.test_set(), s.device)
        return how(variant, s.profile, setting, s.seed, s.device)

    why = "its losses compare the poses of a batch with each other (spread of the elevations, pairs of poses)"
    twin = "it trains as its twin without labels, whose losses compare the poses of a batch with each other"
    ways = [(train_variant, v) for v in variants()] + [(train_images, v) for v in image_variants()]
    return [Row(v.row, lambda s, how=how, v=v: train(how, v, s), twin if v.supervised else why) for how, v in ways]
