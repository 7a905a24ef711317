"""Shards at an address that fsspec knows, https:// or s3://…: labels are copied, pictures read where they lie."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from fsspec.core import url_to_fs

from posebook.cache import atomic_path, cache_dir, locked
from posebook.data.sample import TEXT_FIELDS
from posebook.data.shard_pictures import ShardFiles
from posebook.errors import PosebookError


@contextmanager
def reading(address: str) -> Iterator[None]:
    """Turn what goes wrong far away into one sentence."""
    try:
        yield
    except Exception as error:  # every file system of fsspec has its own kinds
        raise PosebookError(
            f"The shards at {address} cannot be read ({type(error).__name__}: {error}). Check the address, its access "
            "rights and the connection, and repeat the command."
        ) from error


def remote_manifest(address: str) -> dict:
    """manifest.json of shards at an address.

    Raises:
        PosebookError: it cannot be read.
    """
    with reading(address):
        system, root = url_to_fs(address)
        return json.loads(system.cat_file(f"{root}/manifest.json"))


def copied_labels(address: str, manifest: dict) -> Path:
    """Folder in the cache with everything but the pictures; copied once for each manifest.

    Raises:
        PosebookError: a file cannot be read.
    """
    about = json.dumps([address, manifest], sort_keys=True)
    folder = cache_dir("data") / f"shards-{hashlib.sha256(about.encode()).hexdigest()[:24]}"
    files = [f"{name}.bin" for name in (*manifest["stored"], "frame", "offsets")]
    files += [f"{name}.{kind}" for name in TEXT_FIELDS for kind in ("txt", "ends.bin")]
    with locked(folder), reading(address):
        if not folder.exists():
            system, root = url_to_fs(address)
            with atomic_path(folder) as temporary:
                temporary.mkdir()
                for name in files:
                    system.get_file(f"{root}/{name}", str(temporary / name))
                (temporary / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return folder


class RemoteShardFiles(ShardFiles):
    """Tar files at an address; the pictures of a batch are asked for together.

    Args:
        address: of the folder that holds shards/. counts, offsets: as for `ShardFiles`.
    """

    def __init__(self, address: str, counts: list[int], offsets: np.ndarray):
        super().__init__(Path("shards"), counts, offsets)
        self.address = address
        with reading(address):
            self.system, self.root = url_to_fs(address)

    def read_all(self, shards: list[int], places: list[list[int]]) -> list[bytes]:
        """Bytes of some pictures.

        Raises:
            PosebookError: a tar file is missing or cut short, or the server does not give parts of files.
        """
        paths = [f"{self.root}/shards/{shard:06d}.tar" for shard in shards]
        starts, sizes = ([place[i] for place in places] for i in (0, 1))
        ends = [start + size for start, size in zip(starts, sizes, strict=True)]
        with reading(self.address):
            found = self.system.cat_ranges(paths, starts, ends, on_error="raise")
        for path, data, size in zip(paths, found, sizes, strict=True):
            if len(data) != size:
                raise PosebookError(
                    f"{path}: {size} bytes of a picture were asked for, {len(data)} came. The file must be whole, and "
                    "the server must understand byte ranges (HTTP's Range)."
                )
        return found
