"""The renderer against a per-pixel loop; its gradient against finite differences."""

import math

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.selfsup import as_picture, draw_skeleton

LINKS = ((0, 1), (1, 2), (1, 3), (3, 3))  # the last one has no length


def _looped(points, links, size, sigma, falloff):
    picture = torch.zeros(len(points), 1, size, size, dtype=torch.float64)
    for b in range(len(points)):
        for row in range(size):
            for column in range(size):
                x, y = 2 * column / (size - 1) - 1, 2 * row / (size - 1) - 1
                values = []
                for i, j in links:
                    (ax, ay), (bx, by) = points[b, i].tolist(), points[b, j].tolist()
                    dx, dy = bx - ax, by - ay
                    t = ((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-6)
                    t = min(max(t, 0.0), 1.0)
                    d2 = (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2
                    distance = math.sqrt(d2 + 1e-6) if falloff == "distance" else d2
                    values.append(math.exp(-distance / sigma**2))
                picture[b, 0, row, column] = max(values)
    return picture


@pytest.mark.parametrize("falloff", ["distance", "squared"])
def test_every_pixel_is_that_of_a_loop(falloff):
    points = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = draw_skeleton(points, LINKS, 17, sigma=0.3, falloff=falloff)
    torch.testing.assert_close(found, _looped(points, LINKS, 17, 0.3, falloff))


def test_gradient_is_that_of_finite_differences():
    points = 0.5 * torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weights = torch.rand(2, 1, 12, 12, dtype=torch.float64)
    value = lambda p: (draw_skeleton(p, LINKS, 12) * weights).sum()  # noqa: E731
    points.requires_grad_()
    (gradient,) = torch.autograd.grad(value(points), points)
    for index in torch.cartesian_prod(torch.arange(2), torch.arange(4), torch.arange(2)).tolist():
        step = torch.zeros_like(points)
        step[tuple(index)] = 1e-6
        with torch.no_grad():
            difference = (value(points + step) - value(points - step)) / 2e-6
        assert gradient[tuple(index)].item() == pytest.approx(difference.item(), rel=1e-4, abs=1e-6)


def test_published_brightness():
    """Peak 0.971 on a pixel; half as bright 0.0277 away (specs/selfsup.md 1.3)."""
    for away, value in ((0.0, 0.971 / math.exp(-math.sqrt(1e-6) / 0.04) * math.exp(-0.025)), (0.0277, 0.5)):
        points = torch.tensor([[[-1.0, -1 + away], [1.0, -1 + away]]], dtype=torch.float64)
        corner = draw_skeleton(points, [(0, 1)], 33)[0, 0, 0, 0].item()
        assert corner == pytest.approx(math.exp(-math.sqrt(away**2 + 1e-6) / 0.04), rel=1e-9)
        assert corner == pytest.approx(value, abs=0.01)
    assert as_picture(torch.tensor([0.0, 1.0])).tolist() == [-1, 1]


def test_x_runs_right_and_y_down():
    dot = torch.tensor([[[0.5, -1.0], [0.5, -1.0]]])
    picture = draw_skeleton(dot, [(0, 1)], 9)[0, 0]
    assert divmod(int(picture.argmax()), 9) == (0, 6)


def test_a_limb_of_no_length_has_a_finite_gradient():
    points = torch.zeros(1, 2, 2, requires_grad=True)
    draw_skeleton(points, [(0, 1)], 9).sum().backward()
    assert points.grad.isfinite().all()


def test_wrong_arguments_are_refused():
    good = torch.zeros(1, 4, 2)
    for points, links, options in (
        (good[0], LINKS, {}), (good.long(), LINKS, {}), (good, [(0, 4)], {}), (good, [], {}),
        (good, LINKS, {"falloff": "cubic"}),
    ):  # fmt: skip
        with pytest.raises(PosebookError):
            draw_skeleton(points, links, 8, **options)
