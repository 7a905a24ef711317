"""Every choice against its own arithmetic, in numpy and SciPy, on random skeletons."""

import numpy as np
import pytest
import torch
from scipy.spatial import procrustes
from scipy.stats import kendalltau

from posebook.errors import PosebookError
from posebook.joints import H36M17
from posebook.leaderboard.methods import METHODS
from posebook.leaderboard.predictions import Predicted
from posebook.leaderboard.sensitivity import (
    ALIGNMENTS,
    BASE,
    FRAMES,
    JOINTS,
    MEANS,
    ROOTS,
    Choice,
    applies,
    compare,
    frame_errors,
    in_order,
    one_at_a_time,
    score,
    sensitivity,
    shifts,
    with_true_bones,
)
from posebook.metrics import POSEBOOK17
from posebook.score import Truth

RNG = np.random.default_rng(0)
TARGET = RNG.normal(0, 0.3, (140, 17, 3)) + [0, 0, 4]
PRED = TARGET + RNG.normal(0, 0.05, TARGET.shape) + RNG.normal(0, 0.1, (140, 1, 3))
SEQUENCES = np.array(["a"] * 100 + ["b"] * 40)
TRUTH = Truth(np.arange(140).astype(str), SEQUENCES, TARGET, "random")


def predicted(joints, placed=True, scale_free=False, method=0) -> Predicted:
    return Predicted(METHODS[method], {s: j for s, j in enumerate(joints)}, placed, scale_free)


def errors(**choice) -> np.ndarray:
    return frame_errors(BASE._replace(**choice), torch.tensor(PRED), torch.tensor(TARGET)).numpy()


def distances(pred, target, names=H36M17.names) -> np.ndarray:
    return 1000 * np.linalg.norm(pred - target, axis=-1)[:, [H36M17.index(n) for n in names]].mean(-1)


def about(joints, names) -> np.ndarray:
    return joints - joints[:, [H36M17.index(n) for n in names]].mean(1, keepdims=True)


def test_the_base_is_the_tables_own_protocol():
    frames = POSEBOOK17.evaluate(PRED, TARGET, SEQUENCES)
    np.testing.assert_allclose(errors(), frames["mpjpe"])
    np.testing.assert_allclose(errors(alignment="similarity"), frames["pa_mpjpe"])
    np.testing.assert_allclose(errors(alignment="root and scale"), frames["n_mpjpe"])
    means = frames.groupby("sequence")["mpjpe"].mean()
    assert score(BASE, predicted([PRED]), TRUTH) == pytest.approx(means.mean())


@pytest.mark.parametrize("joints", JOINTS)
@pytest.mark.parametrize("root", ROOTS)
def test_joints_and_roots(joints, root):
    pair = (about(a, ROOTS[root]) for a in (PRED, TARGET))
    np.testing.assert_allclose(errors(joints=joints, root=root), distances(*pair, JOINTS[joints]))


def test_the_joint_sets_have_the_sizes_they_are_named_after():
    assert {int(name.split()[0]): len(names) for name, names in JOINTS.items()} == {17: 17, 14: 14, 12: 12, 16: 16}


def test_without_alignment_nothing_is_moved():
    np.testing.assert_allclose(errors(alignment="none (camera)"), distances(PRED, TARGET))


def test_a_mirror_image_is_forgiven_only_where_mirrors_are_allowed():
    flipped = torch.tensor(TARGET * [-1, 1, 1])
    target = torch.tensor(TARGET)
    assert frame_errors(BASE._replace(alignment="similarity, mirror"), flipped, target).max() < 1e-6
    assert frame_errors(BASE._replace(alignment="similarity"), flipped, target).min() > 10
    for frame in range(5):  # SciPy's allows mirrors, and gives the target unit size
        unit_target, unit_pred, _ = procrustes(TARGET[frame], PRED[frame])
        size = np.linalg.norm(TARGET[frame] - TARGET[frame].mean(0))
        wanted = 1000 * size * np.linalg.norm(unit_target - unit_pred, axis=-1).mean()
        assert errors(alignment="similarity, mirror")[frame] == pytest.approx(wanted)


def test_true_bones_keep_directions_and_take_lengths():
    moved = with_true_bones(torch.tensor(PRED), torch.tensor(TARGET)).numpy()
    for parent, child in H36M17.bones:
        bones = [a[:, child] - a[:, parent] for a in (moved, PRED, TARGET)]
        lengths = [np.linalg.norm(b, axis=-1) for b in bones]
        np.testing.assert_allclose(lengths[0], lengths[2])
        np.testing.assert_allclose(bones[0] / lengths[0][:, None], bones[1] / lengths[1][:, None])
    grown = torch.tensor(about(TARGET, ["pelvis"]) * 1.3)
    assert frame_errors(BASE._replace(alignment="root and bone lengths"), grown, torch.tensor(TARGET)).max() < 1e-6


@pytest.mark.parametrize("frames", FRAMES)
@pytest.mark.parametrize("mean", MEANS)
def test_frames_and_means(frames, mean):
    step = FRAMES[frames]
    kept, names = errors()[::step], SEQUENCES[::step]
    wanted = kept.mean() if mean == "frames" else np.mean([kept[names == s].mean() for s in np.unique(names)])
    assert score(BASE._replace(frames=frames, mean=mean), predicted([PRED]), TRUTH) == pytest.approx(wanted)


def test_a_score_is_the_mean_over_seeds():
    single = [score(BASE, predicted([joints]), TRUTH) for joints in (PRED, TARGET + 0.0)]
    assert score(BASE, predicted([PRED, TARGET]), TRUTH) == pytest.approx(np.mean(single))


def test_scores_that_mean_nothing_are_missing():
    free, unplaced = predicted([PRED], scale_free=True), predicted([PRED], placed=False)
    told = {a: (applies(BASE._replace(alignment=a), free), applies(BASE._replace(alignment=a), unplaced))
            for a in ALIGNMENTS}  # fmt: skip
    assert told["root"] == (False, True) and told["none (camera)"] == (False, False)
    assert told["similarity"] == told["root and scale"] == (True, True)
    assert np.isnan(score(BASE, free, TRUTH))


def test_unknown_choices_are_refused():
    with pytest.raises(PosebookError, match="Unknown choice 'toes'"):
        errors(joints="toes")
    with pytest.raises(PosebookError, match="Unknown choice 'luck'"):
        errors(alignment="luck")


def test_one_at_a_time_changes_one_choice_and_misses_none():
    choices = one_at_a_time()
    assert choices[0] == ("base", BASE) and len({c for _, c in choices}) == len(choices)
    assert len(choices) == 1 + sum(len(values) - 1 for values in (JOINTS, ROOTS, ALIGNMENTS, FRAMES, MEANS))
    for name, choice in choices[1:]:
        assert [f for f in Choice._fields if getattr(choice, f) != getattr(BASE, f)] == [name]


def test_orders_against_a_count_over_pairs():
    base, other = {"a": 1.0, "b": 2.0, "c": 3.0, "d": np.nan}, {"a": 5.0, "b": 4.0, "c": 6.0, "d": 1.0}
    order, swapped, tau = compare(base, other)
    assert order == ["d", "b", "a", "c"] and swapped == 1  # d has no place in the base
    assert tau == pytest.approx(kendalltau([1, 2, 3], [5, 4, 6]).statistic) == pytest.approx(1 / 3)
    assert in_order(base, with_missing=True) == ["a", "b", "c", "d"]


def test_a_rotated_method_overtakes_after_alignment():
    """The one turns the body, the other blurs it: the base prefers the blur, the similarity the turn."""
    turn = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    turned = about(TARGET, ["pelvis"]) @ turn
    found = {"turned": predicted([turned], placed=False), "blurred": predicted([PRED])}
    table = sensitivity(found, TRUTH).set_index("value")
    assert table.loc["posebook17", "order"] == "blurred < turned" and table.loc["posebook17", "swapped"] == 0
    assert table.loc["similarity", "order"] == "turned < blurred" and table.loc["similarity", "swapped"] == 1
    assert table.loc["similarity", "turned"] == pytest.approx(0, abs=1e-6)
    assert np.isnan(table.loc["none (camera)", "turned"])
    moved = shifts(sensitivity(found, TRUTH), list(found)).set_index("value")
    assert "posebook17" not in moved.index
    wanted = table.loc["12 (limbs)", "blurred"] - table.loc["posebook17", "blurred"]
    assert moved.loc["12 (limbs)", "blurred"] == pytest.approx(wanted)
