"""The official weight files that this library reads: where they are published, under which licence, with which numbers.

Nothing here is downloaded: links and licences are for the reader. Source: specs/data.md 6, i2l.md 4, 5, vibe.md 3, 4.
"""

from dataclasses import dataclass

from posebook.errors import PosebookError
from posebook.metrics.video import SPIN_PROTOCOL, TCMR_PROTOCOL, VIBE_PROTOCOL, VideoProtocol

I2L_PROTOCOL = VideoProtocol("I2L-MeshNet test", "none, single frames", ("pelvis",), "sequence", 0)
WITHDRAWN = "withdrawn by its authors (3DPW's test data had leaked into the training)"
LIXEL, PARAM = "lixel mesh", "body model"  # I2L-MeshNet's two answers
MPI = "mpi_inf_3dhp"


@dataclass(frozen=True)
class Published:
    """One published row of a file, mm; accelerations in mm per frame^2."""

    dataset: str  # human36m, 3dpw, mpi_inf_3dhp or freihand
    values: dict[str, float]  # metric -> value
    source: str  # where it is printed
    answer: str = ""  # which of two answers it is about
    note: str = ""  # WITHDRAWN, or what else the reader must know


@dataclass(frozen=True)
class KnownWeights:
    """One file."""

    name: str  # argument of `posebook weights`
    kind: str  # i2l, hand, spin, vibe or tcmr
    chapter: str
    files: tuple[str, ...]  # names it is published under
    where: str
    licence: str
    trained_on: str
    body: str  # the licensed model file that its numbers need
    published: tuple[Published, ...]
    protocol: VideoProtocol | None  # of the paper's evaluation; None for hands
    frames: str = ""  # which frames the paper scores
    needs: tuple[str, ...] = ()  # other files of this list


_I2L = {"chapter": "03", "body": "SMPL", "protocol": I2L_PROTOCOL, 
        "licence": "MIT (code); holds a copy of SMPL's arrays"}  # fmt: skip
_DRIVE = "github.com/mks0601/I2L-MeshNet_RELEASE, Google Drive id"
_3DPW_FRAMES = "3DPW test, every annotated person; box and root depth from RootNet"
_MPG = "Max Planck licence: research only, no redistribution"
_SPIN = ("spin",)
_T4, _T6 = "TCMR, table 4", "TCMR, table 6"
_TCMR = {"chapter": "04", "body": "SMPL", "protocol": TCMR_PROTOCOL, "needs": _SPIN,
         "licence": "MIT, but most of its files keep VIBE's Max Planck licence"}  # fmt: skip
_TCMR_DRIVE = "github.com/hongsukchoi/TCMR_RELEASE, Google Drive folder 1NxzmKw5QTGtOKgSQetkq66ZO-dbBSzrd"
_VIBE = {"chapter": "04", "body": "SMPL", "protocol": VIBE_PROTOCOL, "needs": _SPIN, "licence": _MPG,
         "frames": "3DPW test, all frames of VIBE's database"}  # fmt: skip
_VIBE_DRIVE = "github.com/mkocabas/VIBE, vibe_data.zip, Google Drive id 1untXhYOLQtpNEy4GTY_0fL_H-k6cTf_r"


def _mm(mpjpe: float, pa: float, **more: float) -> dict[str, float]:
    return {"MPJPE": mpjpe, "PA-MPJPE": pa} | more


def _err(value: float) -> dict[str, float]:
    return {"ACCEL_ERR": value}


KNOWN: tuple[KnownWeights, ...] = (
    KnownWeights("i2l-h36m", "i2l", files=("snapshot_17.pth.tar",), where=f"{_DRIVE} 1c8zzKjnwMmErRDXlt8keVIS9Xoa7lG0c",
                 trained_on="Human3.6M, COCO", frames="S9 and S11, camera 60457274 only, every 64th frame",
                 published=(Published("human36m", _mm(55.83, 41.10), "README", LIXEL),
                            Published("human36m", _mm(66.05, 45.03), "README", PARAM)), **_I2L),
    KnownWeights("i2l-3dpw", "i2l", files=("snapshot_7.pth.tar",), where=f"{_DRIVE} 1Ov6eYbBsgtmnrquo7l1plAT_gW7Gs0Ki",
                 trained_on="Human3.6M, MuCo, COCO", frames=_3DPW_FRAMES,
                 published=(Published("3dpw", _mm(93.15, 57.73), "README", LIXEL),
                            Published("3dpw", _mm(100.04, 60.04), "README", PARAM)), **_I2L),
    KnownWeights("i2l-smooth", "i2l", files=("snapshot_8.pth.tar",),
                 where=f"{_DRIVE} 1QuDfHYZSQpafCdi6Ibsh-U41nQvCPAcQ",
                 trained_on="Human3.6M, MuCo, COCO; no joint_orig losses",
                 frames=_3DPW_FRAMES,
                 published=(Published("3dpw", _mm(93.47, 60.87), "README", LIXEL),
                            Published("3dpw", _mm(99.34, 61.80), "README", PARAM)), **_I2L),
    KnownWeights("i2l-hand", "hand", "03", ("snapshot_24.pth.tar",), f"{_DRIVE} 12NJRiIBG3RPqWHS93InlyGm3WSZrT8rX",
                 "MIT (code); holds a copy of MANO's arrays", "FreiHAND", "MANO",
                 (Published("freihand", {"PA-MPJPE": 7.4, "PA-MPVPE": 7.6, "F@5": 0.681, "F@15": 0.973},
                            "paper, table 7", LIXEL),), None,
                 "3,960 evaluation pictures, boxes and depth from RootNet"),
    KnownWeights("spin", "spin", "04", ("spin_model_checkpoint.pth.tar", "model_checkpoint.pt"),
                 "github.com/nkolot/SPIN, visiondata.cis.upenn.edu/spin; also in VIBE's vibe_data.zip",
                 "BSD-3 style (code); holds a copy of SMPL's arrays", "not stated in our sources", "SMPL",
                 (Published("3dpw", _mm(96.9, 59.2, PVE=116.4, Accel=29.8), _T6, note="as another paper prints it"),
                  Published(MPI, _mm(105.2, 67.5), _T6, note="as another paper prints it"),
                  Published("human36m", {"PA-MPJPE": 41.1, "Accel": 18.3}, _T6, note="as another paper prints it")),
                 SPIN_PROTOCOL, "3DPW test, all frames, gendered ground truth"),
    KnownWeights("vibe-wo-3dpw", "vibe", files=("vibe_model_wo_3dpw.pth.tar",), where=_VIBE_DRIVE,
                 trained_on="InstaVariety (2D), MPI-INF-3DHP, AMASS as motion prior (its code's default)",
                 published=(Published("3dpw", _mm(93.59, 56.56, PVE=113.41, ACCEL=27.12, ACCEL_ERR=27.99),
                                      "doc/eval.md; the tables' 27.1 is ACCEL"),
                            Published(MPI, _mm(97.7, 63.4, Accel=29.0), _T6,
                                      note="TCMR's authors measured 101.15 / 65.22 with the same file"),
                            Published("human36m", _mm(65.9, 41.5, Accel=18.3), _T6)), **_VIBE),
    KnownWeights("vibe-w-3dpw", "vibe", files=("vibe_model_w_3dpw.pth.tar",), where=_VIBE_DRIVE,
                 trained_on="as vibe-wo-3dpw, and 3DPW",
                 published=(Published("3dpw", _mm(82.97, 52.00, PVE=99.11, ACCEL=22.37, ACCEL_ERR=23.43),
                                      "doc/eval.md of 2020; the table's 23.4 is ACCEL_ERR", note=WITHDRAWN),), **_VIBE),
    KnownWeights("tcmr-table4-3dpw", "tcmr", files=("tcmr_table4_3dpw_test.pth.tar",), where=_TCMR_DRIVE,
                 trained_on="InstaVariety, perhaps PoseTrack (2D); 3DPW, MPI-INF-3DHP, Human3.6M",
                 frames="3DPW test, valid frames",
                 published=(Published("3dpw", _mm(86.5, 52.7, PVE=102.9) | _err(6.8), _T4),), **_TCMR),
    KnownWeights("tcmr-table4-mpii3d-h36m", "tcmr", files=("tcmr_table4_mpii3dd_h36m_test.pth.tar",), where=_TCMR_DRIVE,
                 trained_on="InstaVariety, perhaps PoseTrack (2D); 3DPW, MPI-INF-3DHP, Human3.6M",
                 frames="Human3.6M: 4 cameras, 25 fps; MPI-INF-3DHP: valid frames, 17 joints",
                 published=(Published("human36m", _mm(73.6, 52.0) | _err(3.9), _T4),
                            Published(MPI, _mm(97.3, 63.5) | _err(8.5), _T4)), **_TCMR),
    KnownWeights("tcmr-table6-3dpw", "tcmr", files=("tcmr_table6_3dpw_test.pth.tar",), where=_TCMR_DRIVE,
                 trained_on="InstaVariety (2D), MPI-INF-3DHP, Human3.6M; not 3DPW", frames="3DPW test, valid frames",
                 published=(Published("3dpw", _mm(95.0, 55.8, PVE=111.5) | _err(6.7), _T6),), **_TCMR),
    KnownWeights("tcmr-table6-h36m", "tcmr", files=("tcmr_table6_h36m_test.pth.tar",), where=_TCMR_DRIVE,
                 trained_on="InstaVariety (2D), MPI-INF-3DHP, Human3.6M", frames="frontal camera, 25 fps, tight box",
                 published=(Published("human36m", _mm(62.3, 41.1) | _err(5.3), _T6),), **_TCMR),
    KnownWeights("tcmr-table6-mpii3d", "tcmr", files=("tcmr_table6_mpii3d_test.pth.tar",), where=_TCMR_DRIVE,
                 trained_on="InstaVariety (2D), MPI-INF-3DHP, Human3.6M", frames="valid frames, 17 joints",
                 published=(Published(MPI, _mm(96.5, 62.8) | _err(9.5), _T6),), **_TCMR),
    KnownWeights("tcmr-demo", "tcmr", files=("tcmr_demo_model.pth.tar",),
                 where="github.com/hongsukchoi/TCMR_RELEASE, base_data.zip, "
                 "Google Drive id 1WmSYmDWdMSXyNU6ZcFQVF8ULtR_S9L3b",
                 trained_on="not stated in our sources", published=(), **_TCMR),
)  # fmt: skip


def known_weights(name: str) -> KnownWeights:
    """One file by its name here.

    Raises:
        PosebookError: no such name.
    """
    for known in KNOWN:
        if known.name == name:
            return known
    raise PosebookError(f"Unknown weights {name!r}. Expected one of {', '.join(k.name for k in KNOWN)}.")
