"""Chapter 5's method as one that looks at anyone's picture: painter, reader and lifter, trained without a label."""

from collections.abc import Callable

import torch
from torch import Tensor

from posebook.experiments.lifting_images import image_variants
from posebook.experiments.lifting_sets import METRES, to_pixels
from posebook.methods.answers import BodyAnswer
from posebook.methods.method import DEPTH_MARGIN, Method
from posebook.methods.trained import about, newest
from posebook.models.selfsup import BODY17, ImageModel, PosePrior
from posebook.profile import Profile

NAME, ROW = "self-supervised lifting", "from image"
ACROSS = 2.0  # metres that the widened box measures at the root, as `default_root_depth` takes it
UNSURE = "near and far, left and right may be exchanged: no label told them apart"


def blank_pipeline(profile: Profile) -> ImageModel:
    """The networks of row ROW without weights, of a profile's sizes."""
    p = profile.lifting
    variant = next(v for v in image_variants() if v.row == ROW)
    prior = PosePrior(BODY17, hidden=p.flow_hidden, blocks=p.blocks)
    nobody = torch.linspace(-1, 1, 2 * 2 * len(BODY17.joints)).reshape(2, -1, 2)  # its scale comes with the weights
    return ImageModel(prior, nobody, p.image_size, *p.image_widths, p.width, with_lifter=variant.with_lifter)


def lifted_pictures(profile: Profile) -> Method | None:
    """The newest cached networks of the profile's sizes; None without."""
    model = blank_pipeline(profile)
    cached = newest(ROW, model, profile.lifting.images_seen)
    if cached is None:
        return None
    facts = about(ROW, "05", profile, cached)
    facts["size"] = profile.lifting.image_size
    facts["warning"] = f"{facts['warning']}; {UNSURE}"
    return Method(NAME, answer=BodyAnswer, model=read_and_lift(model, facts["margin"]), networks=(model,),
                  bones=BODY17.joints.bones, **facts)  # fmt: skip


def read_and_lift(model: ImageModel, margin: float) -> Callable[[Tensor], BodyAnswer]:
    """Crops (T, 3, S, S) in [0, 1] to joints in metres, root at 0.

    A lifter reads poses as x / z of a camera, in units of people's mean size there. Nothing is known of the camera of
    somebody's picture: the box, widened as for every other method, is taken to measure ACROSS metres at the person.
    """
    unit = METRES[BODY17.joints.name]

    def answer(crops: Tensor) -> BodyAnswer:
        metres = ACROSS * margin / DEPTH_MARGIN / 2  # of half a crop, the unit of read poses
        zoom = (unit / (metres * model.scale)).expand(len(crops))
        seen = model.predict(2 * crops - 1, zoom)
        return BodyAnswer(None, unit * seen.points, to_pixels(seen.pose[:, BODY17.root], crops.shape[-1]), None)

    return answer
