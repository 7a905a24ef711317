"""BVH reading against hand-made files and scipy's rotations."""

import gzip

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posebook.errors import PosebookError
from posebook.motion.bvh import forward_kinematics, read_bvh, write_bvh

ARM = """HIERARCHY
ROOT base
{{
  OFFSET 0 1 0
  CHANNELS 6 {root}
  JOINT tip
  {{
    OFFSET 2 0 0
    CHANNELS 3 {tip}
    End Site
    {{
      OFFSET 1 0 0
    }}
  }}
}}
MOTION
Frames: 2
Frame Time: 0.0166667
0 0 0 0 0 0 0 0 0
1 2 3 10 20 30 40 50 60
"""


@pytest.mark.parametrize("order", ["ZYX", "XYZ", "YXZ", "ZXY"])
def test_channel_order_comes_from_the_header(tmp_path, order):
    rotations = " ".join(f"{c}rotation" for c in order)
    path = tmp_path / "arm.bvh"
    path.write_text(ARM.format(root="Xposition Yposition Zposition " + rotations, tip=rotations[::-1][::-1]))
    bvh = read_bvh(path)
    motion = forward_kinematics(bvh)
    root = Rotation.from_euler(order, [10, 20, 30], degrees=True)  # capitals: about the turned axes
    tip = root * Rotation.from_euler(order, [40, 50, 60], degrees=True)
    np.testing.assert_allclose(motion.rotations[1, 0], root.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(motion.rotations[1, 1], tip.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(motion.positions[1, 1], [1, 3, 3] + root.apply([2, 0, 0]), atol=1e-12)
    assert bvh.frame_time == 0.0166667 and bvh.parents == (-1, 0) and bvh.ends[1].tolist() == [1, 0, 0]


def test_positions_may_come_after_rotations(tmp_path):
    path = tmp_path / "arm.bvh"
    path.write_text(ARM.format(root="Zrotation Yrotation Xrotation Zposition Yposition Xposition",
                               tip="Zrotation Yrotation Xrotation"))  # fmt: skip
    motion = forward_kinematics(read_bvh(path))
    np.testing.assert_allclose(motion.positions[1, 0], [30, 21, 10], atol=1e-12)


def test_gzip_and_writer_round_trip(mini, tmp_path):
    path = mini(20)
    packed = tmp_path / "02_01.bvh.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    plain, unpacked = read_bvh(path), read_bvh(packed)
    assert len(plain.names) == 31 and plain.values.shape == (20, 96) and len(plain.ends) == 7
    np.testing.assert_array_equal(plain.values, unpacked.values)
    write_bvh(tmp_path / "again.bvh", plain)
    again = read_bvh(tmp_path / "again.bvh")
    assert again.names == plain.names and again.parents == plain.parents and again.channels == plain.channels
    np.testing.assert_allclose(again.values, plain.values, atol=1e-4)
    np.testing.assert_allclose(forward_kinematics(again).positions, forward_kinematics(plain).positions, atol=1e-3)


def damaged(text: str) -> dict[str, str]:
    return {
        "cut in a row": text[: int(len(text) * 0.8)],
        "cut after a row": "\n".join(text.splitlines()[:-3]),
        "cut in the header": text[:700],
        "no motion": text.split("MOTION")[0],
        "not BVH": "hello",
        "empty": "",
        "word in numbers": text.replace(" 0.0000 ", " zero ", 1),
        "not finite": text.replace(" 0.0000 ", " nan ", 1),
        "brackets": text.replace("}", "", 1),
        "bad offset": text.replace("OFFSET 0 0 0", "OFFSET 0 0", 1),
        "bad channel": text.replace("Zrotation", "Wrotation", 1),
        "frames not a number": text.replace("Frames: 20", "Frames: many"),
        "no frames": text.replace("Frames: 20", "Frames: 0"),
    }


@pytest.mark.parametrize("kind", damaged("").keys())
def test_bad_files_give_one_clear_error(mini, tmp_path, kind):
    path = tmp_path / "bad.bvh"
    path.write_text(damaged(mini(20).read_text())[kind])
    with pytest.raises(PosebookError, match=r"bad\.bvh") as caught:
        read_bvh(path)
    assert "\n" not in str(caught.value)


def test_cut_gzip_binary_and_missing(mini, tmp_path):
    whole = gzip.compress(mini(20).read_bytes())
    (tmp_path / "a.bvh.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PosebookError, match="gzip"):
        read_bvh(tmp_path / "a.bvh.gz")
    (tmp_path / "b.bvh").write_bytes(bytes(range(256)) * 10)
    with pytest.raises(PosebookError, match="not a BVH"):
        read_bvh(tmp_path / "b.bvh")
    with pytest.raises(PosebookError, match="No file"):
        read_bvh(tmp_path / "c.bvh")
