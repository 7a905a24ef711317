"""Human3.6M in VideoPose3D's files."""

import fixtures_human36m as fixture
import numpy as np
import people
import pytest

from posebook.data.real.geometry import project_lens
from posebook.data.real.human36m_npz import READER, extrinsics
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError


def test_videos_of_four_cameras(tmp_path, prepared):
    world = fixture.write_npz(tmp_path / "h36m")
    dataset = prepared(READER, tmp_path / "h36m", "test")
    assert len(dataset) == 4 * fixture.FRAMES and dataset.texts["camera"][-1] == "60457274"
    R, t = people.camera_z_up(angle=0.3)
    np.testing.assert_allclose(dataset.arrays["joints3d_h36m17"][6:12], world @ R.T + t, atol=1e-4)
    for i in range(len(dataset)):
        seen = project_lens(dataset.stored["keypoints3d"][i].astype(float), dataset.stored["K"][i],
                            dataset.stored["distortion"][i])  # fmt: skip
        assert np.abs(seen - dataset.stored["joints2d_h36m17"][i]).max() < 0.05


def test_a_camera_of_the_spec():
    """S1, 54138969: the quaternion (w, x, y, z) of R^T and the centre that VideoPose3D stores."""
    w, x, y, z = 0.1407056, -0.1500702, -0.7552408, 0.6223280
    R = people.Rotation.from_quat([x, y, z, w]).as_matrix().T
    numbers = np.zeros(300)
    numbers[:6] = [*people.Rotation.from_matrix(R).as_euler("XYZ"), 1841.107, 4955.285, 1563.445]
    found, centre = extrinsics(numbers, 0, "S1")
    np.testing.assert_allclose(found, R, atol=1e-6)
    middle = found @ (np.array([0, 0, 0.9]) - centre)  # the middle of the studio is in front of the camera
    assert 4 < middle[2] < 7 and np.abs(middle[:2] / middle[2]).max() < 0.2
    assert (found @ [0, 0, 1.0])[1] < -0.9  # up in the world is up in the picture


def test_mistakes(tmp_path):
    fixture.write_npz(tmp_path / "h36m")
    path = tmp_path / "h36m" / "metadata.xml"
    numbers = path.read_text()
    path.write_text(numbers.replace("[", "[1 ", 1))
    with pytest.raises(PosebookError, match="expected 300 camera numbers in <w0>, found 301"):
        prepare(READER, tmp_path / "h36m", "test", tmp_path / "out")
    path.unlink()
    assert "metadata.xml" in prepare(READER, tmp_path / "h36m", "test", tmp_path / "out").message
