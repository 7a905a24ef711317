"""HumanEva-I."""

import fixtures_humaneva as fixture
import numpy as np
import people
import pytest

from posebook.data.real import humaneva
from posebook.data.real.geometry import project_lens
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError


def test_chunks_land_on_their_labels(tmp_path, prepared):
    world = fixture.write(tmp_path / "he")
    dataset = prepared(humaneva.READER, tmp_path / "he", "train")
    assert len(dataset) == 3 * fixture.FRAMES and dataset.texts["camera"][5] == "C2" and dataset[0].fps == 60
    R, t = people.camera_z_up(angle=0.3)
    np.testing.assert_allclose(dataset.stored["keypoints3d"][5:10], world @ R.T + t, atol=1e-4)
    for i in range(len(dataset)):
        seen = project_lens(dataset.stored["keypoints3d"][i].astype(float), dataset.stored["K"][i],
                            dataset.stored["distortion"][i], opencv=True)  # fmt: skip
        assert np.abs(seen - dataset.stored["keypoints2d"][i, :, :2]).max() < 0.05
    assert dataset.texts["action"][0] == "Walking" and "image" in dataset.manifest["missing_fields"]


class Attack:
    def __reduce__(self):
        import os

        return os.mkdir, ("/tmp/posebook-attack",)


def test_mistakes(tmp_path):
    fixture.write(tmp_path / "evil", attack=Attack())
    with pytest.raises(PosebookError, match="posix.mkdir"):
        prepare(humaneva.READER, tmp_path / "evil", "train", tmp_path / "out")
    fixture.write(tmp_path / "he")
    path = tmp_path / "he" / "S1" / "Calibration_Data" / "C1.cal"
    path.write_text(" ".join(path.read_text().split()[:-1]))
    with pytest.raises(PosebookError, match="expected 22 numbers, found 21"):
        prepare(humaneva.READER, tmp_path / "he", "train", tmp_path / "out")
    path.unlink()
    assert "C1.cal" in prepare(humaneva.READER, tmp_path / "he", "train", tmp_path / "out").message
    with pytest.raises(PosebookError, match="not one row"):
        fixture.write(tmp_path / "he")
        prepare(humaneva.READER, tmp_path / "he", "validate", tmp_path / "out")
