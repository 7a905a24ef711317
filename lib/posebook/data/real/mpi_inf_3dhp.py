"""MPI-INF-3DHP: `S1/Seq1/annot.mat` (MATLAB v5) and `camera.calibration` to train, `annot_data.mat` (v7.3) to test.

Training holds 28 joints for each of 14 cameras, the test set 17; millimetres of the camera frame, pixels. `keypoints3d`
are the metric joints (annot3), `universal3d` those scaled to one skeleton (univ_annot3), on which the dataset's metrics
are computed. Sequences run at 25 or 50 frames per second: rely on frame numbers. Source: specs/data.md section 1.6.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posebook.data.real.block import Block
from posebook.data.real.files import open_h5, read_mat
from posebook.data.real.geometry import intrinsics
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

CAMERAS = (0, 1, 2, 4, 5, 6, 7, 8)  # at chest height: those that the papers train on
VIDEO_ENDS = {("S6", "Seq2", 2): 3911}  # labels go on after the video's last frame
TEST = tuple(f"TS{k}" for k in range(1, 7))
TEST_K = {  # fx fy cx cy
    "TS1": (1500.07, 1500.66, 1017.38, 1043.06), "TS2": (1503.78, 1501.27, 1015.23, 1038.68),
    "TS3": (1500.04, 1500.59, 1017.39, 1043.05), "TS4": (1499.93, 1500.76, 1017.37, 1042.99),
    "TS5": (1683.48, 1671.93, 939.93, 560.21), "TS6": (1683.98, 1672.67, 939.85, 560.12),
}  # fmt: skip
ACTIVITIES = ("Stand/Walk", "Exercise", "Sit on Chair", "Reach/Crouch", "On Floor", "Sports", "Misc.")
TEST_FOLDER = "mpi_inf_3dhp_test_set"
TEST_FIELDS = ("annot2", "annot3", "univ_annot3", "valid_frame", "activity_annotation")


def label_files(source: Path, split: str) -> list[Path]:
    """Annotations (and calibrations) of the sequences that are there."""
    if split == "test":
        found = sorted((source / TEST_FOLDER).glob("TS[1-6]/annot_data.mat"))
        return existing(found, "mpi_inf_3dhp", f"Looked for {source / TEST_FOLDER}/TS*/annot_data.mat; run "
                        "get_testset.sh of the archive.")  # fmt: skip
    found = sorted(source.glob("S[1-8]/Seq[12]/annot.mat"))
    existing(found, "mpi_inf_3dhp", f"Looked for {source}/S*/Seq*/annot.mat; run get_dataset.sh of the archive.")
    return found + existing([p.with_name("camera.calibration") for p in found], "mpi_inf_3dhp")


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per camera of a training sequence, or per test sequence."""
    for path in label_files(source, split):
        if path.name == "annot_data.mat":
            yield test_block(path)
        elif path.name == "annot.mat":
            yield from train_blocks(path)


def read_calibration(path: Path) -> dict[int, np.ndarray]:
    """Camera number -> (3, 3) pixels.

    A header line, then seven lines per camera: name, sensor, size, animated, intrinsic (16), extrinsic (16), radial.

    Raises:
        PosebookError: lines are missing or hold other numbers.
    """
    lines = [line.split() for line in path.read_text(errors="replace").splitlines() if line.strip()][1:]
    found = {}
    for start in range(0, len(lines) - len(lines) % 7, 7):
        name, intrinsic = lines[start], lines[start + 4]
        if name[0] != "name" or intrinsic[0] != "intrinsic" or len(intrinsic) != 17:
            raise PosebookError(f"{path}: camera {start // 7} is not in the form of MPI-INF-3DHP's calibrations.")
        found[int(name[1])] = np.array(intrinsic[1:], np.float64).reshape(4, 4)[:3, :3]
    if not set(CAMERAS) <= set(found):
        raise PosebookError(f"{path}: expected cameras {CAMERAS}, found {sorted(found)}. Get the file again.")
    return found


def train_blocks(path: Path) -> Iterator[Block]:
    """Every chosen camera of one sequence."""
    subject, sequence = path.parts[-3:-1]
    stored, K = (
        read_mat(path, ("annot2", "annot3", "univ_annot3")),
        read_calibration(path.parent / "camera.calibration"),
    )
    if len(stored["annot3"]) != 14:
        raise PosebookError(f"{path}: expected 14 cameras in annot3, found {len(stored['annot3'])}.")
    for camera in CAMERAS:
        points, universal = (np.asarray(stored[n][camera], np.float64).reshape(-1, 28, 3) / 1000
                             for n in ("annot3", "univ_annot3"))  # fmt: skip
        pixels = np.asarray(stored["annot2"][camera], np.float64).reshape(-1, 28, 2)
        frames = np.arange(len(points))
        video = f"{subject}/{sequence}/imageSequence/video_{camera}.avi"
        block = Block(
            [f"{video}#{frame}" for frame in frames], frames, f"{subject}_{sequence}_{camera}",
            labels(points, universal, pixels, K[camera]), subject=subject, action=sequence,
            clip=f"{subject}_{sequence}", camera=str(camera),
        )  # fmt: skip
        yield block.pick(frames < VIDEO_ENDS.get((subject, sequence, camera), len(frames)), "after the video's end")


def test_block(path: Path) -> Block:
    """The valid frames of one test sequence."""
    name = path.parent.name
    with open_h5(path, TEST_FIELDS) as stored:
        arrays = {field: np.array(stored[field], np.float64) for field in TEST_FIELDS}
    count = len(arrays["annot3"])
    if arrays["annot3"].shape != (count, 1, 17, 3) or arrays["annot2"].shape != (count, 1, 17, 2):
        raise PosebookError(f"{path}: expected annot3 (N, 1, 17, 3) and annot2 (N, 1, 17, 2), found "
                            f"{arrays['annot3'].shape} and {arrays['annot2'].shape}.")  # fmt: skip
    points, universal = arrays["annot3"][:, 0] / 1000, arrays["univ_annot3"][:, 0] / 1000
    numbers, frames = TEST_K[name], np.arange(count)
    fields = labels(points, universal, arrays["annot2"][:, 0], intrinsics(numbers[:2], numbers[2:]))
    activity = arrays["activity_annotation"].reshape(count).astype(int)
    block = Block(
        [f"{TEST_FOLDER}/{name}/imageSequence/img_{frame + 1:06d}.jpg" for frame in frames], frames, name, fields,
        subject=name, action=[ACTIVITIES[a - 1] if 1 <= a <= 7 else "" for a in activity],
    )  # fmt: skip
    return block.pick(arrays["valid_frame"].reshape(count) > 0, "not valid")


def labels(points: np.ndarray, universal: np.ndarray, pixels: np.ndarray, K: np.ndarray) -> dict[str, np.ndarray]:
    """Fields of both kinds of sequences."""
    return {
        "K": np.broadcast_to(K, (len(points), 3, 3)),
        "keypoints3d": points,
        "universal3d": universal,
        "keypoints2d": np.concatenate([pixels, np.ones_like(pixels[..., :1])], -1),
    }


READER = Reader(
    "mpi_inf_3dhp", label_files, blocks, fps=25.0, keypoints_of={"train": "mpii3d28", "test": "mpii3d17"},
    pixels="as projected, taken for continuous pixels; test pictures count from 1, frame numbers here from 0",
)  # fmt: skip
