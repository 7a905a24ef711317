"""The index on disk: texts, arrays that are computed when read, and folders that appear whole or not at all."""

import numpy as np
import pytest

from posebook.data.batches import Batches
from posebook.data.body_batches import BodyBatches
from posebook.data.real.block import Block, complete, square_boxes
from posebook.data.real.dataset import RealDataset
from posebook.data.real.derived import Derived, K_in_crop, points_in_crop, zeros
from posebook.data.real.index import made_from, write_index
from posebook.data.real.texts import Texts, TextWriter
from posebook.errors import PosebookError

ABOUT = {"name": "coco", "split_name": "train2017", "source": "/nowhere", "fps": 30.0, "pixels": "", "licence": "x"}


def block(name="a", frames=3, **fields):
    points = np.random.default_rng(0).uniform(10, 90, (frames, 17, 3))
    return Block("p.jpg", np.arange(frames), name, {"keypoints2d": points} | fields)


def test_texts(tmp_path):
    writer = TextWriter(tmp_path, "name")
    writer.append(["one", "", "drei – €"])
    writer.append([])
    writer.append(["four"])
    writer.close()
    texts = Texts(tmp_path, "name")
    assert len(texts) == 4 and texts[0] == "one" and texts[-1] == "four" and texts[2] == "drei – €" and texts[1] == ""
    assert texts[1:3].tolist() == ["", "drei – €"] and texts[np.array([3, 0])].tolist() == ["four", "one"]
    assert list(texts) == np.asarray(texts).tolist() and (texts == "one").tolist() == [True, False, False, False]
    assert np.unique(texts).tolist() == ["", "drei – €", "four", "one"] and texts.astype(str)[3] == "four"


def test_derived_arrays_index_like_arrays():
    rng = np.random.default_rng(0)
    points, boxes = rng.uniform(0, 100, (5, 4, 2)), square_boxes(rng.uniform(10, 50, (5, 4)))
    expected = (points - boxes[:, None, :2]) * 64 / boxes[:, None, 2:3]
    derived = Derived(points, boxes, points_in_crop(64))
    mask = np.array([True, False, True, False, False])
    for key in (
        2,
        -1,
        np.int64(3),
        slice(1, 4),
        [0, 3],
        mask,
        (slice(None), 0),
        (2, slice(1, 3)),
        (slice(None, 2), [1], 0),
    ):
        np.testing.assert_allclose(derived[key], expected[key])
    np.testing.assert_allclose(np.asarray(derived), expected)
    K = np.tile([[500.0, 2, 320], [0, 510, 240], [0, 0, 1]], (5, 1, 1))
    ray = np.array([0.1, -0.2, 1])
    in_crop = Derived(K, boxes, K_in_crop(64))[3] @ ray
    np.testing.assert_allclose(in_crop[:2], ((K[3] @ ray)[:2] - boxes[3, :2]) * 64 / boxes[3, 2])
    nothing = zeros((10**9, 64, 64), "uint8")
    assert nothing[5].sum() == 0 and nothing.strides == (0, 0, 0)


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    def breaks():
        yield block("a")
        raise PosebookError("damaged file")

    with pytest.raises(PosebookError, match="damaged file"):
        write_index(tmp_path / "x", ABOUT, "body", "coco17", breaks())
    with pytest.raises(PosebookError, match="not one row"):
        write_index(tmp_path / "x", ABOUT, "body", "coco17", iter([]))
    assert [p.name for p in tmp_path.iterdir()] == ["x.lock"] and made_from(tmp_path / "x") is None
    write_index(tmp_path / "x", ABOUT | {"made_from": "f"}, "body", "coco17", [block("a"), block("b", 2)])
    dataset = RealDataset(tmp_path / "x", 32)
    assert len(dataset) == 5 and made_from(tmp_path / "x") == "f" and dataset.texts["sample_id"][4] == "b-000001"


@pytest.mark.parametrize(
    ("second", "message"),
    [(block("b", fps=np.ones(3)), "fps labelled in some"), (block("b", K=np.zeros((3, 2, 3))), r"K should have shape"),
     (block("b", box=np.full((3, 4), np.nan)), "box holds NaN"),
     (block("b", hand_pose=np.zeros((3, 45))), "no field of body")],
)  # fmt: skip
def test_blocks_that_do_not_fit(tmp_path, second, message):
    with pytest.raises(PosebookError, match=message):
        write_index(tmp_path / "x", ABOUT, "body", "coco17", [block("a"), second])


def test_boxes_hold_the_labelled_points_only():
    points = np.zeros((1, 17, 3))
    points[0, :4] = [[10, 20, 1], [50, 20, 1], [10, 40, 1], [900, 900, 0]]
    box = complete(block("a", 1, keypoints2d=points), "coco17").fields["box"][0]
    np.testing.assert_allclose(box, [4, 4, 52, 52])  # 40 wide, 15 % on each side, square
    with pytest.raises(PosebookError, match="no box and no 2D joints"):
        complete(Block("", np.arange(1), "a", {"betas": np.zeros((1, 10))}), None)


def test_training_says_what_is_missing(tmp_path):
    write_index(tmp_path / "x", ABOUT, "body", "coco17", [block("a")])
    dataset = RealDataset(tmp_path / "x", 32)
    with pytest.raises(PosebookError, match="coco train2017 has no joints2d_h36m17, joints3d_h36m17, which training"):
        Batches(dataset)
    with pytest.raises(PosebookError, match="which fitting a body needs. COCO has 2D joints only."):
        BodyBatches(dataset)
