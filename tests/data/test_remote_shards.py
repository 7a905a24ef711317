"""Shards over HTTP: the same numbers as from the folder, few bytes, and one sentence where the server cannot help."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from posebook.data import open_dataset
from posebook.data.shard_order import ShardOrder
from posebook.data.shards import open_shards, write_shards
from posebook.errors import PosebookError
from posebook.profile import smoke


class Handler(SimpleHTTPRequestHandler):
    """Serves files and parts of them, and counts the bytes of tar files; without `parts` it ignores Range."""

    parts, sent = True, 0

    def do_GET(self):
        try:
            with open(self.translate_path(self.path), "rb") as stream:
                data = stream.read()
        except OSError:
            self.send_error(404)
            return
        wanted = Handler.parts and self.headers.get("Range")
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            data = data[int(first) : int(last) + 1]
        Handler.sent += len(data) * self.path.endswith(".tar")
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def folder(body_cache, tmp_path_factory):
    path = tmp_path_factory.mktemp("shards") / "made"
    write_shards(open_dataset("procedural", "train", smoke()), path, 16)
    return path


@pytest.fixture
def address(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("POSEBOOK_CACHE", str(tmp_path / "cache"))
    Handler.parts, Handler.sent = True, 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_every_field_is_that_of_the_folder_and_pictures_come_one_by_one(folder, address):
    here, there = open_shards(folder), open_shards(address)
    assert there.manifest == here.manifest and there.describe() == here.describe() and Handler.sent == 0
    rows = np.array([3, 17, 95])
    np.testing.assert_array_equal(there.arrays["image"][rows], here.arrays["image"][rows])
    field = here.manifest["pictures"].index("image")
    assert Handler.sent == here.files.offsets[rows, field, 1].sum()  # not a byte more than these pictures
    for name in here.arrays:
        np.testing.assert_array_equal(np.asarray(there.arrays[name]), np.asarray(here.arrays[name]), err_msg=name)
    assert all((np.asarray(there.texts[name]) == np.asarray(here.texts[name])).all() for name in here.texts)


@pytest.mark.parametrize("kind", ["file://", "memory://"])
def test_other_addresses_of_fsspec_work_too(folder, address, kind):
    import fsspec

    place = f"{kind}{folder}"
    if kind == "memory://":
        fsspec.filesystem("memory").put(str(folder), str(folder), recursive=True)
    read = open_shards(place).arrays["image"][[95, 0]]
    np.testing.assert_array_equal(read, open_shards(folder).arrays["image"][[95, 0]])


def test_they_stream_read_ahead_in_the_folders_order(folder, address):
    here, there = open_shards(folder), open_shards(address)
    streams = (ShardOrder(s).batches(60, 6, seed=2) for s in (here, there))
    for own, other in zip(*streams, strict=True):
        np.testing.assert_array_equal(own, other)
        np.testing.assert_array_equal(here.arrays["image"][own], there.arrays["image"][own])
    assert there.files.asked


def test_labels_are_copied_once(address):
    first, second = open_shards(address), open_shards(address)
    assert first.folder == second.folder and not [*first.folder.glob("**/*.tar")]


def test_what_cannot_be_read_is_one_sentence(address):
    with pytest.raises(PosebookError, match="The shards at .*/nothing cannot be read .FileNotFoundError"):
        open_shards(f"{address}/nothing")
    with pytest.raises(PosebookError, match="cannot be read .ValueError.*Check the address"):
        open_shards("gopher://host/train")
    shards = open_shards(address)
    Handler.parts = False
    with pytest.raises(PosebookError, match="000000.tar: .* were asked for, .* came.*byte ranges"):
        shards.arrays["image"][0]
