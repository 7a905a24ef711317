"""Shape components in millimetres, measured again on smplx's own meshes."""

import numpy as np
import torch

from posebook.hand import load_hand_assets
from posebook.hand.population import flat_hands
from posebook.metrics import pa_mpjpe


def test_components_in_millimetres(posed, hand_cache):
    assets = load_hand_assets()
    rows = assets.statistics["components"]
    shares = [row["variance_share"] for row in rows]
    assert shares == sorted(shares)[::-1] and shares[0] > 0.9 and sum(shares) > 0.99  # size is nearly all
    rest = posed(np.zeros(45))[0][0]
    for k, row in enumerate(rows):
        changed = posed(np.zeros(45), np.eye(10)[k : k + 1])[0][0]
        moved = 1000 * np.linalg.norm(changed - rest, axis=1).mean()
        assert abs(moved - row["moved_mm"]) < 0.01
        left = pa_mpjpe(torch.from_numpy(rest)[None], torch.from_numpy(changed)[None])
        assert abs(left - row["not_size_mm"]) < 0.01
        length = [1000 * np.linalg.norm(v[assets.tips["middle"]] - assets.regressor[0] @ v) for v in (rest, changed)]
        assert abs(length[1] - length[0] - row["length_mm"]) < 0.02
    assert rows[0]["length_mm"] > 5 and rows[0]["not_size_mm"] < 0.1 * rows[0]["moved_mm"]


def test_pool_is_adult_hands_of_unit_variance(hand_cache):
    assets = load_hand_assets()
    np.testing.assert_allclose(assets.people.std(0), 1, atol=0.2)  # the last ones are a twentieth of a millimetre
    s = assets.statistics
    assert 175 < s["length_mm"]["mean"] < 205 and 6 < s["length_mm"]["sd"] < 14
    assert s["mean_shape_pa_mm"] < 1 < s["mean_shape_mm"]
    assert s["j_regressor_mm"] < 0.6 and s["j_regressor_posed_mm"] < 0.6


def test_fingers_of_anyone_are_straight(monkeypatch, hand_cache):
    """Knuckle to last joint is one line in the palm's plane after flattening; bones keep their length."""
    from posebook.body.anny_source import draw_phenotypes, rest_people
    from posebook.hand.source import load_hand_source, to_hand_axes
    from posebook.joints import MANO16

    source = load_hand_source()
    people = flat_hands(source, 5, 9)
    _, heads = rest_people(source.anny, draw_phenotypes(source.anny, 5, 9))
    before = to_hand_axes(heads, heads, source.bones)[:, source.bones]
    children = [j for j in range(16) if MANO16.parents[j] >= 0]
    lengths = [np.linalg.norm(j[:, children] - j[:, [MANO16.parents[c] for c in children]], axis=-1)
               for j in (before, people.joints)]  # fmt: skip
    np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-9)
    for finger in ("index", "middle", "ring", "pinky"):
        a, b, c = (people.joints[:, MANO16.index(f"{finger}{k}")] for k in (1, 2, 3))
        np.testing.assert_allclose(np.cross(b - a, c - b), 0, atol=1e-9)
        np.testing.assert_allclose((c - a)[:, 1], 0, atol=1e-9)
