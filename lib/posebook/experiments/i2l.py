"""Chapter 3: how a network should say where the vertices are, how finely, with which help; bodies and hands.

Every variant sees the same number of pictures in the same order, with the same losses, optimiser and augmentation, and
starts from the same trunk; the learning rate was chosen on val for heads that say numbers and for heads that draw heat
maps. Exceptions are named in the row. Losses are in the paper's unit, 64ths of the box, whatever
the number of bins, so that their weights mean the same in all rows.
"""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from posebook.experiments.mesh_judge import MeshJudge
from posebook.experiments.meshes import BINS, MeshBatch, Meshes, mean_parameters
from posebook.experiments.outcome import (
    Outcome,
    count_parameters,
    gflop_of,
    ms_per_image,
    remember,
    training_memory_mb,
)
from posebook.models.i2l import (
    I2LMeshNet,
    I2LOutput,
    LixelTargets,
    MeshNetwork,
    ParameterNetwork,
    ParamTargets,
    lixel_losses,
    make_head,
    param_losses,
)
from posebook.models.i2l.lixel import lixel_coordinates
from posebook.models.i2l.losses import NORMAL_WEIGHT
from posebook.models.i2l.param_regressor import BodyParameters
from posebook.models.resnet import ResNet
from posebook.profile import Profile
from posebook.rotations import matrix_to_axis_angle
from posebook.train import Budget, fit, make_fabric, seed_everything
from posebook.trunk import RESNET, load_trunk

FIRST_STAGE = "I2L lixel"  # what the second stage starts from
UNUSED = ("bins", "voxel_bins", "equal_time", "core_rivals")  # sizes that choose rows, not what happens in one


@dataclass(frozen=True)
class Variant:
    """One row to train."""

    row: str  # name in tables
    form: str  # a head of `make_head`, "parameters", "i2l", "i2l true joints" or "i2l parameters"
    subject: str = "body"  # or "hand"
    bins: int = 0  # of heads that draw heat maps; I2L-MeshNet's own are a quarter of the picture
    surface: bool = True  # with the normal and edge losses
    share: float = 1.0  # of the images seen; not 1 only in rows that say so
    core: bool = False  # trained by default

    @property
    def metric(self) -> bool:
        """The answer is in metres: a posed body needs no root depth."""
        return self.form in ("parameters", "i2l parameters")

    @property
    def numbers(self) -> bool:
        """The head says numbers instead of drawing heat maps."""
        return self.metric or self.form == "coordinates"

    @property
    def oracle(self) -> tuple[str, ...]:
        """True quantities that the row is given at test time."""
        return ("3D joints",) if self.form == "i2l true joints" else ()


class Answer(NamedTuple):
    """What any network says of a batch."""

    mesh: Tensor  # (B, V, 3) 64ths of the box; of parameters: as if seen from far away
    joints: Tensor | None  # (B, J, 3) PoseNet's, 64ths of the box
    metres: Tensor | None  # (B, V, 3) posed body, root at the origin
    parameters: BodyParameters | I2LOutput | None  # rotations, pose, shape


def variants(profile: Profile) -> list[Variant]:
    """All rows of the chapter; those with `core` are trained by default (two or four)."""
    m, own = profile.mesh, profile.data.image_size // 4
    lixel = f"lixel {{{own}}}"
    rows = [
        Variant("SMPL parameters", "parameters", core=m.core_rivals),
        Variant(lixel, "lixel", bins=own, core=True),
        Variant(f"voxel {{{m.voxel_bins}}}", "voxel", bins=m.voxel_bins, core=m.core_rivals),
        Variant(FIRST_STAGE, "i2l", bins=own, core=True),
        Variant("coordinates", "coordinates"),
        Variant(f"pixel+z {{{own}}}", "pixel+z", bins=own),
    ]
    rows += [Variant(f"lixel {{{n}}}", "lixel", bins=n) for n in m.bins if n != own]
    rows += [
        Variant(f"{lixel}, equal time", "lixel", bins=own, share=m.equal_time),
        Variant(f"{lixel}, no surface losses", "lixel", bins=own, surface=False),
        Variant("I2L lixel, true joints", "i2l true joints", bins=own),
        Variant("I2L param", "i2l parameters", bins=own, share=m.param_share),
        Variant("hand, I2L lixel", "i2l", "hand", own),
        Variant("hand, MANO parameters", "parameters", "hand"),
        Variant("hand, coordinates", "coordinates", "hand"),
        Variant(f"hand, {lixel}", "lixel", "hand", own),
    ]
    return rows


def trunk_options(profile: Profile) -> dict:
    """Of `ResNet`, for all trunks."""
    return {name: getattr(profile.mesh, name) for name in ("depth", "width", "strides")}


def start_of(profile: Profile) -> str:
    """Where the trunks start: "trunk" where one of this size was pretrained, else "scratch"."""
    same = (profile.mesh.depth, profile.mesh.width) == (RESNET["depth"], RESNET["width"])
    return "trunk" if same else "scratch"


def build_model(variant: Variant, profile: Profile, train: Meshes) -> nn.Module:
    """Network of a variant, its trunks with pretrained weights where there are some."""
    m, size = profile.mesh, profile.data.image_size
    if variant.form.startswith("i2l"):
        scaled = m.sigma * (size // 4) / BINS
        model = I2LMeshNet(len(train.regressor), train.vertices, train.regressor.cpu(), train.layer, image_size=size,
                           trunk=trunk_options(profile), hidden=m.hidden, sigma=scaled,
                           depth_size=train.units.depth_size)  # fmt: skip
        model.pose2feat.start_from_image()
        trunks = [model.pose_backbone, model.mesh_backbone]
        model = TrueJoints(model) if variant.form == "i2l true joints" else model
    else:
        trunk = ResNet(**trunk_options(profile))
        trunks = [trunk]
        mean = [a.cpu() for a in mean_parameters(train)] if variant.numbers else [None]
        if variant.form == "parameters":
            model = ParameterNetwork(trunk, *mean[1:])
        else:
            cells = size // trunk.pyramid_strides[-1]
            bins = BINS if variant.form == "coordinates" else variant.bins
            head = make_head(variant.form, train.vertices, trunk.out_channels, cells, bins, m.hidden, mean[0],
                             m.hidden_fc)  # fmt: skip
            model = MeshNetwork(trunk, head)
    if start_of(profile) == "trunk":
        for trunk in trunks:
            trunk.load_state_dict(load_trunk("resnet", profile).state)
    return model


class TrueJoints(nn.Module):
    """I2L-MeshNet whose mesh half is fed given joints instead of PoseNet's."""

    def __init__(self, network: I2LMeshNet):
        super().__init__()
        self.network = network
        for parameter in (*network.pose_net.parameters(), *network.param_regressor.parameters()):
            parameter.requires_grad_(False)

    def forward(self, image: Tensor, joints: Tensor) -> Tensor:
        """(B, 3, S, S) and (B, J, 3) in the network's own bins -> mesh (B, V, 3) in them."""
        n = self.network
        early = n.pose_backbone.forward_stem(image)
        return lixel_coordinates(n.mesh_net(n.mesh_features(early, joints)))


class SecondStage(nn.Module):
    """ParamRegressor on a frozen first stage, which torch does not see: `train()` leaves its batch norm alone.

    This is `I2LMeshNet.train_stage("param")` in a form that a training loop can switch on and off.
    """

    def __init__(self, network: I2LMeshNet):
        super().__init__()
        self._frozen = (network.eval(),)  # a tuple hides it from torch
        self.param_regressor = network.param_regressor

    def forward(self, image: Tensor) -> I2LOutput:
        """(B, 3, S, S) -> I2LOutput, gradients in ParamRegressor alone."""
        return self._frozen[0](image)


def answer(net: nn.Module, variant: Variant, batch: MeshBatch, meshes: Meshes) -> Answer:
    """Run any variant's network on a batch.

    Heads of b bins say bin c at (c + 1/2) 64 / b - 1/2 of 64, so that few bins reach as far to both sides; at 64 bins,
    and for I2L-MeshNet at any, this is the official c 64 / b.
    """
    if variant.form == "parameters":
        found = net(batch.image)
        metres = meshes.pose(found.rotations, found.shape)
        return Answer(from_far(metres, meshes), None, metres, found)
    if variant.form == "i2l parameters":
        out = net(batch.image)
        return Answer(from_far(out.mesh_cam, meshes), None, out.mesh_cam, out)
    scale = BINS / (meshes.size // 4)
    if variant.form == "i2l":
        out = net(batch.image, stage="lixel")
        return Answer(out.mesh_img * scale, out.joints_img * scale, None, None)
    if variant.form == "i2l true joints":
        joints = meshes.targets(batch)[1] / scale
        return Answer(net(batch.image, joints) * scale, None, None, None)
    mesh = net(batch.image)
    if variant.form != "coordinates":
        mesh = (mesh + 0.5) * (BINS / variant.bins) - 0.5
    return Answer(mesh, None, None, None)


def from_far(metres: Tensor, meshes: Meshes) -> Tensor:
    """(B, V, 3) metres, root at 0, in 64ths of the box, as if seen from far away: losses weigh alike in all rows."""
    return metres * (BINS / meshes.units.depth_size) + BINS / 2


def variant_loss(variant: Variant, net: nn.Module, batch: MeshBatch, meshes: Meshes) -> Tensor:
    """Training loss of any variant: the paper's; parameters add theirs."""
    if variant.form == "i2l parameters":
        return second_stage_loss(net(batch.image), batch, meshes)
    found = answer(net, variant, batch, meshes)
    if variant.metric:
        mesh = from_far(batch.vertices - batch.root.unsqueeze(1), meshes)
        joints = meshes.regressor @ mesh
    else:
        mesh, joints = meshes.targets(batch)
    said = joints if found.joints is None else found.joints  # a network without PoseNet pays nothing for joints
    out = I2LOutput(said, found.mesh, meshes.regressor @ found.mesh, None, None, None)
    one = torch.ones(len(mesh), device=mesh.device)
    inside = [meshes.units.inside(points) for points in (joints, mesh)]
    targets = LixelTargets(joints, inside[0], joints, inside[0], mesh, inside[1], one, one)
    losses = lixel_losses(out, targets, meshes.faces)
    total = losses.total if variant.surface else losses.total - NORMAL_WEIGHT * losses.mesh_normal - losses.mesh_edge
    if variant.form == "parameters":
        total = total + (found.parameters.rotations - batch.rotations).abs().mean()
        total = total + (found.parameters.shape - batch.betas).abs().mean()
    return total


def second_stage_loss(out: I2LOutput, batch: MeshBatch, meshes: Meshes) -> Tensor:
    """The paper's stage "param"."""
    joints = meshes.regressor @ (batch.vertices - batch.root.unsqueeze(1))
    one, valid = torch.ones(len(joints), device=joints.device), torch.ones_like(joints[..., :1])
    pose = matrix_to_axis_angle(batch.rotations).flatten(1)
    targets = ParamTargets(pose, batch.betas, joints, valid, joints, one, one)
    return param_losses(out, meshes.regressor @ out.mesh_cam, targets).total


@torch.no_grad()
def predict(net: nn.Module, variant: Variant, test: Meshes, judge: MeshJudge) -> dict[str, np.ndarray]:
    """Score all test pictures; see `MeshJudge`. Names ending in "_true_depth" belong to the oracle row."""
    net.eval()

    def score(batch: MeshBatch, start: int) -> dict[str, Tensor]:
        found = answer(net, variant, batch, test)
        said, judged = (found.metres, judge.metres) if variant.metric else (found.mesh, judge.box)
        return judged(said, batch, start)

    return judge.collect(score)


def train_variant(variant: Variant, profile: Profile, train: Meshes, test: Meshes, judge: MeshJudge, seed: int,
                  device: str, first: Outcome | None = None) -> Outcome:  # fmt: skip
    """Train one variant and score the test pictures; from the cache if it was done before.

    Args:
        first: the trained first stage, for "i2l parameters" only.
    """
    m = profile.mesh
    versions = [meshes.dataset.manifest["data_version"] for meshes in (train, test)]
    sizes = {name: value for name, value in asdict(m).items() if name not in UNUSED}
    key = {"variant": asdict(variant), "sizes": sizes, "data": versions, "seed": seed, "on": device}
    key |= {"trunk": load_trunk("resnet", profile).card["sha256"]} if start_of(profile) == "trunk" else {}

    def make() -> Outcome:
        seed_everything(seed)
        model = build_model(variant, profile, train)
        if variant.form == "i2l parameters":
            model.load_state_dict(first.state)
            model = SecondStage(model.to(train.device))
        budget = Budget(
            round(m.images_seen * variant.share), m.batch, m.learning_rate if variant.numbers else m.heat_learning_rate
        )

        def loss(net, rows, generator):
            return variant_loss(variant, net, train.augmented(rows, generator), train)

        history = fit(model, loss, len(train), budget, seed, make_fabric(device), variant.row)
        predictions = predict(model, variant, test, judge)
        return Outcome(variant.row, predictions, history, *costs(model, variant, test, budget), model.state_dict(),
                       training_memory_mb(device))  # fmt: skip

    return remember(key, make, __name__)


@torch.no_grad()
def costs(model: nn.Module, variant: Variant, test: Meshes, budget: Budget) -> tuple[int, float, int, float]:
    """Trainable numbers, GFLOP of one picture, images seen, milliseconds a picture."""
    few = test.get(slice(0, 32))
    one = MeshBatch(*(values[:1] for values in few))
    speed = ms_per_image(lambda image: answer(model, variant, few, test), few.image)
    return count_parameters(model), gflop_of(lambda: answer(model, variant, one, test)), budget.images_seen, speed
