"""Image networks: published sizes, the marginal soft-argmax in closed form, any fitting picture size."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.selfsup import BODY17, PoseReader, SkeletonPainter, as_picture, draw_skeleton, marginal_soft_argmax


def _count(module):
    return sum(p.numel() for p in module.parameters())


def test_published_parameter_counts():
    with torch.device("meta"):
        assert _count(SkeletonPainter()) == 3_124_801
        assert _count(PoseReader(32)) == 1_181_184 and _count(PoseReader(17)) == 1_177_329


def test_published_map_sizes():
    with torch.device("meta"):
        maps = PoseReader(17).encoder(torch.empty(2, 1, 128, 128))
    assert [tuple(m.shape[1:]) for m in maps] == [(32, 128, 128), (64, 64, 64), (128, 32, 32), (256, 16, 16)]


@pytest.mark.parametrize("size", [16, 24, 64])
@pytest.mark.parametrize("painter", ["decoder", "encoder"])
def test_pictures_keep_their_size(size, painter):
    with torch.no_grad():
        picture = SkeletonPainter(4, painter)(torch.rand(2, 3, size, size))
        assert picture.shape == (2, 1, size, size)
        assert PoseReader(5, 4)(picture).shape == (2, 5, 2)


def test_the_encoder_reading_has_no_decoder():
    assert not list(SkeletonPainter(8, "encoder").steps)


def test_start_is_keypoint_gans():
    torch.manual_seed(0)
    painter = SkeletonPainter(16)
    weight = painter.encoder.stages[3][1][0].weight
    norm = painter.encoder.stages[3][1][1]
    assert weight.std().item() == pytest.approx(0.02, rel=0.02) and norm.weight.mean().item() == pytest.approx(
        1, abs=0.01
    )
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.2) and not norm.bias.any()


def test_marginal_soft_argmax_by_loops():
    maps = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    found = marginal_soft_argmax(maps)
    for b in range(2):
        for j in range(3):
            across, down = maps[b, j].mean(0).exp(), maps[b, j].mean(1).exp()
            x = sum((2 * i / 6 - 1) * across[i] for i in range(7)) / across.sum()
            y = sum((2 * i / 4 - 1) * down[i] for i in range(5)) / down.sum()
            torch.testing.assert_close(found[b, j], torch.stack([x, y]))


def test_a_reader_learns_drawn_skeletons():
    """A few steps on one batch of drawings bring the read joints nearer."""
    torch.manual_seed(0)
    points = 0.6 * (2 * torch.rand(8, 17, 2) - 1)
    picture = as_picture(draw_skeleton(points, BODY17.links, 32))
    reader = PoseReader(17, 8)
    optimiser = torch.optim.Adam(reader.parameters(), 3e-3)
    errors = []
    for _ in range(60):
        error = (reader(picture) - points).square().mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        errors.append(error.item())
    assert errors[-1] < 0.5 * errors[0]


def test_wrong_pictures_are_refused():
    for network, shape in (
        (SkeletonPainter(4), (1, 3, 20, 20)), (SkeletonPainter(4), (1, 3, 8, 8)), (SkeletonPainter(4), (1, 1, 16, 16)),
        (SkeletonPainter(4), (1, 3, 16, 24)), (PoseReader(5, 4), (1, 3, 16, 16)), (PoseReader(5, 4), (1, 1, 20, 20)),
    ):  # fmt: skip
        with pytest.raises(PosebookError):
            network(torch.zeros(shape))
    with pytest.raises(PosebookError, match="painter must be"):
        SkeletonPainter(4, "transformer")
