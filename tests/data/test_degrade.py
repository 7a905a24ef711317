"""The degradations by what they must and must not do, with an F1 counted here."""

import numpy as np
import pytest
import torch

from posebook.data.degrade import DEGRADATIONS, degrade
from posebook.errors import PosebookError
from posebook.joints import SMPL24


def people(count=24, size=64, seed=0):
    """Stick figures: a vertical body of 24 stacked blocks, each figure somewhere else."""
    rng = np.random.default_rng(seed)
    labels = torch.zeros(count, size, size, dtype=torch.uint8)
    for b in range(count):
        cell = size // 10
        y, x = rng.integers(cell, 2 * cell, 2)
        for i, part in enumerate(rng.permutation(24) + 1):
            row, column = y + (i % 8) * cell, x + (i // 8) * cell
            labels[b, row : row + cell, column : column + cell] = int(part)
    return labels


def mean_f1(found, target):
    """Mean over the parts of each map of 2 |found and target| / (|found| + |target|)."""
    scores = []
    for a, b in zip(found.numpy(), target.numpy(), strict=True):
        for part in range(1, 25):
            if (a == part).any() or (b == part).any():
                scores.append(2 * ((a == part) & (b == part)).sum() / ((a == part).sum() + (b == part).sum()))
    return float(np.mean(scores))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_zero_is_the_identity_and_the_input_is_left_alone(kind):
    labels = people(4)
    kept = labels.clone()
    assert torch.equal(degrade(labels, kind, 0.0, seeded()), kept)
    degraded = degrade(labels, kind, 1.0, seeded())
    assert torch.equal(labels, kept) and not torch.equal(degraded, kept)


@pytest.mark.parametrize("size", [64, 30])
@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_quality_falls_as_the_dial_goes_up(kind, size):
    labels = people(size=size)
    scores = [mean_f1(degrade(labels, kind, amount, seeded()), labels) for amount in (0, 0.25, 0.5, 0.75, 1)]
    assert scores[0] == 1 and all(a > b + 0.01 for a, b in zip(scores, scores[1:], strict=False)), scores
    assert scores[1] > 0.4 and scores[-1] < 0.8, scores


@pytest.mark.parametrize("kind", DEGRADATIONS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 7, 12), (2, 33, 20), (2, 160, 160)])
def test_labels_stay_valid_at_every_size(kind, shape):
    labels = torch.randint(0, 25, shape, generator=seeded()).to(torch.uint8)
    degraded = degrade(labels, kind, 0.8, seeded())
    assert degraded.shape == shape and degraded.dtype == torch.uint8 and degraded.max() <= 24


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_the_seed_decides(kind):
    labels = people(8)
    first = degrade(labels, kind, 0.6, seeded(3))
    assert torch.equal(first, degrade(labels, kind, 0.6, seeded(3)))
    assert kind == "resolution" or not torch.equal(first, degrade(labels, kind, 0.6, seeded(4)))


@pytest.mark.parametrize("kind", DEGRADATIONS)
def test_a_person_never_vanishes(kind):
    labels = torch.zeros(200, 16, 16, dtype=torch.uint8)
    labels[:, 0, 1] = 16  # one pixel of head, where a coarse grid does not look
    labels[:100, 5:7, 5] = 1
    degraded = degrade(labels, kind, 1.0, seeded())
    assert (degraded > 0).flatten(1).any(1).all()
    nobody = torch.zeros(2, 16, 16, dtype=torch.uint8)
    assert not degrade(nobody, kind, 1.0, seeded()).any()


def test_the_largest_part_stays_when_all_are_lost():
    labels = torch.zeros(300, 16, 16, dtype=torch.uint8)
    labels[:, 4, 4:6], labels[:, 8, 8] = 5, 9  # two pixels of 5, one of 9
    degraded = degrade(labels, "missing", 1.0, seeded())
    lost = (degraded == 9).flatten(1).sum(1) == 0
    assert torch.equal(degraded[lost], torch.where(labels[lost] == 5, labels[lost], 0))


def test_swap_takes_counterparts_and_neighbours_half_of_each():
    labels = torch.arange(25, dtype=torch.uint8).expand(4000, 1, 25).contiguous()
    swapped = degrade(labels, "swap", 1.0, seeded())[:, 0].long()
    neighbours = {j: {p for p, c in SMPL24.bones if c == j} | {c for p, c in SMPL24.bones if p == j} for j in range(24)}
    assert (swapped[:, 0] == 0).all()  # background stays
    for j in range(24):
        others = {int(n) - 1 for n in swapped[:, j + 1].unique()}
        counterpart = {SMPL24.flip[j]} - {j}
        assert others == neighbours[j] | counterpart, SMPL24.names[j]
        if counterpart:
            assert (swapped[:, j + 1] - 1 == SMPL24.flip[j]).float().mean() == pytest.approx(0.5, abs=0.03)
    changed = degrade(labels, "swap", 0.3, seeded())[:, 0, 1:] != labels[:, 0, 1:]
    assert changed.float().mean() == pytest.approx(0.3, abs=0.01)


def test_erode_eats_the_outline_only():
    labels = torch.zeros(1, 100, 100, dtype=torch.uint8)
    labels[:, 20:80, 30:70] = 4
    labels[:, 50:80, 30:70] = 8
    eaten = degrade(labels, "erode", 0.5, seeded())  # 2 px of 100
    inner = torch.zeros_like(labels)
    inner[:, 22:78, 32:68] = labels[:, 22:78, 32:68]
    assert torch.equal(eaten, inner)  # the seam between the parts is no outline
    partly = degrade(labels, "erode", 0.6, seeded())  # 2.4 px: 2 and 40 % of the next ring
    ring = (inner > 0) & ~(torch.nn.functional.max_pool2d((inner == 0).float(), 3, 1, 1) == 0)
    assert (partly[ring] == 0).float().mean() == pytest.approx(0.4, abs=0.12)
    assert torch.equal(partly[~ring], inner[~ring])
    full = torch.full((1, 50, 50), 3, dtype=torch.uint8)
    assert torch.equal(degrade(full, "erode", 1.0, seeded()), full)  # the border of the picture eats nothing


def test_shift_moves_each_part_whole_by_its_own_offset():
    labels = torch.zeros(400, 100, 100, dtype=torch.uint8)
    labels[:, 20:23, 20:24], labels[:, 60:65, 60:62] = 3, 17
    moved = degrade(labels, "shift", 0.5, seeded())  # up to 5 px of 100
    offsets = []
    for part, height, width in ((3, 3, 4), (17, 5, 2)):
        for b in range(400):
            y, x = (moved[b] == part).nonzero(as_tuple=True)
            assert len(y) == height * width and int(y.max() - y.min()) == height - 1
            start = 20 if part == 3 else 60
            offsets.append((int(y.min()) - start, int(x.min()) - start))
    offsets = np.array(offsets)
    assert np.abs(offsets).max() == 5 and len(np.unique(offsets, axis=0)) > 60
    assert np.abs(offsets.mean(0)).max() < 0.35  # no direction is favoured
    assert abs(np.corrcoef(offsets[:400, 0], offsets[400:, 0])[0, 1]) < 0.2
    small = (degrade(labels, "shift", 0.02, seeded()) != labels).flatten(1).any(1)  # 0.2 px: some parts move by 1
    assert 0.1 < small.float().mean() < 0.6


def test_resolution_makes_blocks():
    labels = torch.randint(0, 25, (1, 64, 64), generator=seeded()).to(torch.uint8)
    coarse = degrade(labels, "resolution", 1.0, seeded())  # 4 x 4 blocks of 16
    blocks = coarse.view(1, 4, 16, 4, 16)
    assert (blocks == blocks[:, :, :1, :, :1]).all()
    assert torch.equal(blocks[:, :, 0, :, 0], labels[:, 8::16, 8::16])  # the pixel at each block's centre
    half = degrade(labels, "resolution", 0.5, seeded()).view(1, 16, 4, 16, 4)
    assert (half == half[:, :, :1, :, :1]).all()


def test_missing_takes_its_share_of_whole_parts():
    labels = torch.arange(25, dtype=torch.uint8).repeat_interleave(2).expand(2000, 1, 50).contiguous()
    degraded = degrade(labels, "missing", 0.5, seeded())[:, 0].view(2000, 25, 2)
    assert torch.equal(degraded[..., 0], degraded[..., 1])
    assert (degraded[:, 1:, 0] == 0).float().mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("labels", "kind", "amount", "message"),
    [
        (people(1), "blur", 0.5, "Unknown degradation 'blur'"),
        (people(1), "swap", 1.1, r"in \[0, 1\], got 1.1"),
        (people(1), "swap", -0.1, "got -0.1"),
        (people(1), "swap", float("nan"), "got nan"),
        (people(1).long(), "swap", 0.5, "torch.int64"),
        (people(1)[0], "swap", 0.5, r"\(64, 64\) torch.uint8"),
        (people(1).numpy(), "swap", 0.5, "uint8 tensor, got"),
        (people(1) + 5, "swap", 0.5, "Unknown part label 25"),
    ],
)
def test_bad_calls_are_refused(labels, kind, amount, message):
    with pytest.raises(PosebookError, match=message):
        degrade(labels, kind, amount, seeded())
