"""Protocols of video methods against sums written out, and what their choices do to the same track."""

import numpy as np
import pytest
import torch

from posebook.errors import PosebookError
from posebook.joints import H36M17, LSP14
from posebook.metrics.video import (
    PROTOCOLS,
    SPIN_PROTOCOL,
    TCMR_PROTOCOL,
    VIBE_PROTOCOL,
    accelerations,
    lsp14_of_h36m17,
    runs,
    score_video,
)


@pytest.fixture
def tracks():
    generator = torch.Generator().manual_seed(0)
    target = torch.randn(24, 17, 3, generator=generator) * 0.3 + torch.tensor([0.0, 0.0, 4.0])
    return target + 0.05 * torch.randn(24, 17, 3, generator=generator), target, np.repeat(["b", "a", "c"], 8)


def _rooted(points, rows):
    return points - points[:, rows].mean(1, keepdim=True)


def _by_hand(pred, target, names, hips, drop):
    rows = [H36M17.index(n) for n in (("right_hip", "left_hip") if hips else ("pelvis",))]
    p, g = (_rooted(x, rows)[:, [H36M17.index(n) for n in LSP14.names]].double().numpy() for x in (pred, target))
    errors, sizes = [], []
    for name in dict.fromkeys(names):
        track, difference = p[names == name], (p - g)[names == name]
        for values, kept in ((track, sizes), (difference, errors)):
            second = [np.linalg.norm(values[t + 1] - 2 * values[t] + values[t - 1], axis=-1).mean()
                      for t in range(1 + drop, len(values) - 1 - drop)]  # fmt: skip
            kept += second
    return 1000 * np.linalg.norm(p - g, axis=-1).mean(), 1000 * np.mean(sizes), 1000 * np.mean(errors)


@pytest.mark.parametrize(("protocol", "hips", "drop"), [(TCMR_PROTOCOL, True, 1), (SPIN_PROTOCOL, False, 0)])
def test_scores_are_the_sums_written_out(tracks, protocol, hips, drop):
    pred, target, names = tracks
    scores = score_video(pred, target, names, protocol)
    wanted = _by_hand(pred, target, names, hips, drop)
    assert (scores.mpjpe, scores.accel, scores.accel_error) == pytest.approx(wanted, rel=1e-4)
    assert scores.pa_mpjpe < scores.mpjpe


def test_one_track_of_all_clips_counts_the_jumps_between_them(tracks):
    _, target, names = tracks
    still = target[[0]].expand(8, -1, -1)
    clips = torch.cat((still, still * torch.tensor([-1.0, 1, 1]), still))  # three frozen people
    assert score_video(clips, clips, names, SPIN_PROTOCOL).accel == 0
    assert score_video(clips, clips, names, VIBE_PROTOCOL).accel > 10


def test_half_precision_makes_a_perfect_answer_wrong(tracks):
    _, target, names = tracks
    assert score_video(target, target, names, SPIN_PROTOCOL).mpjpe < 1e-3
    assert 0.1 < score_video(target, target, names, VIBE_PROTOCOL).mpjpe < 3


def test_rows_are_those_of_lsp_by_name():
    assert [H36M17.names[i] for i in lsp14_of_h36m17()] == list(LSP14.names)


def test_accelerations_have_no_value_at_the_ends_of_a_sequence(tracks):
    pred, target, names = tracks
    found = accelerations(pred, target, names)
    for values in found.values():
        assert np.flatnonzero(np.isnan(values)).tolist() == [0, 7, 8, 15, 16, 23]
    inner = pred[10] - 2 * pred[9] + pred[8]
    assert found["accel"][9] == pytest.approx(1000 * inner.norm(dim=-1).mean().item(), rel=1e-5)


def test_interleaved_sequences_and_wrong_counts_are_refused():
    with pytest.raises(PosebookError, match="'a' comes back at row 2"):
        runs(["a", "b", "a"], 3)
    with pytest.raises(PosebookError, match="one name per frame"):
        runs(["a", "b"], 3)


def test_every_protocol_tells_what_it_does():
    texts = [p.describe() for p in PROTOCOLS]
    assert len(set(texts)) == 3 and "one track" in texts[0] and "half precision" in texts[0]
