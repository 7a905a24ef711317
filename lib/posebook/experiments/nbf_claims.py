"""Chapter 2's claims. Not in `nbf.py`, so that a word changed here trains nothing anew."""

from posebook.findings import Claim


def claims() -> list[Claim]:
    """What the paper says, as comparisons of our rows; fixed before any test number was seen.

    A claim of equality ("12 parts are enough") has no sign: its row says what would contradict it, and is expected to
    stay undecided.
    """
    memory, ours, section = "remembered, not verified: not printed", "not a claim of the paper", "NBF"
    return [
        Claim("12 true parts feed the regressor better than RGB", section, memory, "12 parts", "RGB"),
        Claim("12 true parts feed it better than a silhouette", section, memory, "12 parts", "silhouette"),
        Claim("12 true parts beat 3", section, memory, "12 parts", "3 parts"),
        Claim("24 true parts beat 12 (remembered: 12 are enough)", section, memory, "24 parts", "12 parts"),
        Claim("24 true joints beat 12 true parts (remembered: equal)", section, memory, "24 joints", "12 parts"),
        Claim("Predicted parts beat RGB, stage 1's labels and minutes coming on top", section, memory,
              "12 parts, predicted", "RGB"),
        Claim("Predicted parts beat RGB at equal training time", section, memory, "12 parts, predicted",
              "RGB, equal time"),
        Claim("12 predicted parts beat a predicted silhouette", section, memory, "12 parts, predicted",
              "silhouette, predicted"),
        Claim("Better segmentation makes a better fit", section, memory, "12 parts, predicted",
              "12 parts, weakly predicted"),
        Claim("Stage 2 should learn from predicted maps, not from true ones", "ours", ours, "12 parts, predicted",
              "12 parts, predicted at test only"),
        Claim("Adding the 2D loss to the latent one helps", section, memory, "12 parts", "12 parts, latent loss"),
        Claim("The 2D loss alone is much worse", section, memory, "12 parts", "12 parts, 2D loss"),
        Claim("All 3D labels beat 20 % of them (remembered: 20 % are enough)", section, memory, "12 parts",
              "12 parts, 20% 3D labels"),
        Claim("1 % of 3D labels beats none", section, memory, "12 parts, 1% 3D labels", "12 parts, 2D loss"),
        Claim("Rotations in the camera frame beat rotations relative to the parent", "NBF released code",
              "the released demo predicts the former", "12 parts", "12 parts, relative rotations"),
        Claim("A palette picture does better than one-hot labels", "ours", ours, "12 parts", "12 parts, one-hot"),
        Claim("A pretrained trunk beats scratch on RGB", "ours", ours, "RGB, trunk", "RGB"),
    ]  # fmt: skip
