"""One process that does the arithmetic of two: every batch in two parts, whose gradients are added up.

The parts meet within the network too, in the batch norms that share their statistics. So each part runs in a thread of
its own, and what processes would exchange, the threads do. Autograd runs a CPU's backward pass in the thread that asks.
"""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import torch

from posebook import shared_norm
from posebook.ranks import part_of, taking
from posebook.train import one_cycle

RANKS = (0, 1)


class Exchange:
    """In the place of `torch.distributed` for two threads."""

    def __init__(self):
        self.barrier, self.given, self.mine = (
            threading.Barrier(len(RANKS), timeout=600),
            [None, None],
            threading.local(),
        )

    def is_initialized(self):
        return True

    def all_reduce(self, tensor):
        self.given[self.mine.rank] = tensor.clone()
        self.barrier.wait()
        total = self.given[0] + self.given[1]
        self.barrier.wait()  # nobody gives the next one before both have taken this one
        tensor.copy_(total)


def losses_of_halves(model, loss, batches, budget):
    """Losses of every step; the model is trained in place.

    Args:
        model, loss, budget: as for `posebook.train.fit`. batches: row numbers of every step.
    """
    shared_norm.dist = exchange = Exchange()
    model.to(memory_format=torch.channels_last).train()
    shared_norm.shared_norms(model)
    twin = copy.deepcopy(model)
    generators = [torch.Generator().manual_seed(0) for _ in RANKS]
    optimizer = torch.optim.AdamW(model.parameters(), budget.learning_rate, weight_decay=budget.weight_decay)

    def backward(rank, rows):
        exchange.mine.rank, net = rank, (model, twin)[rank]
        part = part_of(len(rows), rank, len(RANKS))
        net.zero_grad()
        with taking(part):
            mean = loss(net, rows[part.start : part.stop], generators[rank])
        value = mean * ((part.stop - part.start) / len(rows))  # adds up to the mean over the batch
        value.backward()
        return value.detach()

    found = []
    with ThreadPoolExecutor(len(RANKS)) as threads:
        for step, rows in enumerate(batches):
            found.append(float(sum(threads.map(backward, RANKS, [rows, rows]))))
            for own, other in zip(model.parameters(), twin.parameters(), strict=True):
                if own.grad is not None:
                    own.grad += other.grad
            torch.nn.utils.clip_grad_norm_(model.parameters(), budget.clip_norm)
            optimizer.param_groups[0]["lr"] = budget.learning_rate * one_cycle(step, len(batches))
            optimizer.step()
            with torch.no_grad():
                for own, other in zip(model.parameters(), twin.parameters(), strict=True):
                    other.copy_(own)
    return found
