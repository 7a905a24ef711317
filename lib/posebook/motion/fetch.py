"""Get an archive of BVH files over https and take only the BVH files out of it."""

import re
from pathlib import Path

from posebook.errors import PosebookError
from posebook.fetch import download, is_archive, need_space, reading, write_member

__all__ = ["CLIPS_SPACE", "check_address", "download", "extract", "need_space"]

LARGEST = 64 << 20  # bytes: no CMU file is larger; a bigger member is not one
MEMBER = re.compile(r"(?:^|/)(\d{2,3}_\d{2}\.bvh(?:\.gz)?)$")
CLIPS_SPACE = 700 << 20  # bytes: all 2,435 prepared clips


def check_address(address: str) -> None:
    """PosebookError unless the address is https and names a zip or tar archive."""
    if not address.startswith("https://"):
        raise PosebookError(f"{address}: only https addresses are fetched.")
    if not is_archive(address.split("?")[0]):
        raise PosebookError(f"{address}: expected a .zip or .tar archive of BVH files.")


def extract(archive: Path, folder: Path) -> list[Path]:
    """Take the files named <SS_TT>.bvh[.gz] out of a zip or tar archive into one flat folder.

    Only regular members are read and only the last part of their names is used, so nothing can be written outside
    `folder`; members larger than LARGEST are refused.

    Returns:
        The extracted files.

    Raises:
        PosebookError: a damaged archive, a member that is too large, or no such files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with reading(archive) as members:
        for member in members:
            match = MEMBER.search(member.name)
            if member.regular and match:
                target = folder / match[1]
                write_member(member, target, LARGEST, archive)
                made.append(target)
    if not made:
        raise PosebookError(f"{archive} holds no files named like 02_01.bvh.")
    return made
