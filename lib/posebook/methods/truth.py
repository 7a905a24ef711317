"""The true person of rendered samples as a method: what a perfect network would say of these very pictures."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from posebook.body import load_assets, load_body
from posebook.cameras import project
from posebook.data import Sample
from posebook.joints import SMPL24
from posebook.methods.answers import PictureAnswer
from posebook.methods.method import Method

LEVEL = "coarse"  # of the free body


def true_method(samples: Sequence[Sample], margin: float) -> Method:
    """A method that answers with the samples' own person, whatever crops it is shown: the first T for T crops.

    Its mesh is known in the picture and relative to the root, as a lixel mesh is; so focal length and root depth do to
    it what they do to a lixel mesh.

    Args:
        samples: frames of a sequence, with body parameters. margin: side of their pictures over the person's box.
    """
    layer, assets = load_body(level=LEVEL), load_assets(LEVEL)
    parameters = {name: stacked(samples, name) for name in ("global_orient", "body_pose", "betas", "transl")}
    with torch.no_grad():
        out = layer(**parameters)
    root, K = out.joints[:, :1], stacked(samples, "K")

    def in_crop(points: Tensor) -> Tensor:
        return torch.cat((project(points, K), (points - root)[..., 2:]), -1)

    found = PictureAnswer(in_crop(out.vertices), in_crop(out.joints[:, :24]))

    def model(crops: Tensor) -> PictureAnswer:
        return PictureAnswer(*(points[: len(crops)] for points in found))

    return Method("true (stand-in only)", "the rendered samples' own parameters", PictureAnswer, model,
                  samples[0].image.shape[0], margin, SMPL24.bones, assets.faces,
                  torch.tensor(assets.regressors["h36m17"]), whole_clip=True)  # fmt: skip


def stacked(samples: Sequence[Sample], field: str) -> Tensor:
    """A field of all samples, (T, ...)."""
    return torch.from_numpy(np.stack([getattr(sample, field) for sample in samples]))
