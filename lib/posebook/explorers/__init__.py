"""Explorers: ipywidgets boxes that a notebook shows with one line; they need the `lab` extra."""

from posebook.explorers.body import BodyExplorer
from posebook.explorers.clip import ClipExplorer
from posebook.explorers.flow import FlowExplorer
from posebook.explorers.lifting import LiftingExplorer
from posebook.explorers.lixel import LixelExplorer
from posebook.explorers.metric import MetricExplorer
from posebook.explorers.own_picture import OwnPictureExplorer
from posebook.explorers.parts import PartsExplorer
from posebook.explorers.prediction import PredictionExplorer
from posebook.explorers.protocol import ProtocolExplorer
from posebook.explorers.sample import SampleExplorer
from posebook.explorers.scale import ScaleExplorer, scale_curve
from posebook.explorers.smoothing import SmoothingExplorer
from posebook.explorers.volume import VolumeExplorer

__all__ = [
    "BodyExplorer",
    "ClipExplorer",
    "FlowExplorer",
    "LiftingExplorer",
    "LixelExplorer",
    "MetricExplorer",
    "OwnPictureExplorer",
    "PartsExplorer",
    "PredictionExplorer",
    "ProtocolExplorer",
    "SampleExplorer",
    "ScaleExplorer",
    "SmoothingExplorer",
    "VolumeExplorer",
    "scale_curve",
]
