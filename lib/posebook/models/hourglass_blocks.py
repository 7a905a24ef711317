"""Building blocks of the stacked hourglass: residual, hourglass, stem.

Source: specs/c2f.md section 2. All convolutions have biases; weights keep torch's default initialisation.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    """Pre-activation bottleneck: y = skip(x) + conv1x1(conv3x3(conv1x1(x))), BN-ReLU before every convolution.

    The skip is the identity if the widths agree, else a bare 1x1 convolution (no BN). Nothing follows the sum.
    """

    def __init__(self, width_in: int, width_out: int):
        super().__init__()
        half = width_out // 2
        self.norm1, self.conv1 = nn.BatchNorm2d(width_in), nn.Conv2d(width_in, half, 1)
        self.norm2, self.conv2 = nn.BatchNorm2d(half), nn.Conv2d(half, half, 3, padding=1)
        self.norm3, self.conv3 = nn.BatchNorm2d(half), nn.Conv2d(half, width_out, 1)
        self.skip = nn.Identity() if width_in == width_out else nn.Conv2d(width_in, width_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, H, W) -> (B, width_out, H, W)."""
        y = self.conv1(F.relu(self.norm1(x), inplace=True))
        y = self.conv2(F.relu(self.norm2(y), inplace=True))
        y = self.conv3(F.relu(self.norm3(y), inplace=True))
        return y + self.skip(x)


def residuals(*widths: int) -> nn.Sequential:
    """Chain residual blocks along the given widths: (a, b, c) is a -> b -> c."""
    return nn.Sequential(*(Residual(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True)))


def lin(width_in: int, width_out: int) -> nn.Sequential:
    """Torch7's `lin`: 1x1 convolution, BN, ReLU."""
    return nn.Sequential(nn.Conv2d(width_in, width_out, 1), nn.BatchNorm2d(width_out), nn.ReLU(inplace=True))


class Hourglass(nn.Module):
    """One hourglass: y = upper(x) + up2(after(inner(lower(pool(x))))), the inner part being the next level.

    Family A widens from `width` to twice that on the way up; family B keeps one width with `modules` residuals
    everywhere (specs/c2f.md section 2, table).
    """

    def __init__(self, family: str, levels: int, width_in: int, width: int, modules: int):
        super().__init__()
        w = width
        if family == "A":
            self.upper, self.lower = residuals(width_in, w, w, 2 * w), residuals(width_in, w, w, w)
            innermost, self.after = (w, 2 * w), residuals(2 * w, 2 * w)
        else:
            plain = (w,) * (modules + 1)
            self.upper, self.lower = residuals(*plain), residuals(*plain)
            innermost, self.after = plain, residuals(*plain)
        self.inner = Hourglass(family, levels - 1, w, w, modules) if levels > 1 else residuals(*innermost)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width_in, H, W) -> (B, width or 2 width, H, W); H and W divisible by 2^levels."""
        y = self.after(self.inner(self.lower(F.max_pool2d(x, 2))))
        return self.upper(x) + F.interpolate(y, scale_factor=2, mode="nearest")


class Stem(nn.Module):
    """Image to a quarter of its size: 7x7/2, residual, 2x2 max-pool (tensor P), residuals.

    Returns (x, pooled): x (B, width, H/4, W/4) enters the first hourglass, pooled (B, width/2, H/4, W/4) is P.
    """

    def __init__(self, family: str, width: int):
        super().__init__()
        quarter, half = width // 4, width // 2
        self.conv = nn.Conv2d(3, quarter, 7, stride=2, padding=3)
        self.norm = nn.BatchNorm2d(quarter)
        self.before_pool = Residual(quarter, half)
        self.after_pool = residuals(*((half,) * (3 if family == "A" else 2)), width)  # the paper's nets: one more

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in [0, 1] -> x, P."""
        x = self.before_pool(F.relu(self.norm(self.conv(image)), inplace=True))  # (B, width/2, H/2, W/2)
        pooled = F.max_pool2d(x, 2)
        return self.after_pool(pooled), pooled
