"""The true person of a rendered sample as a method: what a perfect network would say of this one picture."""

import numpy as np
import torch

from posebook.body import load_assets, load_body
from posebook.cameras import project
from posebook.data import Sample
from posebook.joints import SMPL24
from posebook.methods.answers import PictureAnswer
from posebook.methods.method import Method

LEVEL = "coarse"  # of the free body


def true_method(sample: Sample, margin: float) -> Method:
    """A method that answers with the sample's own person, whatever crop it is shown.

    Its mesh is known in the picture and relative to the root, as a lixel mesh is; so focal length and root depth do to
    it what they do to a lixel mesh.

    Args:
        sample: with body parameters. margin: side of the sample's picture over the person's box.
    """
    layer, assets = load_body(level=LEVEL), load_assets(LEVEL)
    parameters = {name: torch.from_numpy(np.array(getattr(sample, name)))[None]
                  for name in ("global_orient", "body_pose", "betas", "transl")}  # fmt: skip
    with torch.no_grad():
        out = layer(**parameters)
    root, K = out.joints[:, :1], torch.from_numpy(np.array(sample.K))

    def in_crop(points):
        return torch.cat((project(points, K), (points - root)[..., 2:]), -1)

    found = PictureAnswer(in_crop(out.vertices), in_crop(out.joints[:, :24]))

    def model(crops):
        return PictureAnswer(*(points.expand(len(crops), -1, -1) for points in found))

    return Method("true (stand-in only)", "the rendered sample's own parameters", PictureAnswer, model,
                  sample.image.shape[0], margin, SMPL24.bones, assets.faces,
                  torch.tensor(assets.regressors["h36m17"]))  # fmt: skip
