"""Steady boxes: a crop that jumps makes a person jump. Median filter, then Gaussian (specs/vibe.md section 2.3)."""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import medfilt

from posebook.errors import PosebookError
from posebook.video.tracks import Track

MEDIAN, SIGMA = 11, 8.0  # frames
VISIBLE = 0.3  # least confidence of a joint that counts
HEIGHT = 150.0  # pixels that a person's diagonal gets at scale 1 in 3DPW's preparation
SMALLEST = 0.5  # pixels: a smaller person is no person


class OfficialBoxes(NamedTuple):
    """Boxes from 2D joints as in 3DPW's preparation."""

    parameters: np.ndarray  # (last, 3) centre x, y in pixels, and scale = 150 / diagonal in pixels; 0 before `first`
    first: int  # first frame with a visible person
    last: int  # one past the last


def smooth_boxes(track: Track, median: int = MEDIAN, sigma: float = SIGMA) -> Track:
    """Smooth centre and size of a track's boxes, each stretch without gaps by itself.

    Width and height are filtered as logarithms. Beyond its ends the motion goes on as it came (odd reflection), so a
    steady walk passes unchanged; the official median filter puts zeros there, which pulls the first and last boxes
    towards the picture's corner.

    Args:
        track: boxes (n, 4); one box alone stays as it is.
        median: frames, odd; 1 switches it off.
        sigma: frames of the Gaussian; 0 switches it off.

    Raises:
        PosebookError: an even median, a negative sigma.
    """
    if median < 1 or median % 2 == 0 or sigma < 0:
        raise PosebookError(f"Expected an odd median and a sigma of at least 0 frames, got {median} and {sigma}.")
    shape = np.concatenate([track.boxes[:, :2] + track.boxes[:, 2:] / 2, np.log(track.boxes[:, 2:])], axis=1)
    for rows in track.stretches:
        shape[rows] = _filtered(shape[rows], median, sigma)
    sides = np.exp(shape[:, 2:])
    return track._replace(boxes=np.concatenate([shape[:, :2] - sides / 2, sides], axis=1))


def _filtered(values: np.ndarray, median: int, sigma: float) -> np.ndarray:
    """Both filters over (n, 4), n at least 1."""
    if len(values) == 1:
        return values
    reach = median // 2 + int(np.ceil(4 * sigma))
    longer = np.pad(values, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    steady = median_filter(longer, (median, 1), mode="nearest")
    smooth = gaussian_filter1d(steady, sigma, axis=0, mode="nearest") if sigma else steady
    return smooth[reach : reach + len(values)]


def official_smooth_boxes(keypoints, visible: float = VISIBLE, median: int = MEDIAN, sigma: float = SIGMA):
    """Boxes of a person's 2D joints over time, as 3DPW was prepared for VIBE and TCMR.

    Frames without a visible joint are interpolated between their neighbours and cut off at both ends. The median
    filter assumes zeros beyond the ends, as officially.

    Args:
        keypoints: (T, J, 3) x, y in pixels, confidence.
        visible: joints above it count.
        median, sigma: frames.

    Returns:
        `OfficialBoxes`.

    Raises:
        PosebookError: another shape, nobody visible in any frame.
    """
    keypoints = np.asarray(keypoints, dtype=np.float64)
    if keypoints.ndim != 3 or keypoints.shape[2] != 3:
        raise PosebookError(f"keypoints: expected (T, J, 3) x, y, confidence; got {keypoints.shape}.")
    seen = [_parameters(joints[joints[:, 2] > visible, :2]) for joints in keypoints]
    frames = [t for t, found in enumerate(seen) if found is not None]
    if not frames:
        raise PosebookError(f"keypoints: no frame has joints with confidence above {visible}.")
    first, last = frames[0], frames[-1] + 1
    known = np.stack([seen[t] for t in frames])
    whole = np.stack([np.interp(np.arange(first, last), frames, column) for column in known.T], axis=1)
    steady = np.stack([medfilt(column, median) for column in whole.T], axis=1)
    smooth = gaussian_filter1d(steady, sigma, axis=0)
    return OfficialBoxes(np.concatenate([np.zeros((first, 3)), smooth]), first, last)


def _parameters(points: np.ndarray) -> np.ndarray | None:
    if not len(points):
        return None
    low, high = points.min(0), points.max(0)
    diagonal = np.linalg.norm(high - low)
    return None if diagonal < SMALLEST else np.array([*(low + high) / 2, HEIGHT / diagonal])
