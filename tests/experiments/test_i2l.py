"""Chapter 3's variants: every one learns in two steps, scores true meshes as perfect, and is kept under its own key."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from posebook.experiments import i2l
from posebook.experiments.i2l_claims import claims
from posebook.experiments.mesh_judge import BodyMeshJudge, HandMeshJudge
from posebook.experiments.mesh_rows import add_mesh_floors, add_variant_row
from posebook.experiments.meshes import BodyMeshes, HandMeshes
from posebook.experiments.sheet import ScoreSheet
from posebook.findings import judge_claims
from posebook.metrics import HANDS21, mpjpe, root_relative
from posebook.profile import gpu, laptop, smoke


@pytest.fixture(scope="module")
def sizes():
    made = smoke()
    return replace(made, mesh=replace(made.mesh, images_seen=8, batch=4, hidden=8, hidden_fc=16))


@pytest.fixture(scope="module")
def body(few_bodies):
    train, test = (BodyMeshes(b.dataset) for b in few_bodies)
    return train, test, BodyMeshJudge(test, train)


@pytest.fixture(scope="module")
def hand(few_hands):
    train, test = (HandMeshes(d) for d in few_hands)
    return train, test, HandMeshJudge(test, train)


def test_core_is_at_most_six_trainings_and_rows_are_named_once():
    for profile in (smoke(), laptop(), gpu()):
        rows = [v.row for v in i2l.variants(profile)]
        assert len(rows) == len(set(rows)) and sum(v.core for v in i2l.variants(profile)) <= 6
        asked = {name.removesuffix(", true root depth") for c in claims(profile) for name in (c.row_a, c.row_b)}
        assert asked <= set(rows)


def test_a_true_mesh_is_scored_as_perfect_with_the_true_root_depth(body, hand):
    for (_, test, judge), limit, pve in ((body, 4, 14), (hand, 0.1, 0.1)):
        batch = test.get(slice(0, len(test)))
        found = judge.box(test.targets(batch)[0], batch, 0)
        truth = judge.regressor @ batch.vertices
        pair = [root_relative(j, [0]) for j in (found["joints3d_true_depth"], truth)]
        assert mpjpe(*pair) < limit
        assert found["pve_true_depth"].max() < pve  # the coarse body's mesh is not the full one
        assert found["joints3d"].shape == truth.shape and found["laplacian"].min() > 0
    assert found["f5_true_depth"].min() > 99 and found["pa_mpvpe_true_depth"].max() < 0.1


def test_a_mesh_twice_as_far_away_is_twice_as_large(body):
    _, test, judge = body
    batch = test.get(slice(0, 2))
    crop = test.units.to_crop(test.targets(batch)[0])
    flat = torch.cat((crop[..., :2], torch.zeros_like(crop[..., :1])), -1)
    near, far = (judge.unproject(flat, d * batch.root[:, 2], batch) for d in (1, 2))
    torch.testing.assert_close(far, 2 * near)


@pytest.mark.parametrize("row", [v.row for v in i2l.variants(smoke())])
def test_every_variant_trains_and_is_remembered(row, sizes, body, hand, cache):
    rows = {v.row: v for v in i2l.variants(sizes)}
    variant = rows[row]
    data = hand if variant.subject == "hand" else body
    first = None
    if variant.form == "i2l parameters":
        first = i2l.train_variant(rows[i2l.FIRST_STAGE], sizes, *body, 0, "cpu")
    outcome = i2l.train_variant(variant, sizes, *data, 0, "cpu", first)
    assert np.isfinite(outcome.history.losses).all() and outcome.parameters > 0 and outcome.gflop > 0
    assert variant.metric != any(name.endswith("_true_depth") for name in outcome.predictions)
    again = i2l.train_variant(variant, sizes, *data, 0, "cpu", first)
    np.testing.assert_array_equal(again.predictions["joints3d"], outcome.predictions["joints3d"])
    assert sum(path.is_dir() for path in cache.iterdir()) == 1 + (first is not None)


def test_the_second_stage_leaves_the_first_alone(sizes, body):
    rows = {v.row: v for v in i2l.variants(sizes)}
    train = body[0]
    stage = i2l.SecondStage(i2l.build_model(rows["I2L param"], sizes, train))
    network = stage._frozen[0]
    before = {k: v.clone() for k, v in network.state_dict().items() if not k.startswith("param_regressor")}
    stage.train()
    loss = i2l.variant_loss(rows["I2L param"], stage, train.get(slice(0, 4)), train)
    loss.backward()
    after = network.state_dict()
    assert all(torch.equal(after[k], v) for k, v in before.items())  # batch norm's running statistics among them
    assert {n for n, p in network.named_parameters() if p.grad is not None} == {
        n for n, _ in network.named_parameters() if n.startswith("param_regressor")
    }


def test_surface_losses_can_be_left_out(sizes, body):
    rows = {v.row: v for v in i2l.variants(sizes)}
    train = body[0]
    net = i2l.build_model(rows["lixel {16}"], sizes, train).eval()
    batch = train.get(slice(0, 4))
    with torch.no_grad():
        whole, plain = (i2l.variant_loss(rows[f"lixel {{16}}{end}"], net, batch, train)
                        for end in ("", ", no surface losses"))  # fmt: skip
        found = i2l.answer(net, rows["lixel {16}"], batch, train).mesh
    mesh, joints = train.targets(batch)
    by_hand = (found - mesh).abs().mean() + 2 * (train.regressor @ found - joints).abs().mean()
    assert plain.item() == pytest.approx(by_hand.item(), rel=1e-4)
    assert whole > plain


def test_few_bins_reach_as_far_to_both_sides(sizes, body):
    """A head that always says its first or its last bin is as far from the box's edges."""
    train = body[0]
    variant = i2l.Variant("x", "voxel", bins=8)
    batch = train.get(slice(0, 2))
    ends = [i2l.answer(lambda image, c=c: torch.full((2, train.vertices, 3), c), variant, batch, train).mesh
            for c in (0.0, 7.0)]  # fmt: skip
    assert ends[0].unique().item() == 3.5 and ends[1].unique().item() == 59.5


def test_rows_of_bodies_and_hands(sizes, body, hand):
    rows = {v.row: v for v in i2l.variants(sizes)}
    train, test, judge = body
    sheet, hands = ScoreSheet(test.dataset), ScoreSheet(hand[1].dataset, HANDS21)
    add_mesh_floors(sheet, *body, "body")
    add_mesh_floors(hands, *hand, "hand")
    net = i2l.build_model(rows["lixel {16}"], sizes, train)
    add_variant_row(sheet, rows["lixel {16}"], i2l.predict(net, rows["lixel {16}"], test, judge), "trunk")
    table = sheet.table()
    assert table["kind"].to_dict() == {
        "mean body in the box": "baseline", "true body mesh": "oracle", "true body mesh, true root depth": "oracle",
        "lixel {16}": "trained", "lixel {16}, true root depth": "oracle",
    }  # fmt: skip
    deep = sheet.metrics.query("row == 'lixel {16}, true root depth'")["protocol"].iloc[0]
    assert "true root depth" in deep and "ORACLE" in deep
    assert hands.table().loc["true hand mesh, true root depth", "F@5, %"] > 99
    assert set(hands.metrics.query("metric == 'f15'")["unit"]) == {"%"}


def test_claims_on_surface_errors_read_their_own_column(sizes, body):
    sheet = ScoreSheet(body[1].dataset)
    add_mesh_floors(sheet, *body, "body")
    frame = sheet.per_sequence.replace({"row": {"true body mesh": "I2L param", "mean body in the box": "I2L lixel"}})
    judged = judge_claims(claims(sizes), {0: frame}).set_index("claim")
    line = judged.loc["The body model's mesh is smoother than the lixel mesh"]
    means = frame.groupby("row")["laplacian"].mean()
    assert line["effect_mm"] == pytest.approx(means["I2L param"] - means["I2L lixel"], abs=0.2)
