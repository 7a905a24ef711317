"""Shards hold the dataset's own pixels, any WebDataset pipeline reads them, and they stream each picture once."""

import io
from collections import Counter

import numpy as np
import pytest
import webdataset
from PIL import Image

from posebook.data import open_dataset
from posebook.data import shards as shards_module
from posebook.data.batches import Batches
from posebook.data.shard_order import AHEAD, ShardOrder
from posebook.data.shards import open_shards, write_shards
from posebook.errors import PosebookError
from posebook.experiments.volumetric import mean_bone_lengths
from posebook.profile import smoke
from posebook.ranks import part_of

PER_SHARD = 16


@pytest.fixture(scope="module")
def source(body_cache):
    return open_dataset("procedural", "train", smoke())


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    path = tmp_path_factory.mktemp("shards") / "made"
    done = write_shards(source, path, PER_SHARD)
    assert (done.pictures, done.shards) == (96, 6) and done.bytes > 0
    return path


@pytest.fixture
def shards(folder):
    return open_shards(folder)


def test_every_field_and_text_is_the_datasets_own(source, shards):
    for name, array in source.arrays.items():
        assert shards.arrays[name].shape == array.shape and shards.arrays[name].dtype == array.dtype, name
        np.testing.assert_array_equal(np.asarray(shards.arrays[name]), array, err_msg=name)
    for name, texts in source.texts.items():
        np.testing.assert_array_equal(np.asarray(shards.texts[name]), texts, err_msg=name)
    assert shards.manifest["data_version"] == source.manifest["data_version"]
    assert shards.describe() == f"{source.describe()}, from 6 shards"
    whole, piece = source[17], shards[17]
    assert piece.sample_id == whole.sample_id and (piece.depth == whole.depth).all()


@pytest.mark.parametrize("key", [3, -1, slice(5, 40, 7), np.array([90, 2, 2]), np.arange(96) % 5 == 0])
def test_pictures_are_indexed_as_an_array_is(source, shards, key):
    np.testing.assert_array_equal(shards.arrays["image"][key], np.asarray(source.arrays["image"])[key])


def test_a_chapters_batches_are_the_same(source, shards):
    rows = np.array([0, 15, 16, 95])
    for own, theirs in zip(Batches(source).get(rows), Batches(shards).get(rows), strict=True):
        np.testing.assert_array_equal(own.numpy(), theirs.numpy())
    np.testing.assert_array_equal(mean_bone_lengths(Batches(source)), mean_bone_lengths(Batches(shards)))


def test_webdatasets_own_reader_finds_the_same_pictures(source, folder):
    files = sorted(str(path) for path in (folder / "shards").glob("*.tar"))
    seen = 0
    for sample in webdataset.WebDataset(files, shardshuffle=False):
        picture = webdataset.autodecode.imagehandler("rgb8")(".png", sample["image.png"])
        np.testing.assert_array_equal(picture, source.arrays["image"][int(sample["__key__"])])
        seen += 1
    assert seen == len(source)


class Counted:
    """What `ShardOrder` asks of a dataset, without pictures."""

    def __init__(self, counts):
        self.manifest, self.arrays, self.files = {"shards": counts}, {}, None

    def let_go(self):
        pass


COUNTS = [16] * 19 + [7]  # 311 pictures: no batch and no number of processes divides them


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("batch", [10, 16])
def test_every_picture_once_an_epoch_over_all_processes(shards, ranks, batch):
    total, epochs = sum(COUNTS), batch  # so many epochs end with a batch
    dealt, seen = [], Counter()
    for rank in range(ranks):
        order = ShardOrder(Counted(COUNTS), rank, ranks)
        order.files = shards.files  # nothing is read from it
        dealt.append([order._own(rows) for rows in order.batches(total * epochs, batch, seed=4)])
    assert len({len(mine) for mine in dealt}) == 1  # as many steps for all
    for number, parts in enumerate(zip(*dealt, strict=True)):
        rows = np.concatenate(parts)
        assert len(rows) == batch
        seen.update(rows.tolist())
        if (number + 1) * batch <= total:
            assert max(seen.values()) == 1  # the first epoch has no picture twice
    assert seen == Counter(dict.fromkeys(range(total), epochs))


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_the_batches_do_not_depend_on_the_number_of_processes(shards, ranks):
    def batches(rank, of):
        order = ShardOrder(Counted(COUNTS), rank, of)
        order.files = shards.files
        return list(order.batches(400, 16, seed=1))

    alone = batches(0, 1)
    for rank in range(ranks):
        assert all((a == b).all() for a, b in zip(alone, batches(rank, ranks), strict=True))
    parts = [part_of(16, rank, ranks) for rank in range(ranks)]
    assert sum(part.stop - part.start for part in parts) == 16


@pytest.mark.parametrize("start", [1, 7, 19, 25])
def test_going_on_in_the_middle_gives_the_rest_exactly(shards, start):
    order = ShardOrder(shards)
    whole = list(order.batches(26 * 16, 16, seed=3))
    rest = list(order.batches(26 * 16, 16, seed=3, start=start))
    assert len(rest) == 26 - start
    assert all((a == b).all() for a, b in zip(whole[start:], rest, strict=True))


def test_orders_differ_between_seeds_and_epochs():
    first, second = (np.concatenate(list(ShardOrder(Counted(COUNTS)).blocks(0, epoch))) for epoch in (0, 1))
    other = np.concatenate(list(ShardOrder(Counted(COUNTS)).blocks(1, 0)))
    assert not (first == second).all() and not (first == other).all()
    assert abs(np.corrcoef(first, np.arange(len(first)))[0, 1]) < 0.5  # shuffled across the whole set


def test_pictures_are_read_ahead_and_let_go(source, shards):
    order, read = ShardOrder(shards), []
    for number, rows in enumerate(order.batches(10 * 8, 8, seed=2)):
        ahead = {key[1] for key in shards.files.ahead}
        assert (rows.tobytes() in ahead) == (number > AHEAD)  # before, nothing had asked for any
        read.append(shards.arrays["image"][rows])
        np.testing.assert_array_equal(read[-1], source.arrays["image"][rows])
        assert len(shards.files.ahead) <= AHEAD + 1
    assert len(read) == 10


def test_missing_and_damaged_files_are_named(source, tmp_path):
    write_shards(source, tmp_path / "made", 50)
    with pytest.raises(PosebookError, match="exists already"):
        write_shards(source, tmp_path / "made")
    tar = tmp_path / "made" / "shards" / "000001.tar"
    tar.write_bytes(tar.read_bytes()[:2000])
    with pytest.raises(PosebookError, match="000001.tar ends early"):
        open_shards(tmp_path / "made").arrays["image"][95]
    tar.unlink()
    with pytest.raises(PosebookError, match="000001.tar cannot be read.*Copy it again"):
        open_shards(tmp_path / "made").arrays["image"][95]
    with pytest.raises(PosebookError, match="Make them with `posebook shards`"):
        open_shards(source.folder)
    with pytest.raises(PosebookError, match="finished dataset"):
        open_shards(tmp_path / "nothing")


def test_a_half_written_folder_does_not_appear(source, tmp_path, monkeypatch):
    left = iter(range(100))

    def full(array):
        if next(left, None) is None:
            raise OSError(28, "No space left on device")
        return b"picture"

    monkeypatch.setattr(shards_module, "png", full)
    with pytest.raises(OSError, match="No space left"):
        write_shards(source, tmp_path / "made")
    assert not list(tmp_path.iterdir())


def test_pixels_survive_their_png():
    depth = np.array([[0, 65535], [1234, 7]], np.uint16)
    with Image.open(io.BytesIO(shards_module.png(depth))) as picture:
        np.testing.assert_array_equal(np.array(picture), depth)
