"""Human3.6M's own archives: CDF files of 32 joints per subject, action and camera, and one video each.

`S9/MyPoseFeatures/D3_Positions_mono/Directions 1.55011271.cdf` holds Pose (1, T, 96) in millimetres of the camera
frame, `…/D2_Positions/…` Pose (1, T, 64) in pixels, seen through a lens. Intrinsics come from metadata.xml if it is
there, else from the table below. Boxes are drawn round the 2D joints. Source: specs/data.md section 1.1.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block
from posebook.data.real.geometry import intrinsics
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

SUBJECTS = {"train": ("S1", "S5", "S6", "S7", "S8"), "test": ("S9", "S11")}
D3, D2 = "MyPoseFeatures/D3_Positions_mono", "MyPoseFeatures/D2_Positions"
CAMERAS = {  # fx fy cx cy k1 k2 k3 p1 p2, the order of metadata.xml (VideoPose3D stores the last two exchanged)
    "54138969": (1145.0494, 1143.7811, 512.5415, 515.4515, -0.207099, 0.247775, -0.003075, -0.001425, -0.000976),
    "55011271": (1149.6757, 1147.5917, 508.8486, 508.0649, -0.194214, 0.240409, 0.006820, -0.002741, -0.001619),
    "58860488": (1149.1407, 1148.7990, 519.8159, 501.4026, -0.208338, 0.255488, -0.002460, -0.000760, 0.001484),
    "60457274": (1145.5114, 1144.7739, 514.9683, 501.8820, -0.198384, 0.218324, -0.008948, -0.001813, -0.000587),
}
NAME = re.compile(r"(?P<action>.+?)\.(?P<camera>\d{8})\.cdf$")


def label_files(source: Path, split: str) -> list[Path]:
    """CDF files of a split: every 3D file and the 2D file of the same name."""
    found = [p for s in SUBJECTS[split] for p in sorted((source / s / D3).glob("*.cdf")) if not p.name.startswith("_")]
    names = [p for p in found if NAME.search(p.name) and not p.name.startswith("_ALL")]
    existing(names, "human36m", f"Looked for {source}/S*/{D3}/*.cdf of {', '.join(SUBJECTS[split])}.")
    return names + existing([p.parents[1] / "D2_Positions" / p.name for p in names], "human36m")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per video."""
    cameras = read_cameras(source)
    for path in label_files(source, split):
        if path.parent.name == "D3_Positions_mono":
            yield video_block(path, cameras)


def read_pose(path: Path, size: int) -> np.ndarray:
    """(T, 32, size) of a CDF file.

    Raises:
        PosebookError: cdflib is not installed, the file is none, or its Pose has another shape.
    """
    try:
        import cdflib
    except ImportError:
        raise PosebookError(f"{path} needs cdflib: pip install 'posebook[datasets]'.") from None
    try:
        pose = np.asarray(cdflib.CDF(path).varget("Pose"), np.float64)
    except Exception as error:  # a cut file fails in too many ways to list
        raise PosebookError(f"{path} is not a whole CDF file ({error}). Unpack or fetch it again.") from None
    if pose.ndim != 3 or pose.shape[0] != 1 or pose.shape[2] != 32 * size:
        raise PosebookError(f"{path}: expected Pose (1, T, {32 * size}), found {pose.shape}.")
    return pose[0].reshape(-1, 32, size)


def video_block(path: Path, cameras: dict[str, tuple]) -> Block:
    """All frames of one video, metres and pixels."""
    match, subject = NAME.search(path.name), path.parents[2].name
    action, camera = match["action"], match["camera"]
    if camera not in cameras:
        raise PosebookError(f"{path}: unknown camera {camera}; Human3.6M's are {', '.join(cameras)}.")
    points = read_pose(path, 3) / 1000
    pixels = read_pose(path.parents[1] / "D2_Positions" / path.name, 2)
    if len(points) != len(pixels):
        raise PosebookError(f"{path}: {len(points)} frames in 3D, {len(pixels)} in 2D. Get both archives again.")
    count, numbers = len(points), np.array(cameras[camera])
    fields = {
        "K": np.broadcast_to(intrinsics(numbers[:2], numbers[2:4]), (count, 3, 3)),
        "distortion": np.broadcast_to(numbers[4:], (count, 5)),
        "keypoints3d": points,
        "keypoints2d": np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1),
    }
    frames, video = np.arange(count), f"{subject}/Videos/{path.stem}.mp4"
    return Block(
        [f"{video}#{frame}" for frame in frames], frames, f"{subject}_{action.replace(' ', '_')}.{camera}", fields,
        subject=subject, action=action.split(" ")[0], clip=f"{subject} {action}", camera=camera,
    )  # fmt: skip


def camera_numbers(path: Path) -> np.ndarray:
    """(300,) numbers of metadata.xml: 4 cameras x 11 subjects x 6 of their places, then 4 x 9 of their lenses.

    Raises:
        PosebookError: there are not 300.
    """
    match = re.search(r"<w0>\s*\[([^\]]*)\]\s*</w0>", path.read_text(errors="replace"))
    numbers = np.array(match[1].replace(",", " ").split(), dtype=np.float64) if match else np.zeros(0)
    if len(numbers) != 300:
        raise PosebookError(f"{path}: expected 300 camera numbers in <w0>, found {len(numbers)}. Get code-v1.2 again.")
    return numbers


def read_cameras(source: Path) -> dict[str, tuple]:
    """Intrinsics per camera: of metadata.xml below `source` if it is there, else the table."""
    path = next(iter(sorted(source.rglob("metadata.xml"))), None)
    if path is None:
        return CAMERAS
    rows = camera_numbers(path)[264:].reshape(4, 9)
    return {name: tuple(row) for name, row in zip(CAMERAS, rows, strict=True)}


READER = Reader(
    "human36m", label_files, blocks, keypoints="h36m32", fps=50.0,
    pixels="as projected through the lens, taken for continuous pixels",
)  # fmt: skip
