"""The prior of 2D poses: principal components, whitened or not, and a flow over them.

Whitening divides each coefficient by its standard deviation. The deviations fall from 0.055 to 0.002, and a flow that
starts at the identity otherwise spends its training on learning scales (specs/selfsup.md 4). It is an affine change, so
adding sum(log deviation) keeps likelihoods comparable; `whiten=False` is ElePose's.
"""

import math

import torch
from torch import Tensor, nn

from posebook.errors import PosebookError
from posebook.models.selfsup.flow import Flow
from posebook.models.selfsup.pca import PoseBasis, fit_basis
from posebook.models.selfsup.poses import axis_major, check_prior, check_shape, joint_major
from posebook.models.selfsup.structure import Structure


class PosePrior(nn.Module):
    """Density of normalised 2D poses (B, J, 2), within the span of the first K principal components.

    Args:
        structure: of J joints; K is its `coefficients` unless given.
        whiten: see above.
        hidden, blocks, seed: of the flow.
        coefficients: K.

    The basis is stored with the weights; `fit_basis` sets it, or `load_state_dict`.
    """

    def __init__(self, structure: Structure, whiten: bool = True, hidden: int = 1024, blocks: int = 8,
                 coefficients: int | None = None, seed: int = 0):  # fmt: skip
        super().__init__()
        self.structure, self.whiten = structure, whiten
        count, numbers = coefficients or structure.coefficients, 2 * len(structure.joints)
        self.flow = Flow(count, blocks, hidden, seed)
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("components", torch.zeros(count, numbers))
        self.register_buffer("deviation", torch.ones(count))

    def fit_basis(self, poses: Tensor) -> "PosePrior":
        """Set the basis from a training set (N, J, 2); the flow keeps its weights.

        Raises:
            PosebookError: poses that cannot be the structure's (see `check_prior`), or too few.
        """
        check_prior(poses, self.structure)
        return self.set_basis(fit_basis(poses, self.flow.count))

    def set_basis(self, basis: PoseBasis) -> "PosePrior":
        """Set the basis.

        Raises:
            PosebookError: other sizes.
        """
        for name, value in basis._asdict().items():
            own = getattr(self, name)
            if own.shape != value.shape:
                raise PosebookError(f"{name} must be {tuple(own.shape)}, got {tuple(value.shape)}.")
            own.copy_(value)
        return self

    def coefficients(self, poses: Tensor) -> Tensor:
        """(B, J, 2) -> what the flow reads, (B, K)."""
        check_shape(poses, self.structure)
        if not bool(self.components.any()):
            raise PosebookError("The prior has no basis yet: call `fit_basis` or load a trained one.")
        values = (axis_major(poses) - self.mean) @ self.components.T
        return values / self.deviation if self.whiten else values

    def poses(self, coefficients: Tensor) -> Tensor:
        """Inverse of `coefficients` within the span: (B, K) -> (B, J, 2)."""
        values = coefficients * self.deviation if self.whiten else coefficients
        return joint_major(self.mean + values @ self.components)

    def forward(self, poses: Tensor) -> Tensor:
        """Negative log-likelihood without its constant, 0.5 |z|^2 - log|det|, ElePose's loss: (B, J, 2) -> (B,).

        log|det| includes the whitening, so both modes are on one scale.
        """
        z, log_det = self.flow(self.coefficients(poses))
        negative = 0.5 * z.square().sum(1) - log_det
        return negative + self.deviation.log().sum() if self.whiten else negative

    def log_likelihood(self, poses: Tensor) -> Tensor:
        """Natural logarithm of the density of the K unwhitened coefficients: (B, J, 2) -> (B,)."""
        return -self(poses) - 0.5 * self.flow.count * math.log(2 * math.pi)

    def latent(self, poses: Tensor) -> Tensor:
        """(B, J, 2) -> z (B, K), standard normal for poses like the training set's."""
        return self.flow(self.coefficients(poses)).values

    def decode(self, z: Tensor) -> Tensor:
        """z (B, K) -> (B, J, 2)."""
        return self.poses(self.flow.inverse(z).values)

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw poses (count, J, 2). The generator must be on the prior's device."""
        z = torch.randn(count, self.flow.count, generator=generator, device=self.mean.device)
        return self.decode(z.to(self.mean))
