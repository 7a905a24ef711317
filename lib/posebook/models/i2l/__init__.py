"""I2L-MeshNet (Moon and Lee, ECCV 2020): image to lixels. What it needs of a dataset comes in as arguments."""

from posebook.models.i2l.body import MANO_ORDER, MANO_TIPS, SMPL_POINTS, joint_regressor
from posebook.models.i2l.checkpoint import OfficialWeights, load_official_i2l
from posebook.models.i2l.lixel import Lixels, lixel_coordinates, lixel_spread, soft_argmax
from posebook.models.i2l.losses import (
    LixelLosses,
    LixelTargets,
    ParamLosses,
    ParamTargets,
    lixel_losses,
    param_losses,
)
from posebook.models.i2l.network import I2LMeshNet, I2LOutput
from posebook.models.i2l.pose2feat import gaussian_lines, gaussian_volume
from posebook.models.i2l.prediction import Prediction, predict
from posebook.models.i2l.representations import (
    REPRESENTATIONS,
    MeshNetwork,
    ParameterNetwork,
    answer_numbers,
    make_head,
)
from posebook.models.i2l.units import HeatmapUnits, place_body, to_camera

__all__ = [
    "MANO_ORDER",
    "MANO_TIPS",
    "REPRESENTATIONS",
    "SMPL_POINTS",
    "HeatmapUnits",
    "I2LMeshNet",
    "I2LOutput",
    "LixelLosses",
    "LixelTargets",
    "Lixels",
    "MeshNetwork",
    "OfficialWeights",
    "ParamLosses",
    "ParamTargets",
    "ParameterNetwork",
    "Prediction",
    "answer_numbers",
    "gaussian_lines",
    "gaussian_volume",
    "joint_regressor",
    "lixel_coordinates",
    "lixel_losses",
    "lixel_spread",
    "load_official_i2l",
    "make_head",
    "param_losses",
    "place_body",
    "predict",
    "soft_argmax",
    "to_camera",
]
