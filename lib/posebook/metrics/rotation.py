"""The proper rotation nearest to a 3x3 matrix, in closed form for many matrices at once.

Matrices are (3, 3, n), one per frame along the last dimension (structure of arrays), float64; rotations act on column
vectors and have determinant +1.
"""

import math

import torch
from torch import Tensor

NEWTON_STEPS = 2  # the start is right to about 1e-8; each step doubles the digits
LARGEST_MOVE = 1e-4  # Newton from there moves further only off a double root, where it is noise over noise
AMBIGUOUS_ZETA = 1e-3  # below: the best rotation is nearly not unique and the closed form loses digits


def optimal_rotation(b: Tensor) -> Tensor:
    """Proper rotation R that maximises trace(R^T B), frame by frame.

    With |B| = 1 and l = s1 + s2 + sign(det B) s3 (singular values), k = (l^2 - 1) / 2, z = k l - det B:
    R = ((k + 1) B + l cof B - B B^T B) / z, where l is the largest root of l^4 - 2 l^2 - 8 det(B) l + 1 - 4 |cof B|^2.
    z = (s1 + s2) (s2 + s3') (s3' + s1), s3' with its sign, measures how unique R is; frames below AMBIGUOUS_ZETA
    (collinear, or mirrored and symmetric) go to a float64 SVD instead.

    Args:
        b: (3, 3, n) float64, sum over points of target x prediction^T.

    Returns:
        (3, 3, n).

    Source: Markley, "Attitude determination using vector observations: a fast optimal matrix algorithm", 1993.
    """
    norm = b.square().sum((0, 1)).sqrt()
    m = b / norm
    cof = _cofactors(m)
    det = (m[0] * cof[0]).sum(0)
    largest, moved = _largest_root(det, cof.square().sum((0, 1)))
    kappa = (largest * largest - 1) / 2
    zeta = kappa * largest - det
    cubic = _times(_times(m, m.transpose(0, 1)), m)
    rotation = ((kappa + 1) * m + largest * cof - cubic) / zeta
    hard = ~(
        (zeta > AMBIGUOUS_ZETA) & (moved < LARGEST_MOVE)
    )  # also catches NaN, so zero matrices and broken input end up here
    return _fill_by_svd(rotation, b, hard) if hard.any() else rotation


def _cofactors(m: Tensor) -> Tensor:
    """Cofactor matrix of (3, 3, n): each row is the cross product of the other two."""
    tiled = m.repeat(2, 2, 1)  # (6, 6, n): cyclic neighbours become slices
    one, two = slice(1, 4), slice(2, 5)
    return tiled[one, one] * tiled[two, two] - tiled[one, two] * tiled[two, one]


def _times(a: Tensor, b: Tensor) -> Tensor:
    return (a[:, 0, None] * b[0]).addcmul_(a[:, 1, None], b[1]).addcmul_(a[:, 2, None], b[2])  # (3, 3, n)


def _largest_root(det: Tensor, cof2: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of singular values, the last with det's sign, of matrices of norm 1 from det and cof2 = |cof|^2, all (n,).

    Squared singular values are the roots of x^3 - x^2 + cof2 x - det^2: by Viete's cosines, then polished by Newton on
    the quartic, which keeps the digits that the square roots lose. Also returns how far Newton went.
    """
    p = ((1 - 3 * cof2).clamp_(min=1e-30) / 9).sqrt()
    angle = ((2 - 9 * cof2 + 27 * det * det) / (54 * p * p * p)).clamp_(-1, 1).acos() / 3
    first = 1 / 3 + 2 * p * angle.cos()
    third = 1 / 3 + 2 * p * (angle + 2 * math.pi / 3).cos()
    last = third.clamp(min=0).sqrt().copysign(det)
    start = first.sqrt() + (1 - first - third).clamp_(min=0).sqrt() + last
    root, c1, c0 = start, -8 * det, 1 - 4 * cof2
    for _ in range(NEWTON_STEPS):
        square = root * root
        root = root - (square * (square - 2) + c1 * root + c0) / (4 * root * (square - 1) + c1)
    return root, (root - start).abs()


def _fill_by_svd(rotation: Tensor, b: Tensor, hard: Tensor) -> Tensor:
    """Replace the frames marked `hard` (n,) by R = U diag(1, 1, det(U V^T)) V^T; frames with NaN stay NaN."""
    rows = hard.nonzero()[:, 0]
    finite = b[:, :, rows].isfinite().all(0).all(0)
    rotation[:, :, rows[~finite]] = float("nan")
    rows = rows[finite]
    u, _, vh = torch.linalg.svd(b[:, :, rows].permute(2, 0, 1))  # (m, 3, 3)
    sign = torch.ones_like(u[:, 0])
    sign[:, 2] = torch.linalg.det(u @ vh).sign()
    rotation[:, :, rows] = ((u * sign[:, None]) @ vh).permute(1, 2, 0)
    return rotation
