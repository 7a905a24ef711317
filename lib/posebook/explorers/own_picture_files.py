"""What OwnPictureExplorer takes in: uploaded files, and a first guess of the box."""

import io

import numpy as np
from PIL import Image, ImageOps

from posebook.errors import PosebookError
from posebook.video import person_detector

LARGEST = 50_000_000  # pixels of a picture that is taken
SHARE = 0.9  # of the picture: the box where nobody was found


def read_picture(name: str, content: bytes) -> np.ndarray:
    """(H, W, 3) uint8 RGB, upright, of an uploaded file.

    Raises:
        PosebookError: not a picture, or one of more than 50 million pixels.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.width * picture.height > LARGEST:
                raise PosebookError(f"{name} has {picture.width} x {picture.height} pixels; scale it down below 50 M.")
            return np.array(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, Image.DecompressionBombError) as error:
        raise PosebookError(f"{name} is not a picture that can be read: {error}. Use JPEG or PNG.") from None


def guess_box(picture: np.ndarray) -> np.ndarray:
    """(4,) the surest person that the HOG detector finds, else most of the picture."""
    height, width = picture.shape[:2]
    try:
        found = person_detector()(picture)
    except PosebookError:  # no OpenCV here
        found = np.zeros((0, 5))
    if len(found):
        return found[0, :4]
    margin = (1 - SHARE) / 2
    return np.array([margin * width, margin * height, SHARE * width, SHARE * height])
