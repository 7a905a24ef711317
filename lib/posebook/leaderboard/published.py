"""What the papers and others print for these methods, and how far each number can be trusted.

Only numbers that a page, a repository or another paper's table prints are here. Those that we merely remember are not:
their rows say so in words. None compares with ours: other people, other pictures, other sizes of networks and data.
Sources: specs/c2f.md 8, nbf.md 8, i2l.md 5, vibe.md 4, selfsup.md 3.2.
"""

from typing import NamedTuple

import pandas as pd

VERIFIED, QUOTED, WITHDRAWN, UNVERIFIED = "verified", "as others print it", "withdrawn", "unverified: not printed"
WHY_NOT = (
    "Published numbers are of photographs of other people (Human3.6M, 3DPW), with other joint regressors, other frames "
    "and other alignments, from networks and training sets many times larger. Ours are of small rendered people. "
    "Neither repeats the other: a smaller number here says nothing against a larger one there."
)


class Published(NamedTuple):
    """One number in print, or one that is not printed here."""

    method: str
    dataset: str
    metric: str
    value: float | None  # mm (accelerations mm/frame²); None where we only remember it
    status: str
    source: str


_C2F, _NBF, _I2L, _VIBE, _TCMR, _SELF = "C2F volume", "NBF", "I2L-MeshNet", "VIBE", "TCMR", "self-supervised"
_T6 = "TCMR, table 6"

PUBLISHED = (
    Published(_C2F, "Human3.6M", "MPJPE", 71.9, QUOTED, "two later papers' tables"),
    Published(_C2F, "Human3.6M", "PA-MPJPE", 51.9, QUOTED, "two public lists"),
    Published(_C2F, "Human3.6M", "MPJPE of the ablations", None, UNVERIFIED, "C2F, tables 1 and 2, from memory"),
    Published(_NBF, "Human3.6M", "PA-MPJPE", 59.9, QUOTED, "public lists; I2L-MeshNet's table"),
    Published(_NBF, "HumanEva-I", "reconstruction error", 64.0, QUOTED, "public lists"),
    Published(_NBF, "UP-3D", "errors of the ablations", None, UNVERIFIED, "NBF, from memory"),
    Published(f"{_I2L} lixel", "Human3.6M", "MPJPE", 55.83, VERIFIED, "official README"),
    Published(f"{_I2L} lixel", "Human3.6M", "PA-MPJPE", 41.10, VERIFIED, "official README"),
    Published(f"{_I2L} lixel", "3DPW", "MPJPE", 93.15, VERIFIED, "official README"),
    Published(f"{_I2L} body model", "3DPW", "MPJPE", 100.04, VERIFIED, "official README"),
    Published(_I2L, "Human3.6M", "MPJPE of the ablations", None, UNVERIFIED, "I2L-MeshNet, tables 1 to 3, from memory"),
    Published(f"{_VIBE}, without 3DPW", "3DPW", "MPJPE", 93.5, QUOTED, _T6),
    Published(f"{_VIBE}, without 3DPW", "3DPW", "PA-MPJPE", 56.5, VERIFIED, f"official README; {_T6}"),
    Published(f"{_VIBE}, with 3DPW", "3DPW", "MPJPE", 82.9, WITHDRAWN, "its authors: test data had leaked"),
    Published(f"{_VIBE}, with 3DPW", "3DPW", "PA-MPJPE", 51.9, WITHDRAWN, "its authors: test data had leaked"),
    Published(_VIBE, "3DPW", "ablations", None, UNVERIFIED, "VIBE, from memory; of the withdrawn training"),
    Published(_TCMR, "3DPW", "MPJPE", 95.0, VERIFIED, _T6),
    Published(_TCMR, "3DPW", "PA-MPJPE", 55.8, VERIFIED, _T6),
    Published(_TCMR, "3DPW", "ACCEL_ERR", 6.7, VERIFIED, _T6),
    Published("ElePose (lifter)", "Human3.6M, true 2D", "P-MPJPE, mirror allowed", 36.7, QUOTED, "paperswithcode.com"),
    Published("ElePose (lifter)", "Human3.6M, true 2D", "N-MPJPE", 64.0, QUOTED, "paperswithcode.com, as 'MPJPE'"),
    Published(f"Sosa and Hogg ({_SELF})", "Human3.6M", "all", None, UNVERIFIED, "the paper's tables were not seen"),
)


def published_table() -> pd.DataFrame:
    """The list as a table: method, dataset, metric, value, status, source; no value where none is printed."""
    lines = [row._asdict() | {"value": "" if row.value is None else f"{row.value:g}"} for row in PUBLISHED]
    return pd.DataFrame(lines).rename(columns={"value": "value, mm"})
