"""Videos in and out: pictures, boxes, tracks, crops, a model on each person, and what it found."""

from posebook.video.box_smoothing import OfficialBoxes, official_smooth_boxes, smooth_boxes
from posebook.video.boxes import BoxTable, box_table, read_boxes, write_boxes
from posebook.video.crop import Crop, apply_affine, crop_affine, invert_affine, square_crop
from posebook.video.detect import person_detector
from posebook.video.frames import Frames, open_frames
from posebook.video.overlay import draw_overlay, overlay_frames
from posebook.video.results import TrackResult, VideoResults, read_results, write_results
from posebook.video.run import run_video
from posebook.video.tracks import Track, fill_gaps, iou, link, tracks_of
from posebook.video.write import write_gif, write_mp4

__all__ = [
    "BoxTable",
    "Crop",
    "Frames",
    "OfficialBoxes",
    "Track",
    "TrackResult",
    "VideoResults",
    "apply_affine",
    "box_table",
    "crop_affine",
    "draw_overlay",
    "fill_gaps",
    "invert_affine",
    "iou",
    "link",
    "official_smooth_boxes",
    "open_frames",
    "overlay_frames",
    "person_detector",
    "read_boxes",
    "read_results",
    "run_video",
    "smooth_boxes",
    "square_crop",
    "tracks_of",
    "write_boxes",
    "write_gif",
    "write_mp4",
    "write_results",
]
