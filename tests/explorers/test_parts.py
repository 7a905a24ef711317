"""PartsExplorer driven by its traits, with a network that has learnt nothing."""

import base64
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from posebook.body import load_body, part_groups
from posebook.data import open_dataset
from posebook.data.body_batches import BodyBatches
from posebook.data.inputs import group_palette
from posebook.errors import PosebookError
from posebook.experiments.nbf import Variant, build_model, mean_latent
from posebook.explorers import PartsExplorer
from posebook.explorers.parts import NO_NETWORK
from posebook.joints import SMPL24
from posebook.profile import smoke

ROWS = (0, 13, 38)


@pytest.fixture(scope="module")
def batches(body_cache):
    return BodyBatches(open_dataset("procedural", "test", smoke()))


@pytest.fixture(scope="module")
def network(batches):
    torch.manual_seed(0)
    return build_model(Variant("12 parts", "parts12"), smoke(), mean_latent(batches, "global"))


@pytest.fixture(scope="module")
def shared(batches, network):
    return PartsExplorer(batches, {"parts12": network, "joints": network}, ROWS)


@pytest.fixture
def explorer(shared):
    """The shared explorer with its controls as they are at first."""
    for name, value in {"person": 0, "turn": 0, "parts": "parts12", "kind": "swap", "amount": 0}.items():
        getattr(shared, name).value = value
    return shared


def points(trace) -> np.ndarray:
    return np.stack([trace.x, trace.y, trace.z], axis=-1)


def shown(explorer) -> np.ndarray:
    """The picture as a browser decodes it."""
    data = base64.b64decode(explorer.picture.data[0].source.removeprefix("data:image/png;base64,"))
    return np.asarray(Image.open(BytesIO(data)))


@pytest.mark.parametrize("person", range(len(ROWS)))
def test_unturned_bodies_are_drawn_as_the_dataset_drew_them(explorer, batches, person):
    explorer.person.value = person
    stored = batches.dataset[ROWS[person]]
    differ = explorer.clean != stored.parts  # the coarse level's pelvis lies 1 to 2 mm off: pixels at edges
    assert differ.mean() < 0.01 and differ[stored.parts > 0].mean() < 0.05
    np.testing.assert_allclose(explorer.view.K, stored.K, rtol=0.01, atol=0.3)
    np.testing.assert_allclose(explorer.view.joints, stored.joints3d, atol=1e-5)


def test_turning_moves_the_body_about_the_vertical_through_the_pelvis(explorer):
    before, clean = explorer.view, explorer.clean
    explorer.turn.value = 60
    assert (explorer.clean != clean).mean() > 0.02
    explorer.turn.value = 180
    for was, now in ((before.vertices, explorer.view.vertices), (before.joints, explorer.view.joints)):
        np.testing.assert_allclose(now - before.joints[0], (was - before.joints[0]) * [-1, 1, -1], atol=1e-5)
    half = explorer.clean
    explorer.turn.value = -180
    assert (explorer.clean == half).mean() > 0.999
    thighs = {name: SMPL24.index(f"{name}_hip") + 1 for name in ("left", "right")}
    order = [np.argwhere(drawn == thighs["left"])[:, 1].mean() < np.argwhere(drawn == thighs["right"])[:, 1].mean()
             for drawn in (clean, half)]  # fmt: skip
    assert order[0] != order[1]  # from behind, left and right thighs have changed places


@pytest.mark.parametrize("turn", [-135, 0, 90])
def test_the_crop_fits_the_turned_body(explorer, turn):
    explorer.turn.value = turn
    rows, columns = np.nonzero(explorer.clean)
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    assert longer == pytest.approx(64 / 1.2, abs=2)  # a tenth of the body's extent is left free on each side
    centre = (rows.min() + rows.max() + 1) / 2, (columns.min() + columns.max() + 1) / 2
    assert centre == pytest.approx((32, 32), abs=1.5)


def test_the_dial_spoils_the_map_and_moves_the_fit(explorer):
    clean, fitted = explorer.clean.copy(), points(explorer.figure.data[1])
    assert explorer.f1 == 1 and (explorer.labels == clean).all() and "parts 1.00" in explorer.caption.value
    scores, picture = [1.0], shown(explorer)
    for amount in (0.4, 0.8):
        explorer.amount.value = amount
        scores.append(explorer.f1)
    assert scores[0] > scores[1] > scores[2] and f"parts {explorer.f1:.2f}" in explorer.caption.value
    assert (shown(explorer) != picture).any() and (explorer.clean == clean).all()
    assert np.abs(points(explorer.figure.data[1]) - fitted).max() > 1e-5
    spoilt = explorer.labels.copy()
    explorer.kind.value = "erode"
    assert (explorer.labels != spoilt).any()
    explorer.amount.value = 0
    np.testing.assert_array_equal(points(explorer.figure.data[1]), fitted)


def test_f1_counts_pixels_of_twelve_parts(explorer):
    explorer.kind.value, explorer.amount.value = "shift", 0.7
    found, truth = (part_groups(12)[labels] for labels in (explorer.labels, explorer.clean))
    scores = []
    for part in range(1, 13):
        right, said, true = ((found == part) & (truth == part)).sum(), (found == part).sum(), (truth == part).sum()
        if said + true:
            scores.append(2 * right / (said + true))
    assert explorer.f1 == pytest.approx(np.mean(scores))


@pytest.mark.parametrize(
    "name, count", [("silhouette", 1), ("parts3", 3), ("parts6", 6), ("parts12", 12), ("parts24", 24)]
)
def test_the_input_sets_the_colours(explorer, name, count):
    explorer.parts.value = name
    expected = group_palette(count)[part_groups(count)[explorer.labels]]
    np.testing.assert_array_equal(explorer.pixels, expected)
    np.testing.assert_array_equal(shown(explorer), expected)
    true, fitted = explorer.figure.data
    painted = fitted if name == "parts12" else true
    if count > 1:
        assert set(np.unique(painted.intensity)) == set(range(1, count + 1)) and painted.cmax == count + 0.5
    else:
        assert painted.intensity is None


def test_joints_are_drawn_where_they_are_and_not_degraded(explorer):
    explorer.amount.value, explorer.parts.value = 0.8, "joints"
    assert explorer.amount.disabled and explorer.kind.disabled and (explorer.labels == explorer.clean).all()
    explorer.turn.value = 120
    image = explorer.view.joints @ explorer.view.K.T
    x, y = (image[:, :2] / image[:, 2:])[SMPL24.index("right_hand")].astype(int)
    np.testing.assert_array_equal(explorer.pixels[y, x], group_palette(24)[24])  # the last joint is over all others
    explorer.parts.value = "parts6"
    assert not explorer.amount.disabled and (explorer.labels != explorer.clean).any()


def test_the_fit_is_what_the_network_says_of_exactly_this_picture(explorer, network, batches):
    explorer.person.value, explorer.kind.value, explorer.amount.value = 2, "mixed", 0.6
    seen = torch.from_numpy(shown(explorer).astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        out = network(seen)
        posed = {"global_orient": out.relative[:, :1], "body_pose": out.relative[:, 1:], "pose2rot": False}
        full, coarse = (load_body(level=level)(betas=out.betas, **posed) for level in ("full", "coarse"))
    joints = (full.joints[0, :24] - full.joints[0, :1]).numpy()
    truth = batches.dataset[ROWS[2]].joints3d
    error = 1000 * np.linalg.norm(joints - (truth - truth[0]), axis=1).mean()
    assert explorer.error == pytest.approx(error, rel=1e-3) and f"{error:.0f} mm" in explorer.caption.value
    vertices = (coarse.vertices[0] - coarse.joints[0, 0]).numpy() * [1, -1, -1]  # figures stand upright
    np.testing.assert_allclose(points(explorer.figure.data[1]), vertices, atol=1e-4)


def test_without_a_network_the_true_body_stands_alone(explorer):
    assert explorer.figure.data[0].opacity < 1 and explorer.figure.data[1].visible
    explorer.parts.value = "parts6"
    assert NO_NETWORK in explorer.caption.value and explorer.fit is None and explorer.error is None
    assert explorer.figure.data[0].opacity == 1 and not explorer.figure.data[1].visible
    assert explorer.png().startswith(b"\x89PNG")


def test_rows_are_spread_over_the_set_unless_named(batches):
    explorer = PartsExplorer(batches)
    assert (explorer.rows[0], explorer.rows[-1], explorer.person.max) == (0, len(batches) - 1, len(explorer.rows) - 1)
    assert explorer.parts.value == "parts12" and NO_NETWORK in explorer.caption.value


class Empty:
    """No pictures."""

    size = 64

    def __len__(self):
        return 0


def test_what_cannot_be_shown_is_refused(batches, network):
    with pytest.raises(PosebookError, match="at least one picture"):
        PartsExplorer(Empty())
    for rows in ([], [len(batches)], [-1]):
        with pytest.raises(PosebookError, match=f"rows 0 to {len(batches) - 1}"):
            PartsExplorer(batches, rows=rows)
    with pytest.raises(PosebookError, match="'rgb'"):
        PartsExplorer(batches, {"rgb": network})
    layers = build_model(Variant("", "parts12", encoding="one-hot"), smoke(), network.mean, network.layer)
    with pytest.raises(PosebookError, match="13 channels"):
        PartsExplorer(batches, {"parts12": layers})
