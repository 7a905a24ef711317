"""Which body a process works with: the free one, or the user's SMPL where POSEBOOK_BODY names its converted file.

`posebook run` and `posebook train` set it for datasets whose parameters are SMPL's. It imports nothing of this library:
`posebook.body` asks it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FREE = "free"
VARIABLE = "POSEBOOK_BODY"


def body_in_use() -> str:
    """ "free", or the path of an SMPL file."""
    return os.environ.get(VARIABLE) or FREE


@contextmanager
def using_body(body: str | Path) -> Iterator[None]:
    """Work with a body, in this process and those that it starts.

    Args:
        body: "free", or the path of an SMPL file that data_download/body_models.py has converted.
    """
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = str(body)
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        if before is not None:
            os.environ[VARIABLE] = before
