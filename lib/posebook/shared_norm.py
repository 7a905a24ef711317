"""Batch normalisation over several processes: the statistics are those of the whole batch, as one process has them.

torch's own SyncBatchNorm does the same but refuses the CPU, where it could be compared with one process; this one is
plain torch and runs on both. Parts may differ in size: sums and counts are added up, not means.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn


class _Sum(torch.autograd.Function):
    """Sum over the processes; what each one's summand is worth is the sum of what the sum is worth to them."""

    @staticmethod
    def forward(ctx, mine: Tensor) -> Tensor:
        total = mine.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, worth: Tensor) -> Tensor:
        total = worth.contiguous().clone()
        dist.all_reduce(total)
        return total


class _Shared:
    """Forward pass of a batch norm in training mode; in eval mode the ordinary one."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, ...) of this process' part -> the same, normalised over the batch of all processes."""
        if not self.training or not dist.is_initialized():
            return super().forward(x)
        axes, shape = [0, *range(2, x.ndim)], [1, -1, *[1] * (x.ndim - 2)]
        wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        own = x.numel() / x.shape[1]
        sums = _Sum.apply(torch.cat((wide.sum(axes), wide.new_tensor([own]))))
        count = sums[-1].detach()
        mean = sums[:-1] / count
        centred = wide - mean.view(shape)
        variance = _Sum.apply(centred.square().sum(axes)) / count
        self._follow(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale.view(shape) + self.bias.view(shape)).to(x.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


class SharedBatchNorm1d(_Shared, nn.BatchNorm1d):
    """`nn.BatchNorm1d` over all processes."""


class SharedBatchNorm2d(_Shared, nn.BatchNorm2d):
    """`nn.BatchNorm2d` over all processes."""


SHARED = {nn.BatchNorm1d: SharedBatchNorm1d, nn.BatchNorm2d: SharedBatchNorm2d}


def shared_norms(model: nn.Module) -> None:
    """Let every batch norm of a model share its statistics.

    The modules stay the objects that they are, with their weights and buffers: others may hold them too.
    """
    for module in model.modules():
        module.__class__ = SHARED.get(type(module), type(module))


def own_norms(model: nn.Module) -> None:
    """Undo `shared_norms`."""
    ordinary = {shared: plain for plain, shared in SHARED.items()}
    for module in model.modules():
        module.__class__ = ordinary.get(type(module), type(module))
