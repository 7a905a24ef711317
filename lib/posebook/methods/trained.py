"""Our own networks as methods, with the weights that a run of a chapter left in the cache. Nothing is trained here.

The cache does not say which profile a network was trained in; weights belong to a profile if they fit its networks and
have seen as many pictures.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from posebook.body import load_assets, load_body
from posebook.cache import cache_dir
from posebook.experiments import hmr, i2l, nbf, temporal, volumetric
from posebook.joint_layer import JointLayer
from posebook.joints import H36M17, SMPL24
from posebook.methods.answers import BodyAnswer, PictureAnswer
from posebook.methods.bodies import BONES49, single_frames, video
from posebook.methods.meshes import in_the_box, lixel_mesh
from posebook.methods.method import Method
from posebook.models.i2l import I2LMeshNet, ParameterNetwork, joint_regressor
from posebook.models.i2l.body import PosedBody
from posebook.models.nbf import LATENT
from posebook.models.resnet import ResNet
from posebook.models.spin_body import free_spin_body
from posebook.own_body import FREE
from posebook.profile import Profile

LEVEL = "coarse"  # of the free body that is drawn
NOT_FOR_PHOTOS = "trained on synthetic pictures: not for real photos"
HEADS = ("fc1.weight", "fc2.weight")  # what tells whether a video network was trained on a backbone's features
ROUNDED = 0.05  # budgets are rounded to whole batches
SAME = 0.5  # relative distance of these; of networks with other seeds it is about 1.4


class Cached(NamedTuple):
    """A trained network's weights."""

    state: dict[str, Tensor]
    images_seen: int  # in training; windows, of a video network
    when: str  # day and minute of the training's end


class Missing(NamedTuple):
    """A method without weights."""

    name: str
    remedy: str


def cached_states(row: str) -> Iterator[Cached]:
    """Weights of all cached trainings of a row, the newest first; of those on the free body, which is what is drawn.

    Args:
        row: its name in tables.
    """
    found = (file for kind in ("variants", "trained") for file in cache_dir(kind).glob("*/outcome.json"))
    files = sorted(found, key=lambda f: f.stat().st_mtime, reverse=True)
    for file in files:
        numbers = json.loads(file.read_text())
        of_row = numbers["row"] == row and numbers.get("body", FREE) == FREE
        if of_row and (file.parent / "state.safetensors").is_file():
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(file.stat().st_mtime))
            yield Cached(load_file(file.parent / "state.safetensors"), numbers["images_seen"], when)


def newest(row: str, network: nn.Module, images: float,
           like: Callable[[dict[str, Tensor]], bool] = lambda _: True) -> Cached | None:  # fmt: skip
    """Load a network with the newest weights of a row that fit it.

    Args:
        row: its name in tables. network: of the profile; put into eval mode. images: that the profile trains with.
        like: what else the weights must satisfy.

    Returns:
        The weights, or None; the network is then as it was.
    """
    wanted = {name: value.shape for name, value in network.state_dict().items()}
    for cached in cached_states(row):
        if not math.isclose(cached.images_seen, images, rel_tol=ROUNDED):
            continue
        state = {k: v for k, v in cached.state.items() if not k.startswith(temporal.CRITIC)}
        if {name: value.shape for name, value in state.items()} == wanted and like(state):
            network.load_state_dict(state)
            network.eval()
            return cached._replace(state=state)
    return None


def trained_methods(profile: Profile) -> tuple[list[Method], list[Missing]]:
    """Every method of chapters 1 to 5 that was trained here in a profile, and those that were not."""
    from posebook.methods.lifting import NAME as LIFTING  # here: it takes weights by `newest` of this module
    from posebook.methods.lifting import lifted_pictures

    found: list[Method] = []
    missing: list[Missing] = []
    makers = (("01", "C2F volume", volumes), ("02", "NBF, RGB", body_fitting), ("03", "I2L lixel", lixels),
              ("03", "SMPL parameters", parameters), ("05", LIFTING, lifted_pictures))  # fmt: skip
    for chapter, name, make in makers:
        method = make(profile)
        if method is None:
            missing.append(Missing(name, command(chapter, profile)))
        else:
            found.append(method)
    videos = video_methods(profile)
    absent = [name for name in ("single frames", "VIBE", "TCMR") if not any(m.name == name for m in videos)]
    return found + videos, missing + [Missing(name, command("04", profile)) for name in absent]


def command(chapter: str, profile: Profile) -> str:
    """What trains a chapter's networks."""
    return f"posebook run {chapter} --profile {profile.name}"


def about(row: str, chapter: str, profile: Profile, cached: Cached) -> dict:
    """Fields of a Method that all of ours share."""
    return {"source": f"ours, chapter {chapter}, row {row!r}, {profile.name}, trained {cached.when}",
            "size": profile.data.image_size, "margin": 1 + 2 * profile.data.margin,
            "warning": NOT_FOR_PHOTOS}  # fmt: skip


def volumes(profile: Profile) -> Method | None:
    """Chapter 1: the best kind of volume that is there."""
    d = profile.volumetric.depth
    chain = ",".join(map(str, (*profile.volumetric.middle, d)))
    order = (f"volume {{{d}}} cross-entropy long", f"volume {{{chain}}}", f"volume {{1,{d}}}", f"volume {{{d}}}")
    rows, v = {v.row: v for v in volumetric.variants(profile.volumetric)}, profile.volumetric
    for variant in (rows[row] for row in order):
        model = volumetric.build_model(variant, profile)
        cached = newest(variant.row, model, v.long_images_seen if variant.long else v.images_seen)
        if cached:
            return Method("C2F volume", answer=PictureAnswer, model=volume_joints(model, variant, profile),
                          networks=(model,), bones=H36M17.bones,
                          **about(variant.row, "01", profile, cached))  # fmt: skip
    return None


def volume_joints(model: nn.Module, variant: volumetric.Variant, profile: Profile) -> Callable:
    """Crops to the 17 joints that a volume is read out to."""

    def answer(crops: Tensor) -> PictureAnswer:
        out = volumetric.decode(variant, model(crops), profile.data.image_size)
        return PictureAnswer(None, torch.cat((out.pixels, out.relative_depth.unsqueeze(-1)), -1))

    return answer


def body_fitting(profile: Profile) -> Method | None:
    """Chapter 2: Neural Body Fitting from RGB."""
    variant = next(v for v in nbf.variants(profile) if v.row == "RGB")
    layer = load_body(level=LEVEL)
    model = nbf.build_model(variant, profile, torch.zeros(LATENT), JointLayer(layer))
    cached = newest(variant.row, model, profile.fitting.images_seen)
    if cached is None:
        return None
    body, facts = PosedBody(layer), about(variant.row, "02", profile, cached)

    def answer(crops: Tensor) -> BodyAnswer:
        out = model(2 * crops - 1)
        return _rooted(layer, body(out.relative, out.betas), facts)

    return _body_method("NBF, RGB", answer, facts, (model, body, layer))


def parameters(profile: Profile) -> Method | None:
    """Chapter 3: the network that says body parameters."""
    layer = load_body(level=LEVEL)
    blank = torch.zeros(10), torch.zeros(24, 3, 3)
    model = ParameterNetwork(ResNet(**i2l.trunk_options(profile)), *blank)
    cached = newest("SMPL parameters", model, profile.mesh.images_seen)
    if cached is None:
        return None
    body, facts = PosedBody(layer), about("SMPL parameters", "03", profile, cached)

    def answer(crops: Tensor) -> BodyAnswer:
        out = model(crops)
        return _rooted(layer, body(out.rotations, out.shape), facts)

    return _body_method("SMPL parameters", answer, facts, (model, body, layer))


def _rooted(layer, vertices: Tensor, facts: dict) -> BodyAnswer:
    joints = layer.J_regressor @ vertices
    root = joints[:, :1]
    return in_the_box(vertices - root, joints - root, facts["size"], facts["margin"])


def _body_method(name: str, answer: Callable, facts: dict, networks: tuple) -> Method:
    assets = load_assets(LEVEL)
    return Method(name, answer=BodyAnswer, model=answer, bones=SMPL24.bones, faces=assets.faces, networks=networks,
                  regressor17=torch.tensor(assets.regressors["h36m17"]), **facts)  # fmt: skip


def lixels(profile: Profile) -> Method | None:
    """Chapter 3: I2L-MeshNet's lixel mesh."""
    m, size = profile.mesh, profile.data.image_size
    layer, assets = load_body(level=m.level), load_assets(m.level)
    points = tuple(assets.vertex_ids[name] for name in ("nose", "leye", "reye", "lear", "rear"))
    regressor = joint_regressor(layer.J_regressor, points)
    network = I2LMeshNet(*regressor.shape, regressor, layer, image_size=size, trunk=i2l.trunk_options(profile),
                         hidden=m.hidden, sigma=m.sigma * (size // 4) / i2l.BINS)  # fmt: skip
    cached = newest(i2l.FIRST_STAGE, network, m.images_seen)
    if cached is None:
        return None
    return Method("I2L lixel", answer=PictureAnswer, model=lixel_mesh(network), networks=(network,),
                  bones=SMPL24.bones, faces=assets.faces,
                  regressor17=torch.tensor(assets.regressors["h36m17"]),
                  **about(i2l.FIRST_STAGE, "03", profile, cached))  # fmt: skip


def video_methods(profile: Profile) -> list[Method]:
    """Chapter 4: single frames, and the video networks that were trained on that very network's features."""
    assets, means = load_assets(LEVEL), (torch.zeros(144), torch.zeros(10), torch.zeros(3))
    backbone = hmr.build_hmr(profile, means)
    cached = newest(hmr.ROW, backbone, profile.temporal.hmr_images)
    if cached is None:
        return []
    backbone.body = free_spin_body(LEVEL)
    size, found = profile.data.image_size, []
    shared = {"answer": BodyAnswer, "bones": BONES49, "faces": assets.faces,
              "regressor17": torch.tensor(assets.regressors["h36m17"])}  # fmt: skip
    found.append(Method(hmr.ROW, model=single_frames(backbone, size, False), networks=(backbone,), **shared,
                        **about(hmr.ROW, "04", profile, cached)))  # fmt: skip
    for variant in temporal.variants():
        if variant.row not in ("VIBE", "TCMR"):
            continue
        network = temporal.build_model(variant, profile, cached.state)
        own = newest(variant.row, network, profile.temporal.windows_seen, lambda state: related(state, cached.state))
        if own:
            network.regressor.body = backbone.body
            model = video(backbone, network, size, False, repeat_ends=True)  # as it was tested
            found.append(Method(variant.row, model=model, whole_clip=True, networks=(backbone, network), **shared,
                                **about(variant.row, "04", profile, own)))  # fmt: skip
    return found


def related(state: dict[str, Tensor], backbone: dict[str, Tensor]) -> bool:
    """Whether a video network started from this backbone's regressor, and so reads its features."""
    pairs = [(state[f"regressor.{name}"], backbone[name]) for name in HEADS]
    return all(float((a - b).norm() / b.norm()) < SAME for a, b in pairs)
