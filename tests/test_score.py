import numpy as np
import pytest

from posebook import score as module
from posebook.errors import PosebookError
from posebook.score import Truth, score
from tiny import break_flags, break_stream


@pytest.fixture
def truth(monkeypatch):
    """A test set of three sequences of four frames, of people about 1.6 m tall."""
    joints = np.random.default_rng(0).normal(0, 0.4, (12, 17, 3)).astype(np.float32)
    sequence = np.repeat(["s0", "s1", "s2"], 4)
    made = Truth(np.array([f"id{i}" for i in range(12)]), sequence, joints, "12 test images")
    monkeypatch.setattr(module, "load_truth", lambda profile, motion: made)
    return made


def save(path, truth, joints, **changes):
    arrays = {"sample_id": truth.sample_id, "sequence": truth.sequence, "joints3d": joints} | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_known_errors_are_scored_in_any_order(truth, tmp_path):
    """Every joint but the pelvis off by 30 mm in x: MPJPE is 16/17 x 30 mm, whatever the order of the samples."""
    joints = truth.joints3d.copy()
    joints[:, 1:, 0] += 0.03
    order = np.random.default_rng(1).permutation(12)
    path = save(tmp_path / "p.npz", truth, joints[order] + [0, 0, 5], sample_id=truth.sample_id[order])
    scored = score(path)
    table = scored.table.set_index("metric")
    assert table.loc["mpjpe", "value"] == pytest.approx(30 * 16 / 17, abs=1e-3)
    assert table.loc["mpjpe", "low"] == pytest.approx(30 * 16 / 17, abs=1e-3)  # all sequences alike
    assert table["n_sequences"].tolist() == [3, 3, 3] and table["n_frames"].tolist() == [12, 12, 12]
    assert table.loc["pa_mpjpe", "value"] < table.loc["mpjpe", "value"]
    assert "posebook17" in scored.protocol and scored.data == "12 test images"


def test_perfect_predictions_score_zero(truth, tmp_path):
    values = score(save(tmp_path / "p.npz", truth, truth.joints3d)).table["value"]
    np.testing.assert_allclose(values, 0, atol=1e-2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joints3d": np.zeros((12, 24, 3))}, r"\(12, 24, 3\)"),
        ({"joints3d": np.random.default_rng(0).normal(0, 400, (12, 17, 3))}, "divide by 1000"),
        ({"joints3d": np.full((12, 17, 3), np.nan)}, "NaN"),
        ({"joints3d": None}, "needs the arrays sample_id and joints3d; it has sample_id, sequence"),
        ({"sample_id": np.arange(3)}, r"sample_id must have shape \(12,\)"),
        ({"sample_id": np.array([f"x{i}" for i in range(12)])}, "12 sample ids are not in this test set.*x0, x1, x2"),
        ({"sample_id": np.array(["id0"] * 12)}, "11 sample ids are given more than once"),
        ({"joints3d": np.array([None] * 12)}, "without pickle"),
    ],
)
def test_files_that_do_not_fit_are_refused(truth, tmp_path, changes, message):
    path = save(tmp_path / "p.npz", truth, truth.joints3d, **changes)
    with pytest.raises(PosebookError, match=message):
        score(path)


def test_missing_samples_are_named(truth, tmp_path):
    path = save(tmp_path / "p.npz", truth, truth.joints3d[:10], sample_id=truth.sample_id[:10])
    with pytest.raises(PosebookError, match="2 sample ids are missing of this test set.*id10, id11.*--profile"):
        score(path)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04cut"])
def test_a_file_that_is_no_npz_is_refused(truth, tmp_path, content):
    path = tmp_path / "p.npz"
    path.write_bytes(content)
    with pytest.raises(PosebookError, match="cannot be read as an npz"):
        score(path)


@pytest.mark.parametrize("spoil", [break_stream, break_flags])
def test_a_damaged_npz_is_refused(truth, tmp_path, spoil):
    np.savez_compressed(tmp_path / "p.npz", sample_id=truth.sample_id, joints3d=truth.joints3d)
    spoil(tmp_path / "p.npz")
    with pytest.raises(PosebookError, match="cannot be read as an npz"):
        score(tmp_path / "p.npz")


def test_a_single_array_file_is_refused(truth, tmp_path):
    np.save(tmp_path / "p.npy", truth.joints3d)
    with pytest.raises(PosebookError, match="cannot be read as an npz"):
        score(tmp_path / "p.npy")


def test_a_missing_file_is_named(truth, tmp_path):
    with pytest.raises(PosebookError, match="no file .*nothing.npz"):
        score(tmp_path / "nothing.npz")


def test_the_rendered_test_set_is_the_ground_truth(tmp_path):
    """Without any stand-in: the smoke test set's own joints score zero, turned ones do not under MPJPE but under PA."""
    truth = module.load_truth("smoke", "procedural")
    assert truth.joints3d.shape == (48, 17, 3) and len(set(truth.sample_id)) == 48 and len(set(truth.sequence)) == 6
    turned = truth.joints3d * [-1, 1, -1]  # half a turn about y
    path = tmp_path / "p.npz"
    np.savez(path, sample_id=truth.sample_id, joints3d=turned)
    table = score(path, "smoke").table.set_index("metric")["value"]
    assert table["mpjpe"] > 50 and table["pa_mpjpe"] < 0.01
