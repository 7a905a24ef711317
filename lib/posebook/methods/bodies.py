"""Networks that end in SPIN's regressor as methods: single frames, VIBE, TCMR; official or ours."""

from collections.abc import Callable

import torch
from torch import Tensor

from posebook.methods.answers import BodyAnswer
from posebook.models.hmr import HMR, BodyOutput
from posebook.models.tcmr import TCMR
from posebook.models.tcmr_clip import tcmr_clip
from posebook.models.vibe import VIBE, vibe_clip
from posebook.models.weak_perspective import CROP, FOCAL, camera_translation

WINDOW = 16  # frames, of VIBE
BATCH = 16  # crops at once through the backbone
PELVIS = 8  # of the 49 joints: OpenPose's middle of the hips is SMPL's pelvis
BONES49 = ((8, 1), (1, 0), (1, 2), (2, 3), (3, 4), (1, 5), (5, 6), (6, 7), (8, 9), (9, 10), (10, 11), (8, 12), (12, 13),
           (13, 14))  # fmt: skip # of OpenPose's 25, which come first
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, which official backbones expect

Model = Callable[[Tensor], BodyAnswer]


def single_frames(network: HMR, size: int, normalise: bool, shape: bool = True) -> Model:
    """SPIN's network, each crop for itself.

    Args:
        network: in eval mode, with a body that has vertices. size: of the crop, pixels. normalise: take ImageNet's mean
            and deviation out of the pictures.
        shape: False puts the betas to 0: those of another body model mean nothing.
    """
    return lambda crops: _answer(_regressed(network, _features(network, crops, normalise), shape), size)


def video(backbone: HMR, network: VIBE | TCMR, size: int, normalise: bool, shape: bool = True,
          repeat_ends: bool = False) -> Model:  # fmt: skip
    """VIBE or TCMR on the features of a clip; arguments as `single_frames`, `repeat_ends` as `tcmr_clip`."""

    def model(crops: Tensor) -> BodyAnswer:
        features = _features(backbone, crops, normalise)
        if isinstance(network, VIBE):
            clip = vibe_clip(network, features, WINDOW)
        else:
            clip = tcmr_clip(network, features, repeat_ends=repeat_ends).body
        return _answer(clip if shape else _without_shape(network.regressor, clip), size)

    return model


@torch.no_grad()
def _features(network: HMR, crops: Tensor, normalise: bool) -> Tensor:
    """(T, 3, S, S) in [0, 1] -> (T, F), a few crops at a time."""
    mean, deviation = (crops.new_tensor(v).view(3, 1, 1) for v in (MEAN, DEVIATION))
    parts = (((part - mean) / deviation if normalise else part) for part in crops.split(BATCH))
    return torch.cat([network.feature_extractor(part) for part in parts])


def _regressed(network: HMR, features: Tensor, shape: bool) -> BodyOutput:
    found = network.regress(features)
    return found if shape else _without_shape(network, found)


def _without_shape(network, found: BodyOutput) -> BodyOutput:
    """The same pose on the mean body."""
    posed = network.body(torch.zeros_like(found.theta[:, 75:]), found.rotmat)
    return found._replace(vertices=posed.vertices, kp_3d=posed.joints)


def _answer(found: BodyOutput, size: int) -> BodyAnswer:
    """Weak perspective as root and scale in pixels of a crop of `size`: SPIN's long lens, see weak_perspective."""
    root = found.kp_3d[:, PELVIS : PELVIS + 1]  # (T, 1, 3)
    seen = root[:, 0] + camera_translation(found.theta[:, :3])  # (T, 3)
    scale = FOCAL * size / CROP / seen[:, 2]
    pixels = size / 2 + scale.unsqueeze(1) * seen[:, :2]
    vertices = None if found.vertices is None else found.vertices - root
    return BodyAnswer(vertices, found.kp_3d - root, pixels, scale)
