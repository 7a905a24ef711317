"""Parts of batches, draws, weights and statistics over processes, against the whole batch in one process."""

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
from lightning_fabric import Fabric
from ports import free_ports
from torch import nn

from posebook.errors import PosebookError
from posebook.ranks import Ranks, part_of, rand_rows, taking
from posebook.shared_norm import SharedBatchNorm1d, own_norms, shared_norms


@pytest.mark.parametrize("total", [1, 5, 16, 17])
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_parts_cover_a_batch_once_and_differ_by_a_row_at_most(total, ranks):
    parts = [part_of(total, rank, ranks) for rank in range(ranks)]
    assert [i for part in parts for i in range(part.start, part.stop)] == list(range(total))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_a_row_gets_the_same_draw_in_whichever_process_it_is():
    def draw(part=None):
        generator = torch.Generator().manual_seed(5)
        options = {"generator": generator, "device": torch.device("cpu")}
        if part is None:
            found = rand_rows(7, 3, **options)
        else:
            with taking(part):
                found = rand_rows(part.stop - part.start, 3, **options)
        return found, torch.rand(1, generator=generator)  # generators stay in step

    whole, after = draw()
    parts = [draw(part_of(7, rank, 3)) for rank in range(3)]
    assert torch.equal(torch.cat([found for found, _ in parts]), whole)
    assert all(torch.equal(later, after) for _, later in parts)


def test_draws_for_other_rows_are_refused():
    with taking(part_of(7, 0, 2)), pytest.raises(ValueError, match="for the 4 rows of this process, got 7"):
        rand_rows(7, generator=torch.Generator(), device=torch.device("cpu"))


def test_more_processes_than_rows_are_refused():
    ranks = Ranks(Fabric(accelerator="cpu", devices=1))
    ranks.count = 3
    with pytest.raises(PosebookError, match="batch of 2 cannot be split over 3 processes.*--devices"):
        ranks.part(2)


class Net(nn.Module):
    """Batch norms of both kinds between other layers."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)
        self.fc, self.norm1 = nn.Linear(12, 5), nn.BatchNorm1d(5, momentum=None)

    def forward(self, x):
        return self.norm1(self.fc(torch.tanh(self.norm(self.conv(x))).flatten(1)))


def learn(rank=0, count=1):
    """Loss, gradients and buffers of one process after two passes over 5 pictures: parts of 3 and 2 rows."""
    torch.manual_seed(0)
    net, x = Net().double(), torch.randn(5, 2, 4, 4, dtype=torch.float64)
    y = torch.randn(5, 5, dtype=torch.float64)
    part = part_of(5, rank, count)
    if count > 1:
        shared_norms(net)
    for _ in range(2):
        net.zero_grad()
        loss = (net(x[part.start : part.stop]) - y[part.start : part.stop]).square().mean()
        loss = loss * ((part.stop - part.start) * count / 5)
        loss.backward()
    own_norms(net)
    assert type(net.norm) is nn.BatchNorm2d and type(net.norm1) is nn.BatchNorm1d
    return loss.detach(), {n: p.grad for n, p in net.named_parameters()}, dict(net.named_buffers())


def process(rank, port, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", world_size=2, rank=rank)
    torch.save(learn(rank, 2), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


def test_uneven_parts_give_the_loss_gradients_and_statistics_of_the_whole_batch(tmp_path):
    mp.spawn(process, (*free_ports(1), str(tmp_path)), nprocs=2)
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    loss, gradients, buffers = learn()
    close = {"rtol": 1e-9, "atol": 1e-12}
    torch.testing.assert_close((parts[0][0] + parts[1][0]) / 2, loss, **close)
    for name, expected in gradients.items():
        torch.testing.assert_close((parts[0][1][name] + parts[1][1][name]) / 2, expected, msg=name, **close)
    for part in parts:
        for name, expected in buffers.items():
            torch.testing.assert_close(part[2][name], expected, msg=name, **close)


def test_a_shared_norm_is_torchs_own_where_it_does_not_learn():
    ordinary, shared = nn.BatchNorm1d(3), SharedBatchNorm1d(3)
    x = torch.randn(4, 3)
    assert torch.equal(ordinary(x), shared(x))  # no process group: one process
    assert torch.equal(ordinary.eval()(x), shared.eval()(x))
    assert ordinary.state_dict().keys() == shared.state_dict().keys()
    np.testing.assert_array_equal(ordinary.running_var.numpy(), shared.running_var.numpy())
