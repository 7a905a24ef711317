"""The prepared CMU source: index, actions, split, cache, errors."""

import json

import numpy as np
import pytest

from posebook.errors import PosebookError
from posebook.motion import list_clips, subject_counts
from posebook.motion.bvh import read_bvh
from posebook.motion.cmu import action_of, cmu_index, list_cmu, load_cmu, split_of
from posebook.motion.cmu_prepare import capture_rate, checksum_state, find_bvh, known_hashes, prepare, text_hash


@pytest.fixture
def prepared(mini, tmp_path):
    for seed, name in enumerate(("02_01.bvh", "01_01.bvh", "09_01.bvh")):
        mini(mini.values(60, seed), name=name)
    out = tmp_path / "out"
    result = prepare(find_bvh(tmp_path / "source").items(), out)
    assert not result.skipped
    return out


def test_index_knows_the_rates_that_the_files_get_wrong(mini):
    rates = [trial.fps for trial in cmu_index().values()]
    assert len(rates) == 2435 and rates.count(120) == 2109 and rates.count(60) == 326
    slow = next(name for name, trial in cmu_index().items() if trial.fps == 60)
    bvh = read_bvh(mini(10))
    assert round(1 / bvh.frame_time) == 120
    assert capture_rate(slow, bvh) == 60 and capture_rate("02_01", bvh) == 120 and capture_rate("99_99", bvh) == 120


@pytest.mark.parametrize(
    ("description", "action"),
    [("walk", "walk"), ("run/jog", "run"), ("forward jump", "jump"), ("basketball - forward dribble", "basketball"),
     ("dance - expressive arms, pirouette", "dance"), ("playground - forward jumps, turn around", "playground"),
     ("jumping jacks, side twists, bend over, squats", "exercise"), ("direct traffic, wave, point", "signal"),
     ("bend over, scoop up, rise, lift arm", "bend"), ("punch/strike", "fight"), ("", "other")],
)  # fmt: skip
def test_actions(description, action):
    assert action_of(description) == action


def test_split_is_the_committed_one():
    assert [split_of(s) for s in ("01", "05", "06", "07", "13")] == ["train"] * 5
    assert [split_of(s) for s in ("09", "02", "14")] == ["val", "test", "test"]
    others = [split_of(f"{k:02d}") for k in range(15, 145)]
    assert others == [split_of(f"{k:02d}") for k in range(15, 145)] and set(others) == {"train", "val", "test"}
    assert 0.5 < others.count("train") / len(others) < 0.85


def test_prepare_list_load(prepared):
    clips = list_cmu(prepared)
    assert [(c.name, c.action, c.subject, c.split) for c in clips] == [
        ("01_01", "playground", "01", "train"), ("02_01", "walk", "02", "test"), ("09_01", "run", "09", "val")
    ]  # fmt: skip
    assert subject_counts(clips) == {"train": 1, "val": 1, "test": 1}
    clip = load_cmu("02_01", prepared)
    assert clip.body_pose.shape == (clips[1].num_frames, 69) and clip.body_pose.dtype == np.float32 and clip.fps == 30.0


def test_prepared_clips_are_found_in_the_cache(prepared, monkeypatch):
    monkeypatch.setattr("posebook.motion.cmu.cache_dir", lambda *parts: prepared)
    assert len(list_clips("cmu")) == 3


def test_resume_makes_only_what_is_missing(prepared, tmp_path, mini):
    files = {p.name: p.stat().st_mtime_ns for p in prepared.glob("*.npz")}
    (prepared / "09_01.npz").write_bytes(b"half a file")
    mini(mini.values(60, 9), name="01_01.bvh")  # another text under the same name
    prepare(find_bvh(tmp_path / "source").items(), prepared)
    after = {p.name: p.stat().st_mtime_ns for p in prepared.glob("*.npz")}
    assert after["02_01.npz"] == files["02_01.npz"]
    assert after["01_01.npz"] != files["01_01.npz"] and load_cmu("09_01", prepared).transl.shape[1] == 3


def test_bad_files_are_named_and_left_out(mini, tmp_path):
    good, bad = mini(60, name="02_01.bvh"), mini(60, name="02_02.bvh")
    bad.write_text(bad.read_text()[:-500])
    result = prepare(find_bvh(good.parent).items(), tmp_path / "out")
    assert list(result.clips) == ["02_01"] and "02_02.bvh" in result.skipped["02_02"]
    assert [c.name for c in list_cmu(tmp_path / "out")] == ["02_01"]
    with pytest.raises(PosebookError, match="02_02"):
        prepare([("02_02", bad)], tmp_path / "none")
    assert not (tmp_path / "none" / "manifest.json").exists()


def test_a_kill_before_the_end_lists_nothing(mini, tmp_path):
    path = mini(60)

    def killed():
        yield "02_01", path
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(killed(), tmp_path / "out")
    with pytest.raises(PosebookError, match="not prepared"):
        list_cmu(tmp_path / "out")


def test_errors_say_what_to_do(prepared, tmp_path):
    with pytest.raises(PosebookError, match=r"python data_download/cmu_mocap\.py --source"):
        list_cmu(tmp_path / "nothing")
    with pytest.raises(PosebookError, match="No CMU clip 'x'"):
        load_cmu("x", prepared)
    (prepared / "02_01.npz").write_bytes((prepared / "02_01.npz").read_bytes()[:300])
    with pytest.raises(PosebookError, match="cannot be read"):
        load_cmu("02_01", prepared)
    manifest = json.loads((prepared / "manifest.json").read_text())
    manifest["rest_joints"][4][1] += 0.05
    (prepared / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(PosebookError, match="another body"):
        load_cmu("01_01", prepared)
    (prepared / "manifest.json").write_text(json.dumps({**manifest, "version": "cmu-0"}))
    with pytest.raises(PosebookError, match="cmu-0"):
        list_cmu(prepared)
    (prepared / "manifest.json").write_text("{")
    with pytest.raises(PosebookError, match="damaged"):
        list_cmu(prepared)


def test_sources(tmp_path, mini):
    with pytest.raises(PosebookError, match="No folder"):
        find_bvh(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PosebookError, match="No CMU files"):
        find_bvh(tmp_path / "empty")
    clone = tmp_path / "clone" / "data" / "002"
    clone.mkdir(parents=True)
    (clone / "02_01.bvh").write_text(mini(10).read_text())
    assert list(find_bvh(tmp_path / "clone")) == ["02_01"]


def test_checksums(real_bvh, mini):
    path = next(real_bvh.rglob("02_01.bvh*"))
    assert checksum_state("02_01", text_hash(path)) == "known"
    assert checksum_state("02_01", text_hash(mini(10))) == "differs"
    assert checksum_state("99_01", text_hash(path)) == "unknown"
    assert len(known_hashes()) == 62
