"""Each trouble of a cluster by a real scheduler and a real worker process that has it."""

import shutil
import site
import subprocess

import pytest
from distributed import Client

from posebook import project
from posebook.bench import cluster
from posebook.bench.cluster import connect, needs
from posebook.bench.grid import Grid, expand
from posebook.bench.preflight import preflight, shared_file
from posebook.bench.work import order
from posebook.errors import PosebookError
from tiny import chapter

from .conftest import LIBRARY

NAMESPACE = ("unshare", "--mount", "--map-root-user")


@pytest.fixture
def ask(tmp_path, scheduler, monkeypatch):
    """Ask the scheduler's workers whether they can run chapter 01; returns the results folder and the question."""
    (tmp_path / "clone").mkdir()
    chapter(tmp_path / "clone", "01")
    monkeypatch.setattr(project, "project_root", lambda: tmp_path / "clone")
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    results = tmp_path / "results"

    def question() -> None:
        runs = expand(Grid(profiles=["smoke"], device="cpu"), results)
        with Client(scheduler) as client, shared_file(results) as (shared, token):
            preflight(client, runs, order(runs, 1, shared), token)

    results.mkdir()
    return results, question


def test_an_unreachable_scheduler(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(PosebookError, match=r"No Dask scheduler answers at 'tcp://127.0.0.1:9'.*`dask scheduler`"):
        with connect("tcp://127.0.0.1:9"):
            pass


def test_no_address_at_all(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(PosebookError, match=r"No Dask scheduler answers at 'nonsense://there'"):
        with connect("nonsense://there"):
            pass


def test_a_scheduler_without_workers(scheduler, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(PosebookError, match=r"at tcp://127.0.0.1:\d+ has no worker.*dask worker tcp://"):
        with connect(scheduler.scheduler_address):
            pass


def test_a_worker_without_the_package(ask, worker):
    """Its Python skips the files that put an editable install on the path."""
    results, question = ask
    worker("-S", PYTHONPATH=site.getsitepackages()[0])
    with pytest.raises(PosebookError, match=r"worker tcp://\S+ on \S+ has no Posebook: its Python is .*make install"):
        question()
    assert list(results.iterdir()) == []  # the probe is removed


def test_a_results_folder_that_is_not_shared(ask, worker):
    """The worker lives in a mount namespace where another file system lies over the results folder."""
    if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
        pytest.skip("needs mount namespaces (unshare --mount), which this system forbids")
    results, question = ask
    mount = f'mount -t tmpfs none "{results}" && exec "$@"'
    worker(prefix=(*NAMESPACE, "sh", "-c", mount, "sh"), PYTHONPATH=str(LIBRARY))
    with pytest.raises(PosebookError, match=rf"does not see the results folder {results} of this machine.*--results"):
        question()


def test_a_node_with_another_version(ask, worker, tmp_path):
    """The worker's clone differs by one line of the library; its notebook is the client's."""
    results, question = ask
    other = tmp_path / "other"
    shutil.copytree(LIBRARY, other / "lib", ignore=shutil.ignore_patterns("*.egg-info"))
    shutil.copytree(tmp_path / "clone" / "notebooks", other / "notebooks")
    with open(other / "lib" / "posebook" / "joints.py", "a") as stream:
        stream.write("# a later commit\n")
    worker(PYTHONPATH=str(other / "lib"))
    with pytest.raises(PosebookError, match=rf"another version of the project .*\(library in {other}\).*same commit"):
        question()


def test_cuda_without_a_worker_that_declares_a_gpu(scheduler, worker):
    worker(PYTHONPATH=str(LIBRARY))
    with Client(scheduler) as client:
        with pytest.raises(PosebookError, match=r"no worker declares a GPU.*--resources GPU=1"):
            needs(client, "cuda")
        assert needs(client, "auto") == needs(client, "cpu") == {}
