"""The way back from a coarse mesh to the full one: a sparse affine map learned on people at rest and in motion."""

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

NEIGHBOURS = 10  # coarse vertices that write one full vertex
RIDGE = 1e-5  # square metres; holds weights near the barycentric ones and keeps noise from being amplified


def fit_upsampling(coarse: np.ndarray, full: np.ndarray, start: sp.csr_matrix) -> sp.csr_matrix:
    """For each full vertex, min_w mean_p |sum_i w_i x_pi - y_p|^2 + RIDGE |w - w_start|^2 with sum w = 1.

    With sum w = 1 the residual is sum_i w_i (x_pi - y_p), so each vertex is one small linear system.

    Args:
        coarse: (P, v, 3) vertices of people on the coarse mesh, metres.
        full: (P, V, 3) the same people on the full mesh; person 0 decides who is near.
        start: (V, v) barycentric map.

    Returns:
        (V, v) sparse, rows sum to 1; weights may be negative (a vertex can lie above its coarse triangle).
    """
    near = cKDTree(coarse[0]).query(full[0], k=NEIGHBOURS)[1]  # (V, k)
    rows = np.arange(full.shape[1])
    initial = np.stack([np.asarray(start[rows, near[:, i]]).ravel() for i in range(NEIGHBOURS)], axis=1)
    system = np.zeros((full.shape[1], NEIGHBOURS, NEIGHBOURS))
    for x, y in zip(coarse, full, strict=True):
        difference = x[near] - y[:, None]  # (V, k, 3)
        system += difference @ difference.transpose(0, 2, 1) / len(full)
    system += RIDGE * np.eye(NEIGHBOURS)
    # Lagrange: w = A^-1 (r + m 1) with m such that sum w = 1.
    right = np.stack([RIDGE * initial, np.ones_like(initial)], axis=-1)  # (V, k, 2)
    free, one = np.moveaxis(np.linalg.solve(system, right), -1, 0)
    weights = free + one * ((1 - free.sum(1)) / one.sum(1))[:, None]
    return sp.csr_matrix((weights.ravel(), (np.repeat(rows, NEIGHBOURS), near.ravel())), shape=start.shape)
