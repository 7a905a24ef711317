"""Chapter 5's claims. Not in `lifting.py`, so that a word changed here trains nothing anew.

Ablations and pictures are judged with mirror images allowed, the papers' own protocol: whether near and far are
exchanged for all poses at once is a run's luck, and would drown what a loss term does. So ablations are trained in one
world only, and judged against the lifter that is, and as long. N-MPJPE knows near from far.
"""

from posebook.experiments.lifting import TERMS
from posebook.findings import Claim

MIRROR, SCALED = "pa_mpjpe_mirror", "n_mpjpe"
LIFTER, SHORT, ONE, IMAGE = "lifter", "lifter, a third as long", "lifter, one world", "from image"
TWIN_2D, READ_2D = "lifter, 2D of the supervised twin", "lifter, 2D of the networks alone"
ELEPOSE = "Human3.6M, true 2D: 36.7 mm P-MPJPE, 64.0 mm N-MPJPE (paperswithcode.com, ElePose)"
UNKNOWN, OURS = "remembered, unverified: not printed", "not a claim of the papers"
NAMES = {
    "two_d": "The 2D consistency term",
    "three_d": "The 3D consistency term",
    "deformation": "The deformation term",
    "flow": "The flow prior",
    "bones": "The bone-length term",
    "base": "L_base, our reading (2D, 3D and deformation together),",
}


def other_motion(motion: str) -> str:
    """The motion source that the chapter's prior is mismatched with."""
    return "cmu" if motion == "procedural" else "procedural"


def claims(motion: str = "procedural") -> list[Claim]:
    """What the papers say, as comparisons of our rows; fixed before any laptop number was seen."""
    return [*baseline_claims(), *ablation_claims(), *prior_claims(motion), *image_claims(), *hand_claims()]


def baseline_claims() -> list[Claim]:
    """Is anything learnt: on both metrics, against three baselines."""
    told = {
        "constant depth": "no depth",
        "mean depth": "the mean depth of training people",
        "mean depth, test's directions": "the mean depth of training people seen from the test's directions",
    }
    return [
        Claim(f"Depth without labels beats {text}: {name}", "ElePose", ELEPOSE, LIFTER, row, -1, metric)
        for row, text in told.items()
        for metric, name in ((MIRROR, "P-MPJPE, mirror allowed"), (SCALED, "N-MPJPE"))
    ]


def ablation_claims() -> list[Claim]:
    """Each term, the elevation, whitening."""
    source = "Sosa and Hogg, ablation; ElePose, ablation"
    terms = [
        Claim(f"{NAMES[term]} helps", source, UNKNOWN, ONE, f"lifter, without {term}", -1, MIRROR) for term in TERMS
    ]
    return [
        *terms,
        Claim("Learned elevation beats a fixed range", "ElePose, its title", UNKNOWN, ONE, "lifter, fixed elevation",
              -1, MIRROR),
        Claim("Trying both worlds and keeping the lower loss settles near and far", "ours", OURS, SHORT, ONE, -1,
              "pa_mpjpe"),
        Claim("Whitening the flow's coefficients helps", "ours", OURS, ONE, "lifter, flow not whitened", -1, MIRROR),
    ]  # fmt: skip


def prior_claims(motion: str) -> list[Claim]:
    """Amount and kind of the prior."""
    other = other_motion(motion)
    return [
        Claim("More prior poses help", "ours", OURS, ONE, "lifter, a tenth of the prior", -1, MIRROR),
        Claim(f"For {motion} motion a prior of its own kind beats one of {other} motion", "ours", OURS, ONE,
              f"lifter, prior of {other} motion", -1, MIRROR),
        Claim(f"For {other} motion a prior of its own kind beats one of {motion} motion", "ours", OURS,
              f"{other}, lifter", f"{other}, prior of {motion} motion", -1, MIRROR),
        Claim("True depths teach more than no labels: true 2D", "every paper compares so", UNKNOWN,
              "lifter, supervised twin", LIFTER, -1, SCALED),
    ]  # fmt: skip


def image_claims() -> list[Claim]:
    """From pictures."""
    sosa = "Sosa and Hogg"
    return [
        Claim("A picture without any label gives better poses than looking at nothing", sosa, "not available", IMAGE,
              "mean pose", -1, MIRROR),
        Claim("True 2D is better than 2D read by a supervised network", "ElePose, table", UNKNOWN, LIFTER, TWIN_2D, -1,
              MIRROR),
        Claim("2D read by a supervised network is better than the whole way without labels", sosa, "not available",
              TWIN_2D, IMAGE, -1, MIRROR),
        Claim("Training everything together is better than the stages apart", f"{sosa}, section on training",
              "not available", IMAGE, READ_2D, -1, MIRROR),
        Claim("Labels teach more than no labels: from the picture", sosa, "not available",
              "from image, supervised twin", IMAGE, -1, MIRROR),
        Claim("Taking the background away helps", "KeypointGAN's data", "no number", "from image, background masked",
              IMAGE, -1, MIRROR),
    ]  # fmt: skip


def hand_claims() -> list[Claim]:
    """The other structure."""
    source, shown = f"{IMAGE}: Sosa and Hogg, hands", "pictures only, no number"
    return [
        Claim("Depth without labels beats no depth for hands too: P-MPJPE, mirror allowed", source, shown,
              "hand, lifter", "hand, constant depth", -1, MIRROR),
        Claim("Depth without labels beats no depth for hands too: N-MPJPE", source, shown, "hand, lifter",
              "hand, constant depth", -1, SCALED),
        Claim("True depths teach more than no labels: hands", "ours", OURS, "hand, supervised twin", "hand, lifter", -1,
              SCALED),
        Claim("A picture of a hand without any label gives better poses than looking at nothing", source, shown,
              "hand, from image", "hand, mean pose", -1, MIRROR),
    ]  # fmt: skip
