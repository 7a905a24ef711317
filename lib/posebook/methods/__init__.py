"""Networks as methods that look at anyone's pictures: official weights or ours, one kind of answer, one camera."""

from posebook.methods.answers import FOCAL, BodyAnswer, PictureAnswer, Placed, View, default_root_depth, place
from posebook.methods.method import Looked, Method, look, same_box

__all__ = [
    "FOCAL",
    "BodyAnswer",
    "Looked",
    "Method",
    "PictureAnswer",
    "Placed",
    "View",
    "default_root_depth",
    "look",
    "place",
    "same_box",
]
