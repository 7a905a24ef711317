"""What a Dask worker is asked before it gets a run. It is sent as source, so a worker needs no Posebook to answer.

Standard library only, and nothing of this package is imported at the top: see `posebook.bench.preflight`.
"""

import importlib.util
import os
import socket
import sys
from typing import Any


def look(shared: str, token: str) -> dict[str, Any]:
    """Facts about this worker.

    Args:
        shared: file that the client wrote into the results folder.
        token: what it holds.

    Returns:
        host, python, package ("" where there is none), shares (whether the file is there), writes (the error
        message when the results folder cannot be written to, else "").
    """
    spec = importlib.util.find_spec("posebook")
    facts = {"host": socket.gethostname(), "python": sys.executable, "package": spec.origin or "" if spec else ""}
    try:
        with open(shared) as stream:
            facts["shares"] = stream.read() == token
    except OSError:
        facts["shares"] = False
    try:
        written = f"{shared}-{socket.gethostname()}-{os.getpid()}"
        with open(written, "x"):
            pass
        os.remove(written)
        facts["writes"] = ""
    except OSError as error:
        facts["writes"] = str(error)
    return facts
