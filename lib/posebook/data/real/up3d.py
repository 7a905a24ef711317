"""UP-3D (Unite the People): files by five-digit number, SMPL fits seen by a camera of focal length 5000.

`%05d_body.pkl` (Python 2) holds SMPL and the camera rt, t of the *fitted* picture; `%05d_fit_crop_info.txt` the size of
that picture and where it lies in `%05d_image.png`: p_image = p_fit (y1 - y0) / fit_h + (x0, y0). Joints (LSP's 14) are
pixels of the image, taken for continuous. Source: specs/data.md section 1.4.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from posebook.data.real.block import Block
from posebook.data.real.body_models import rest_pelvis
from posebook.data.real.files import read_plain_pickle
from posebook.data.real.geometry import camera_transl, intrinsics, rotate_orient
from posebook.data.real.prepare import Reader, existing
from posebook.errors import PosebookError

FIELDS = ("pose", "betas", "trans", "t", "rt", "f")
UNTURNED = 1e-6  # radians of the camera below which SMPL's rest pelvis does not matter


def folder_of(source: Path) -> Path:
    """Folder with the lists: the source or `up-3d` in it."""
    return source / "up-3d" if (source / "up-3d").is_dir() else source


def numbers(source: Path, split: str) -> list[str]:
    """Five-digit numbers of a split's list, whose lines begin `/01234_image.png`."""
    path = existing([folder_of(source) / f"{split}.txt"], "up3d")[0]
    found = [line.split()[0][1:6] for line in path.read_text().splitlines() if line.strip()]
    wrong = [n for n in found if not n.isdecimal()]
    if wrong or not found:
        raise PosebookError(f"{path}: expected lines like /01234_image.png, found {wrong[:1] or 'none'}.")
    return found


def label_files(source: Path, split: str) -> list[Path]:
    """List, fits, joints and crop infos of a split."""
    folder = folder_of(source)
    kinds = ("body.pkl", "joints.npy", "fit_crop_info.txt")
    files = [folder / f"{n}_{kind}" for n in numbers(source, split) for kind in kinds]
    return [folder / f"{split}.txt", *existing(files, "up3d")]


def blocks(source: Path, split: str) -> Iterator[Block]:
    """One block per picture."""
    for number in numbers(source, split):
        yield picture_block(source, folder_of(source), number)


def picture_block(source: Path, folder: Path, number: str) -> Block:
    """One picture: joints, and SMPL in the frame of its camera."""
    path = folder / f"{number}_body.pkl"
    stored = read_plain_pickle(path, "up3d", FIELDS)
    pose, betas, trans, t, rt = (np.asarray(stored[n], np.float64).ravel()[None] for n in FIELDS[:5])
    if pose.shape != (1, 72) or betas.shape != (1, 10):
        raise PosebookError(f"{path}: expected 72 pose and 10 shape numbers, found {pose.shape[1]}, {betas.shape[1]}.")
    R = Rotation.from_rotvec(rt).as_matrix()
    fields = {
        "K": image_K(folder / f"{number}_fit_crop_info.txt", float(np.ravel(stored["f"])[0]))[None],
        "keypoints2d": lsp_joints(folder / f"{number}_joints.npy")[None],
        "global_orient": rotate_orient(R, pose[:, :3]),
        "body_pose": pose[:, 3:],
        "betas": betas,
        "transl": camera_transl(R, t, trans, pelvis_of(betas, rt, path)),
    }
    image = (folder / f"{number}_image.png").relative_to(source)
    return Block(str(image), np.array([int(number)]), f"up3d-{number}", fields, sample_id=f"up3d-{number}",
                 gender="neutral")  # fmt: skip


def pelvis_of(betas: np.ndarray, rt: np.ndarray, path: Path) -> np.ndarray:
    """(1, 3) SMPL's rest pelvis, which only a turned camera needs."""
    if np.abs(rt).max() < UNTURNED:
        return np.zeros((1, 3))
    pelvis = rest_pelvis(betas)
    if pelvis is None:
        raise PosebookError(f"{path}: its camera is turned, so SMPL's pelvis is needed. Convert your SMPL files first: "
                            "python data_download/body_models.py --source <folder>.")  # fmt: skip
    return pelvis


def image_K(path: Path, focal: float) -> np.ndarray:
    """(3, 3) pinhole matrix of the whole image from the fitted picture's: fit_h fit_w y0 y1 x0 x1."""
    words = path.read_text().split()
    if len(words) != 6:
        raise PosebookError(f"{path}: expected six numbers, fit_h fit_w y0 y1 x0 x1; found {len(words)}.")
    fit_h, fit_w, y0, y1, x0, _ = map(float, words)
    scale = (y1 - y0) / fit_h
    return intrinsics(focal * scale, (fit_w / 2 * scale + x0, fit_h / 2 * scale + y0))


def lsp_joints(path: Path) -> np.ndarray:
    """(14, 3) x, y, confidence of a (2 or 3, 14) file."""
    try:
        found = np.load(path, allow_pickle=False).astype(np.float64)
    except (ValueError, OSError, EOFError) as error:
        raise PosebookError(f"{path} is not a plain npy file ({error}). Unpack it again.") from None
    if found.shape not in ((2, 14), (3, 14)):
        raise PosebookError(f"{path}: expected (2 or 3, 14), found {found.shape}.")
    return np.concatenate([found.T[:, :2], found.T[:, 2:] if len(found) == 3 else np.ones((14, 1))], 1)


READER = Reader("up3d", label_files, blocks, keypoints="lsp14", pixels="of the image, taken for continuous pixels")
