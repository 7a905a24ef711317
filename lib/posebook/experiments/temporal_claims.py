"""Chapter 4's claims. Not in `temporal.py`, so that a word changed here trains nothing anew."""

from posebook.experiments.filters import OFFICIAL, TITLES
from posebook.experiments.hmr import ROW as FRAMES
from posebook.experiments.temporal_pictures import FROZEN, TOGETHER
from posebook.findings import Claim

GAUSSIAN, SLERP = (f"{FRAMES}, {TITLES[name]}" for name in ("gaussian", "slerp"))


def claims() -> list[Claim]:
    """What the papers say, as comparisons of our rows; fixed before any test number was seen."""
    unverified, ours = "remembered, unverified: not printed", "not a claim of the papers"
    spin = "3DPW: SPIN 96.9, VIBE 93.5 mm without 3DPW in training (TCMR table 6)"
    spin_accel = "3DPW: SPIN 29.8, VIBE 27.1 mm/frame² (TCMR table 6; VIBE's is ACCEL, not its error)"
    tcmr = "3DPW: VIBE 56.5, TCMR 55.8 mm PA-MPJPE (TCMR table 6)"
    tcmr_accel = "3DPW: VIBE 27.1 (ACCEL; its error is 28.0), TCMR 6.7 mm/frame² (TCMR table 6)"
    pytorch = "author's re-run of 25: best PA-MPJPE 55.9 with, 56.8 mm without (VIBE issue 99)"
    return [
        Claim("Frames before and after make poses more accurate", "VIBE table 1", spin, "VIBE", FRAMES),
        Claim("Frames before and after make motion smoother", "VIBE table 1", spin_accel, "VIBE", FRAMES, -1,
              "accel_error"),
        Claim("The motion prior makes poses more accurate", "VIBE ablation", pytorch, "VIBE", "VIBE, no motion prior",
              -1, "pa_mpjpe"),
        Claim("The motion prior makes motion smoother", "VIBE ablation", unverified, "VIBE", "VIBE, no motion prior",
              -1, "accel_error"),
        Claim("Attention pools motion better than mean and maximum", "VIBE ablation of D", unverified, "VIBE",
              "VIBE, concat pooling"),
        Claim("Attention pools motion better than the last state", "VIBE ablation of D", unverified, "VIBE",
              "VIBE, last pooling"),
        Claim("Looking in both directions helps", "VIBE text (its code does not)", "no number",
              "VIBE, both directions", "VIBE"),
        Claim("Sequences with 2D labels alone help", "VIBE section on training", "no number", "VIBE",
              "VIBE, 3D windows only"),
        Claim("Windows of 16 frames are better than of 8", "VIBE section on training", "no number", "VIBE",
              "VIBE, windows half as long"),
        Claim("Features trained together with the GRU are better than frozen ones", "VIBE, conjectured", "no number",
              TOGETHER, FROZEN),
        Claim("The frame's own feature keeps VIBE from being smooth", "TCMR section 3", unverified,
              "VIBE, no residual", "VIBE", -1, "accel_error"),
        Claim("TCMR is smoother than VIBE", "TCMR table 6", tcmr_accel, "TCMR", "VIBE", -1, "accel_error"),
        Claim("TCMR is as accurate as VIBE or better", "TCMR table 6", tcmr, "TCMR", "VIBE", -1, "pa_mpjpe"),
        Claim("TCMR is smoother without the frame's own feature", "TCMR table 1", unverified, "TCMR",
              "TCMR, residual", -1, "accel_error"),
        Claim("Forecasting from past and future makes TCMR smoother", "TCMR table 2", unverified, "TCMR",
              "TCMR, no forecast", -1, "accel_error"),
        Claim("TCMR is smoother than VIBE with a filter behind it", "TCMR table 5", unverified, "TCMR",
              "VIBE, slerp", -1, "accel_error"),
        Claim("A filter behind VIBE makes it smoother", "TCMR table 5", unverified, "VIBE, slerp", "VIBE", -1,
              "accel_error"),
        Claim("A learned temporal network beats a filter: accuracy", "ours", ours, "VIBE", GAUSSIAN),
        Claim("A learned temporal network beats a filter: smoothness", "ours", ours, "VIBE", GAUSSIAN, -1,
              "accel_error"),
        Claim("A filter makes single frames smoother", "ours", ours, GAUSSIAN, FRAMES, -1, "accel_error"),
        Claim("A filter that looks both ways costs less accuracy than one that looks back", "ours", ours, GAUSSIAN,
              SLERP),
        Claim("Filtering rotations beats filtering axis-angle numbers", "ours", ours,
              f"{FRAMES}, {TITLES['one_euro']}", f"{FRAMES}, {OFFICIAL}"),
    ]  # fmt: skip
