"""The shape space: principal components of T-posed people, ten betas of unit variance."""

from typing import NamedTuple

import numpy as np


class ShapeSpace(NamedTuple):
    """v(beta) = mean + sum_k beta_k directions_k, metres."""

    mean: np.ndarray  # (V, 3)
    directions: np.ndarray  # (V, 3, K), one standard deviation each
    explained: np.ndarray  # (K,) share of the total variance


def principal_components(people: np.ndarray, count: int) -> ShapeSpace:
    """PCA by the eigenvectors of the people's Gram matrix, X X^T = U S^2 U^T, directions = X^T U / sqrt(P - 1).

    The sign of each component is fixed: beta_k > 0 makes people taller (its y-spread grows).

    Args:
        people: (P, V, 3) float64, metres, each with the pelvis at the origin.
        count: K.
    """
    mean = people.mean(0)
    centred = (people - mean).reshape(len(people), -1)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    values, vectors = values[::-1][:count], vectors[:, ::-1][:, :count]
    directions = (centred.T @ vectors / np.sqrt(len(people) - 1)).reshape(*mean.shape, count)
    crown, sole = mean[:, 1].argmax(), mean[:, 1].argmin()
    sign = np.where(directions[crown, 1] >= directions[sole, 1], 1.0, -1.0)
    total = (centred**2).sum()
    return ShapeSpace(mean, directions * sign, values / total)


def project(space: ShapeSpace, people: np.ndarray) -> np.ndarray:
    """Betas of T-posed people: beta_k = d_k . (v - mean) / |d_k|^2. People (P, V, 3), pelvis at the origin; (P, K)."""
    flat = space.directions.reshape(-1, space.directions.shape[-1])
    centred = (people - space.mean).reshape(len(people), -1)
    return centred @ flat / (flat**2).sum(0)


def reconstruct(space: ShapeSpace, betas: np.ndarray) -> np.ndarray:
    """Vertices (P, V, 3) of betas (P, K)."""
    return space.mean + np.einsum("pk,vck->pvc", betas, space.directions)
