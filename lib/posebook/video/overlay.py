"""What was found, drawn on the video's pictures: boxes, 2D skeletons, the person's number. For MP4 and GIF."""

from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image, ImageDraw

from posebook.errors import PosebookError
from posebook.joints import JointSet
from posebook.plots.skeleton import bone_points
from posebook.plots.style import COLOURS, PAPER, SIDES
from posebook.video.crop import apply_affine, invert_affine
from posebook.video.results import TrackResult


def draw_overlay(image: np.ndarray, joints=None, joint_set: JointSet | None = None, box=None, label: str = "",
                 colour: str = COLOURS[0]) -> np.ndarray:  # fmt: skip
    """Draw one person on a picture.

    Args:
        image: (H, W, 3) uint8, left as it is.
        joints: (J, 2) continuous pixels, NaN where unknown; left blue, right orange.
        joint_set: of the joints.
        box: (4,) x, y, width, height. label: text at its upper left corner. colour: of both.

    Returns:
        (H, W, 3) uint8.

    Raises:
        PosebookError: joints without a joint set, or that do not fit it.
    """
    if joints is not None and joint_set is None:
        raise PosebookError("draw_overlay: joints need their joint_set.")
    picture = Image.fromarray(image)
    pen, width = ImageDraw.Draw(picture), max(1, round(min(image.shape[:2]) / 160))
    if box is not None and np.isfinite(box).all():
        x, y, right, below = np.round([box[0], box[1], box[0] + box[2] - 1, box[1] + box[3] - 1]).tolist()
        pen.rectangle((x, y, max(x, right), max(y, below)), outline=colour, width=width)
        if label:
            pen.text((x + 2 * width, y + width), label, fill=PAPER, stroke_width=1, stroke_fill=colour)
    if joints is not None:
        points, sides = bone_points(joints, joint_set)
        for start in range(0, len(points), 3):
            ends = points[start : start + 2] - 0.5  # Pillow's pixel i has its middle at i
            if np.isfinite(ends).all():
                line = [tuple(end) for end in ends.tolist()]
                pen.line(line, fill=PAPER, width=3 * width)
                pen.line(line, fill=SIDES[0][sides[start]], width=2 * width)
    return np.array(picture)


def overlay_frames(
    pictures: Iterable[np.ndarray],
    results: list[TrackResult],
    joints: str | None = None,
    joint_set: JointSet | None = None,
    boxes: bool = True,
) -> Iterator[np.ndarray]:
    """All people on all pictures, one picture at a time, for `write_mp4` and `write_gif`.

    Args:
        pictures: of the video, as `open_frames` gives them.
        results: of `run_video`.
        joints: name of the output with (n, J, 2 or more) crop pixels; None draws none.
        joint_set: of the joints.
        boxes: draw them, with the track's number; "(filled)" where nobody was found.

    Raises:
        PosebookError: no such output.
    """
    for result in results:
        if joints is not None and joints not in result.outputs:
            raise PosebookError(f"No output {joints!r}; the model gave {', '.join(result.outputs)}.")
    rows = [{int(frame): row for row, frame in enumerate(result.frames)} for result in results]
    for frame, picture in enumerate(pictures):
        for i, result in enumerate(results):
            row = rows[i].get(frame)
            if row is None:
                continue
            back = invert_affine(result.affines[row])
            points = None if joints is None else apply_affine(back, result.outputs[joints][row][:, :2])
            label = f"{result.track} (filled)" if result.filled[row] else str(result.track)
            picture = draw_overlay(picture, points, joint_set, result.boxes[row] if boxes else None, label,
                                   COLOURS[i % len(COLOURS)])  # fmt: skip
        yield picture
