"""A training that was killed goes on to the same bits, and a checkpoint is taken for its own training only."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from posebook import checkpoint
from posebook.errors import PosebookError
from posebook.train import Budget, fit, seed_everything

STEPS = 60


class Noisy(torch.nn.Module):
    """Everything that has a state: weights, running means, dropout's generator."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(5, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.3), torch.nn.Linear(8, 1)
        )

    def forward(self, x):
        return self.net(x)


def train(path=None, stop=None, budget=None):
    """Train; `stop` = (step, what to call there). Returns history, weights and buffers."""
    seed_everything(3)
    model, seen = Noisy(), []
    x = torch.randn(64, 5, generator=torch.Generator().manual_seed(1))

    def loss(net, rows, generator):
        seen.append(rows)
        if stop and len(seen) > stop[0]:
            stop[1]()
        noise = torch.randn(len(rows), 1, generator=generator)
        return (net(x[rows]) - x[rows].sum(1, keepdim=True) - 0.1 * noise).square().mean()

    history = fit(model, loss, 64, budget or Budget(STEPS * 8, batch=8, learning_rate=0.01), 4, checkpoint=path)
    return history, model.state_dict(), len(seen)


def kill_myself():
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(autouse=True)
def always(monkeypatch):
    """Write at every record of the history."""
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)


def equal(a, b):
    same = all(torch.equal(a[1][name], b[1][name]) for name in a[1])
    return same and a[0].losses == b[0].losses and a[0].images == b[0].images


def test_a_killed_training_continues_to_the_same_numbers(tmp_path):
    """The process is killed without a chance to tidy up; another one goes on."""
    path = tmp_path / "half.pt"
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "import test_checkpoint as t\nfrom posebook import checkpoint\ncheckpoint.SECONDS = 0.0\n"
        f"t.train({str(path)!r}, (37, t.kill_myself))\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()[-2000:]
    assert [p.name for p in tmp_path.iterdir()] == ["half.pt"]  # nothing half-written
    resumed = train(path)
    assert 0 < resumed[2] <= STEPS - 30  # the steps before the last record are not done again
    assert equal(resumed, train())


def test_an_error_in_the_middle_costs_nothing_either(tmp_path):
    def fail():
        raise RuntimeError("no more memory")

    path = tmp_path / "half.pt"
    for step in (11, 12, 13):  # interrupted again and again
        with pytest.raises(RuntimeError, match="no more memory"):
            train(path, (step, fail))
    assert equal(train(path), train())


class Critic:
    """A network beside the model: its own optimiser, and a step that waits for the next batch."""

    def __init__(self):
        self.net = torch.nn.Linear(1, 1)
        self.optimizer = torch.optim.Adam(self.net.parameters(), 0.01)
        self.waiting = None

    def score(self, answer):
        if self.waiting is not None:
            self.optimizer.zero_grad()
            (self.net(self.waiting) - 1).square().mean().backward()
            self.optimizer.step()
        self.waiting = answer.detach()
        return self.net(answer).square().mean()

    def state_dict(self):
        return {"net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "waiting": self.waiting}

    def load_state_dict(self, state):
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.waiting = state["waiting"]


def train_with_critic(path=None, stop=STEPS, named=True):
    """Train against a critic; `stop`: the step before which it fails. Returns weights of both."""
    seed_everything(3)
    model, critic, seen = Noisy(), Critic(), []
    x = torch.randn(64, 5, generator=torch.Generator().manual_seed(1))

    def loss(net, rows, _):
        seen.append(1)
        if len(seen) > stop:
            raise RuntimeError("no more memory")
        answer = net(x[rows])
        return answer.square().mean() + critic.score(answer)

    also = (critic,) if named else ()
    fit(model, loss, 64, Budget(STEPS * 8, 8, 0.01), 4, checkpoint=path, also=also)
    return model.state_dict() | {f"critic.{name}": value for name, value in critic.net.state_dict().items()}


def same(one, two):
    return all(torch.equal(one[name], two[name]) for name in one)


def test_what_changes_beside_the_model_goes_on_to_the_same_bits(tmp_path):
    path = tmp_path / "half.pt"
    whole = train_with_critic()
    with pytest.raises(RuntimeError, match="no more memory"):
        train_with_critic(path, 37)
    assert torch.load(path, weights_only=True)["also"][0]["waiting"].shape == (8, 1)
    assert same(whole, train_with_critic(path))
    with pytest.raises(RuntimeError, match="no more memory"):
        train_with_critic(tmp_path / "lost.pt", 37, named=False)
    assert not same(whole, train_with_critic(tmp_path / "lost.pt", named=False))  # this critic would tell


def test_a_checkpoint_without_what_changes_beside_the_model_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="no more memory"):
        train_with_critic(tmp_path / "half.pt", 37, named=False)
    with pytest.raises(PosebookError, match="another training.*Critic.*Delete the file"):
        train_with_critic(tmp_path / "half.pt")


def test_keeping_a_checkpoint_changes_no_number(tmp_path):
    assert equal(train(tmp_path / "kept.pt"), train())
    done = train(tmp_path / "kept.pt")  # the last record is the end
    assert done[2] == 0 and equal(done, train())


def test_a_short_training_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS", 3600.0)
    train(tmp_path / "kept.pt")
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    train(tmp_path / "kept.pt")
    with pytest.raises(PosebookError, match="another training.*learning_rate"):
        train(tmp_path / "kept.pt", budget=Budget(STEPS * 8, batch=8, learning_rate=0.02))


def test_a_damaged_checkpoint_says_so(tmp_path):
    path = tmp_path / "kept.pt"
    train(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(PosebookError, match="cannot be read.*Delete it"):
        train(path)
