"""The training loop against closed forms."""

import os

import numpy as np
import pytest
import torch

from posebook import checkpoint
from posebook.launch import Launch, launched
from posebook.train import Budget, fit, index_batches, make_fabric, one_cycle, seed_everything


def test_learns_the_least_squares_solution():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(256, 4, generator=generator)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5], [3.0]]) + 0.7 + 0.1 * torch.randn(256, 1, generator=generator)
    design = torch.cat([x, torch.ones(256, 1)], 1)
    expected = torch.linalg.lstsq(design, y).solution.flatten()
    seed_everything(0)
    model = torch.nn.Linear(4, 1)

    def loss(net, rows, _):
        return (net(x[rows]) - y[rows]).square().mean()

    history = fit(model, loss, 256, Budget(60000, batch=64, learning_rate=0.05), seed=1)
    found = torch.cat([model.weight.flatten(), model.bias]).detach()
    torch.testing.assert_close(found, expected, atol=0.01, rtol=0)
    assert history.losses[-1] < history.losses[0] and history.images[-1] == 60032
    assert not model.training


def test_same_seed_same_weights():
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))

    def run(seed):
        seed_everything(seed)
        model = torch.nn.Linear(3, 1)
        fit(
            model,
            lambda net, rows, g: (net(x[rows]) - torch.rand(1, generator=g)).square().mean(),
            64,
            Budget(640),
            seed,
        )
        return model.weight.detach()

    assert torch.equal(run(3), run(3)) and not torch.equal(run(3), run(4))


def test_every_row_once_per_pass():
    rows = np.concatenate(list(index_batches(50, Budget(200, batch=10), seed=2)))
    assert len(rows) == 200
    for start in range(0, 200, 50):
        assert sorted(rows[start : start + 50]) == list(range(50))


def test_learning_rate_cycle():
    factors = [one_cycle(s, 100) for s in range(100)]
    assert factors[9] == 1.0 and factors[0] == pytest.approx(0.1) and factors[-1] < 0.001
    assert factors[55] == pytest.approx(0.5 * (1 + np.cos(np.pi * 45 / 90)))


@pytest.mark.parametrize("apart", [True, False])
def test_gradients_are_clipped_of_each_network_or_of_all_together(apart):
    """One network's gradient is 1000, the other's 0.5, the limit is 1."""
    torch.manual_seed(0)
    model = torch.nn.ModuleList([torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False)])
    seen = []

    def loss(net, rows, _):
        seen.append([None if part.weight.grad is None else part.weight.grad.item() for part in model])
        return 1000 * model[0].weight.sum() + 0.5 * model[1].weight.sum() + 0 * len(rows)

    fit(model, loss, 8, Budget(24, batch=8), parts=tuple(model) if apart else ())
    expected = (1.0, 0.5) if apart else (1.0, 0.5 / 1000)
    assert seen[-1] == pytest.approx(expected, rel=1e-3)


def test_posebook_train_keeps_its_checkpoint_in_its_own_folder(tmp_path, monkeypatch):
    """A notebook's half-done training of another precision is neither gone on with nor touched, nor the reverse."""
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    path, folder, steps = tmp_path / "notebook.pt", tmp_path / "launched", []

    def train(stop=10):
        seed_everything(0)
        model = torch.nn.Linear(1, 1)
        steps.clear()

        def loss(net, rows, _):
            steps.append(1)
            if len(steps) > stop:
                raise KeyboardInterrupt
            return net(torch.ones(len(rows), 1)).square().mean()

        fit(model, loss, 8, Budget(80, batch=8), description="volume {1,16}", checkpoint=path)
        return model.weight.detach()

    launch = Launch(make_fabric(), {"precision": "32-true", "shards": ""}, 0.0, folder=folder)
    with pytest.raises(KeyboardInterrupt):
        train(stop=4)
    kept = path.read_bytes()
    with launched(launch), pytest.raises(KeyboardInterrupt):
        train(stop=6)
    assert len(steps) == 7 and path.read_bytes() == kept and [*folder.glob("*.pt")] == [folder / "volume-1-16.last.pt"]
    notebook, went_on = train(), len(steps)
    with launched(launch):
        assert torch.equal(train(), notebook) and (went_on, len(steps)) == (6, 4)
    path.unlink()
    assert torch.equal(train(), notebook) and len(steps) == 10


def test_one_device_does_not_look_for_slurm(monkeypatch, tmp_path, recwarn):
    srun = tmp_path / "srun"
    srun.write_text("#!/bin/sh\n")
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    fabric = make_fabric("cpu")
    assert (fabric.world_size, fabric.global_rank) == (1, 0)
    assert not [w for w in recwarn.list if "srun" in str(w.message)]  # it would stand in a notebook's output
