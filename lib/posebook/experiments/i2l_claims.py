"""Chapter 3's claims. Not in `i2l.py`, so that a word changed here trains nothing anew."""

from posebook.experiments.i2l import FIRST_STAGE
from posebook.findings import Claim
from posebook.profile import Profile


def claims(profile: Profile) -> list[Claim]:
    """What the paper says, as comparisons of our rows; fixed before any test number was seen."""
    m, own = profile.mesh, profile.data.image_size // 4
    lixel, voxel = f"lixel {{{own}}}", f"voxel {{{m.voxel_bins}}}"
    unverified, ours = "remembered, unverified: not printed", "not a claim of the paper"
    readme = "the released models: 55.8 (lixel) and 66.1 mm (body model) on Human3.6M"
    fewest, most = min(m.bins), max(m.bins)
    return [
        Claim("Lixels beat body parameters", "I2L table 1", unverified, lixel, "SMPL parameters"),
        Claim("Lixels beat coordinates by a full connection", "I2L table 1", unverified, lixel, "coordinates"),
        Claim("Lixels beat the voxels that fit into memory", "I2L table 2", unverified, lixel, voxel),
        Claim("Lixels beat voxels at equal resolution", "ours", ours, f"lixel {{{m.voxel_bins}}}", voxel),
        Claim("Lixels beat pixel + z at equal resolution", "I2L table 2", unverified, lixel, f"pixel+z {{{own}}}"),
        Claim("More lixels beat fewer", "I2L table 2", unverified, f"lixel {{{most}}}", f"lixel {{{fewest}}}"),
        Claim("PoseNet before MeshNet helps", "I2L table 3", unverified, FIRST_STAGE, lixel),
        Claim("PoseNet before MeshNet helps at equal training time", "ours", ours, FIRST_STAGE,
              f"{lixel}, equal time"),
        Claim("True joints before MeshNet help much more", "I2L table 3", unverified, f"{FIRST_STAGE}, true joints",
              FIRST_STAGE),
        Claim("The lixel mesh is more accurate than the body model's", "I2L README", readme, FIRST_STAGE, "I2L param"),
        Claim("The body model's mesh is smoother than the lixel mesh", "I2L demo meshes",
              "umbrella Laplacian 2.46 mm against 3.45 mm on one pair of meshes", "I2L param", FIRST_STAGE, -1,
              "laplacian"),
        Claim("Normal and edge losses make the lixel mesh smoother", "I2L section on losses", unverified, lixel,
              f"{lixel}, no surface losses", -1, "laplacian"),
        Claim("Knowing the root depth helps the lixel mesh", "I2L section on RootNet", "no number",
              f"{FIRST_STAGE}, true root depth", FIRST_STAGE),
        Claim("Hands: lixels beat MANO parameters", "I2L table 1, for hands", ours, f"hand, {lixel}",
              "hand, MANO parameters", -1, "pa_mpjpe"),
        Claim("Hands: lixels beat coordinates", "I2L table 1, for hands", ours, f"hand, {lixel}", "hand, coordinates",
              -1, "pa_mpjpe"),
        Claim("Hands: PoseNet before MeshNet helps", "I2L table 3, for hands", ours, "hand, I2L lixel",
              f"hand, {lixel}", -1, "pa_mpjpe"),
    ]  # fmt: skip
