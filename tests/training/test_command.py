"""`posebook train`: killed and gone on with to the same bits, found by the chapter, and clear where it cannot work."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from posebook.cli import app
from posebook.data import open_dataset
from posebook.data.batches import Batches
from posebook.errors import PosebookError
from posebook.experiments.volumetric import train_variant, variants
from posebook.profile import load_profile, smoke
from posebook.training import processes
from posebook.training.command import check_rows, choose_rows
from posebook.training.processes import Place, Started, counted, make_fabric
from posebook.training.rows import rows

ROW = "volume {16} cross-entropy long"  # eight steps
COMMAND = [sys.executable, "-m", "posebook", "train", "01", "--profile", "smoke", "--row", ROW, "--device", "cpu",
           "--checkpoint-seconds", "0"]  # fmt: skip


pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]  # three trainings in processes of their own


def finish(environment) -> None:
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "the notebook of chapter 01 takes these weights for seed 0" in done.stdout


@pytest.fixture(scope="module")
def killed(tmp_path_factory, own_cache):
    """Caches of a training that was not disturbed, and of one that was killed and started again."""
    root = tmp_path_factory.mktemp("killed")
    for split in ("train", "test"):
        open_dataset("procedural", split, smoke())
    finish(own_cache(root / "whole"))
    environment = own_cache(root / "broken")
    with subprocess.Popen(COMMAND, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (halves := [*(root / "broken").glob("training/*/*.last.pt")]):
            assert process.poll() is None, "ended before its first checkpoint"
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert 0 < torch.load(halves[0], weights_only=True)["steps"] < 8  # in the middle
    assert not [*(root / "broken").glob("trained/*")]
    finish(environment)
    return root


def only(folder, pattern):
    (found,) = folder.glob(pattern)
    return found


def test_a_killed_training_ends_with_the_same_weights(killed):
    whole, broken = (only(killed / name, "trained/*") for name in ("whole", "broken"))
    assert whole.name == broken.name
    one, two = (load_file(folder / "state.safetensors") for folder in (whole, broken))
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    histories = [json.loads((folder / "outcome.json").read_text())["history"] for folder in (whole, broken)]
    assert histories[0]["losses"] == histories[1]["losses"] and histories[0]["images"] == [*range(16, 129, 16)]


def test_it_leaves_logs_and_the_best_weights_and_no_checkpoint(killed):
    folder = only(killed / "broken", "training/*")
    assert not [*folder.glob("*.pt")]
    losses = json.loads(only(killed / "broken", "trained/*/outcome.json").read_text())["history"]["losses"]
    logged = []
    for path in sorted(folder.glob("logs/*/version_*/metrics.csv")):  # one of each start
        header, *lines = path.read_text().splitlines()
        logged += [float(line.split(",")[header.split(",").index("loss")]) for line in lines]
    assert set(logged) == set(losses)
    assert [*folder.glob("logs/*/version_*/events.out.tfevents.*")]
    best = load_file(only(folder, "*.best.safetensors"))
    last = load_file(only(killed / "broken", "trained/*/state.safetensors"))
    assert best.keys() == last.keys()
    is_last = min(losses) == losses[-1]
    assert all(torch.equal(best[name], last[name]) for name in best) == is_last


def test_the_chapter_takes_these_weights_and_says_which(killed, monkeypatch, capsys):
    monkeypatch.setenv("POSEBOOK_CACHE", str(killed / "whole"))
    sizes = smoke()
    train, test = (Batches(open_dataset("procedural", split, sizes)) for split in ("train", "test"))
    variant = next(v for v in variants(sizes.volumetric) if v.row == ROW)
    found = train_variant(variant, sizes, train, test, 0, "cpu")
    kept = only(killed / "whole", "trained/*")
    state = load_file(kept / "state.safetensors")
    assert all(torch.equal(found.state[name], state[name]) for name in state)
    said = capsys.readouterr().out
    assert f"{ROW}: weights <cache>/trained/{kept.name}/state.safetensors, trained 20" in said
    assert "devices 1, precision 32-true, on cpu" in said and str(killed) not in said


def test_the_rows_are_those_of_the_notebooks():
    for number in ("01", "02", "03", "04", "05"):
        shown = CliRunner().invoke(app, ["train", number, "--profile", "laptop"])
        assert shown.exit_code == 0 and shown.output.split("\n")[:-1] == [*rows(number, load_profile("laptop"))]
    assert {"volume {16}", "coordinates"} <= set(rows("1", smoke()))
    assert {"single frames", "VIBE", "TCMR"} <= set(rows("04", smoke()))


def test_rows_hand_their_variant_to_the_chapters_own_training(monkeypatch, body_cache):
    """Chapters 2 and 5 with their training replaced: the right variant, its own stage 1, the same sizes and seed."""
    from posebook.experiments import lifting, lifting_images, nbf, segmentation
    from posebook.training.rows import Setup

    said = []
    monkeypatch.setattr(segmentation, "train_stage_one", lambda *a: said.append(("stage 1", a[-1])) or "maps")
    monkeypatch.setattr(nbf, "train_variant", lambda v, p, stages, *a: said.append((v.row, stages, a[-2:])))
    monkeypatch.setattr(lifting, "train_variant", lambda v, p, setting, *a: said.append((v.row, a)))
    monkeypatch.setattr(lifting_images, "train_images", lambda v, p, setting, *a: said.append((v.row, a)))
    setup = Setup(smoke(), "procedural", 3, "cpu")
    for chapter, row in (("02", "12 parts, weakly predicted"), ("02", "RGB"), ("05", "lifter"), ("05", "from image")):
        rows(chapter, smoke())[row].train(setup)
    assert said == [
        ("stage 1", smoke().segmentation.weak_share),
        ("12 parts, weakly predicted", {"weak": "maps"}, (3, "cpu")),
        ("RGB", {}, (3, "cpu")),
        ("lifter", (3, "cpu")),
        ("from image", (3, "cpu")),
    ]


@pytest.mark.parametrize(
    ("chapter", "row", "shards", "count", "message"),
    [
        ("04", "VIBE", None, 2, "'VIBE' of chapter 04 trains on one device.*3D labels, and its motion.*--devices 1"),
        ("04", "VIBE, no motion prior", None, 2, "one device: its loss is a mean .* with 3D labels. Use"),
        ("05", "lifter", None, 2, "'lifter' of chapter 05 trains on one device"),
        ("05", "lifter, supervised twin", None, 2, "trains as its twin without labels"),
        ("02", "12 parts, 5% 3D labels", None, 2, "mean over the labelled pictures"),
        ("04", "VIBE", "x", 1, "does not train from shards; those of bodies in chapters 01, 02, 03 do"),
        ("03", "hand, coordinates", "x", 1, "does not train from shards"),
    ],
)
def test_what_cannot_be_trained_is_refused(chapter, row, shards, count, message):
    chosen = choose_rows(chapter, [row], smoke())
    check_rows(chapter, chosen, None, 1)
    with pytest.raises(PosebookError, match=message):
        check_rows(chapter, chosen, shards, count)


@pytest.mark.parametrize(("chapter", "row"), [("01", "coordinates"), ("03", "I2L lixel"), ("04", "single frames")])
def test_rows_whose_losses_are_means_over_a_batch_take_any_number_of_processes(chapter, row):
    check_rows(chapter, choose_rows(chapter, [row], smoke()), None, 16)


def test_unknown_names_are_refused():
    with pytest.raises(PosebookError, match="no row 'volume'.*It has: coordinates; volume"):
        choose_rows("01", ["volume"], smoke())
    with pytest.raises(PosebookError, match="Chapter '07' trains no network"):
        rows("07", smoke())


def test_devices_and_nodes_must_be_those_that_were_started(monkeypatch):
    assert counted(Place(), None) == (1, 1) and counted(Place(devices=4), None) == (4, 1)
    assert counted(Place(), Started("torchrun", 8, 2)) == (8, 2)
    with pytest.raises(PosebookError, match="torchrun started 2 x 8 processes.*--devices 4.*Leave both out"):
        counted(Place(devices=4), Started("torchrun", 8, 2))
    with pytest.raises(PosebookError, match="--nodes 2 needs torchrun or srun"):
        counted(Place(nodes=2), None)
    with pytest.raises(PosebookError, match="Unknown precision '16-mixed'. Use one of 32-true, bf16-mixed"):
        make_fabric(Place(precision="16-mixed"))
    monkeypatch.setattr(processes, "resolve_device", lambda name: torch.device("cuda"))
    with pytest.raises(PosebookError, match="devices were asked for; this machine has"):
        make_fabric(Place("cuda", devices=torch.cuda.device_count() + 1))


def test_what_started_this_process_is_read_from_its_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith(("SLURM_", "TORCHELASTIC"))]:
        monkeypatch.delenv(name)
    assert processes.started() is None
    monkeypatch.setenv("SLURM_NTASKS", "16")
    monkeypatch.setenv("SLURM_NNODES", "2")
    monkeypatch.setenv("SLURM_JOB_NAME", "pose")
    assert processes.started() is None  # in the batch script, before srun
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    assert processes.started() == Started("srun", 8, 2)
