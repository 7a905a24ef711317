"""Chapter 4's trainings one by one: every video network reads the features of the single-frame network."""

from typing import NamedTuple

from posebook.data.body_batches import BodyBatches
from posebook.data.halves import open_motion_half, open_picture_half
from posebook.experiments.bodies import Judge
from posebook.experiments.hmr import build_hmr, frames, mean_start, train_hmr
from posebook.experiments.outcome import Outcome
from posebook.experiments.temporal import Variant, clip_data, train_variant
from posebook.models.hmr import HMR


class Single(NamedTuple):
    """The single-frame network."""

    outcome: Outcome
    network: HMR  # with its weights, in eval mode, on the device


def train_single(s) -> Single:
    """Train it, or take the one that is there.

    Args:
        s: `rows.Setup`.
    """
    stills, rows = open_picture_half(s.motion, s.profile)
    pictures = BodyBatches(stills, s.device)
    outcome = train_hmr(s.profile, pictures, rows, s.seed, s.device)
    network = build_hmr(s.profile, mean_start(pictures, rows))
    network.load_state_dict(outcome.state)
    return Single(outcome, network.eval().to(s.device))


def train_video(variant: Variant, s) -> Outcome:
    """Train one video network, after the single-frame network.

    Args:
        s: `rows.Setup`.
    """
    single, t = train_single(s), s.profile.temporal
    clips, test = (BodyBatches(d, s.device) for d in (open_motion_half(s.motion, s.profile), s.test_set()))
    read = [frames(single.outcome, single.network, bodies) for bodies in (clips, test)]
    train_data = clip_data(read[0], clips, t.window, t.window, t.only_2d)
    test_data = clip_data(read[1], test, t.window, t.window)
    return train_variant(variant, s.profile, s.motion, single.outcome, train_data, test_data, test, Judge(test),
                         s.seed, s.device)  # fmt: skip
