"""Agreement with numbers recorded from official code (tests/parity/README.md); tolerances are its 'use' column."""

import pytest
import torch

from posebook.metrics import (
    accel,
    accel_error,
    auc,
    mpjpe,
    n_mpjpe,
    pa_mpjpe,
    pck,
    procrustes_align,
    pve,
    root_relative,
)

pytestmark = pytest.mark.parity
MM = 1e-3  # 1e-6 m


def close(mine, metres, atol=MM):
    torch.testing.assert_close(mine.double(), 1000 * torch.as_tensor(metres).double(), atol=atol, rtol=0)


def rooted(x):
    return x - (x[:, [2]] + x[:, [3]]) / 2  # mean of the hips


@pytest.fixture(scope="module")
def recorded(parity):
    return parity.load("metrics.pt")


@pytest.fixture(scope="module")
def main(recorded):
    return recorded["main"] | {"p": rooted(recorded["main"]["pred"]), "g": rooted(recorded["main"]["gt"])}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_mpjpe_and_pa_per_frame(main, recorded, dtype):
    pred, gt = main["p"].to(dtype), main["g"].to(dtype)  # float64 makes the official code fail
    close(mpjpe(pred, gt, "none"), main["mpjpe_frame"])
    close(pa_mpjpe(pred, gt, "none"), main["pa_mpjpe_frame"])
    assert mpjpe(pred, gt).item() == pytest.approx(recorded["main_mm"]["mpjpe_frame"], abs=MM)
    assert pa_mpjpe(pred, gt).item() == pytest.approx(recorded["main_mm"]["pa_mpjpe_frame"], abs=MM)


def test_aligned_points(main):
    aligned = procrustes_align(main["p"], main["g"]).aligned
    torch.testing.assert_close(aligned, main["aligned"], atol=1e-5, rtol=0)


def test_numpy_twin_on_raw_frames(main, recorded):
    """compute_errors subtracts the hips itself for MPJPE; PA does not care."""
    twin = recorded["compute_errors_50"]
    close(mpjpe(main["p"][:50], main["g"][:50], "none"), twin["mpjpe"])
    close(pa_mpjpe(main["pred"][:50], main["gt"][:50], "none"), twin["pa"])


def test_acceleration(main, recorded):
    pred, gt, visible = main["p"], main["g"], main["visible"]
    close(accel(pred, "none"), main["accel_pred"])
    close(accel(gt, "none"), main["accel_gt"])
    close(accel_error(pred, gt, "none"), main["accel_error"])
    close(accel_error(pred, gt, "none", visible=visible), main["accel_error_visible"])
    close(accel(pred), recorded["accel_from_tensor"])
    means = recorded["main_mm"]
    assert accel(gt).item() == pytest.approx(means["accel_gt"], abs=MM)
    assert accel_error(pred, gt).item() == pytest.approx(means["accel_error"], abs=MM)
    assert accel_error(pred, gt, visible=visible).item() == pytest.approx(means["accel_error_visible"], abs=MM)


def test_vertex_error(recorded, parity):
    pred, gt = parity.fill.normal("pv", (4, 6890, 3)), parity.fill.normal("gv", (4, 6890, 3))
    close(pve(pred, gt, "none"), recorded["pve"]["out"])
    close(pve(pred.double(), gt.double(), "none"), recorded["pve"]["out"])


@pytest.mark.parametrize("name", ["mirror", "flat_pred", "flat_both", "line_pred", "identical", "scaled"])
@pytest.mark.parametrize("variant", ["batch", "numpy", "torch"])
def test_odd_cases(recorded, name, variant):
    case = recorded["cases"][name]
    official = case[variant].reshape(1, 14, 3).double()
    close(pa_mpjpe(case["pred"], case["gt"], "none"), (official - case["gt"]).norm(dim=-1).mean(-1))
    if name != "line_pred":  # there the rotation is not unique
        aligned = procrustes_align(case["pred"], case["gt"]).aligned.double()
        torch.testing.assert_close(aligned, official, atol=1e-5, rtol=0)


def test_a_prediction_in_one_point_is_finite_where_the_official_code_is_not(recorded):
    case = recorded["cases"]["point_pred"]
    assert case["batch"].isnan().all()
    gt = case["gt"].double()
    close(pa_mpjpe(case["pred"], case["gt"], "none"), (gt - gt.mean(1, keepdim=True)).norm(dim=-1).mean(-1))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_batches_of_any_size_are_the_large_batch(main, recorded, count):
    aligned = procrustes_align(main["p"][:count], main["g"][:count]).aligned
    torch.testing.assert_close(aligned, main["aligned"][:count], atol=1e-5, rtol=0)
    entry = recorded["batch_size"][str(count)]
    official_is_right = torch.allclose(entry["out"], aligned, atol=1e-5)
    assert official_is_right == entry["same_as_in_the_large_batch"]  # wrong for 2 and 3; not to be copied


@pytest.fixture(scope="module")
def elepose(parity):
    """ElePose's metrics: 17 joints, millimetres stored as 17 x, 17 y, 17 z; the official code roots both at joint 0."""
    m = parity.load("elepose.pt")["metrics"]
    return m | {name: root_relative(m[name].reshape(-1, 3, 17).mT / 1000, (0,)) for name in ("gt", "pred")}


def test_elepose_metrics(elepose):
    pred, gt = elepose["pred"], elepose["gt"]
    use = {"atol": 1e-3, "rtol": 1e-5}
    torch.testing.assert_close(mpjpe(pred, gt, "none"), elepose["mpjpe_no_scale"], **use)
    torch.testing.assert_close(n_mpjpe(pred, gt, "none", scaling="norm"), elepose["n_mpjpe"], **use)
    torch.testing.assert_close(pa_mpjpe(pred, gt, "none"), elepose["p_mpjpe_noreflect"], **use)
    assert n_mpjpe(pred, gt).item() == pytest.approx(126.75, abs=0.01)  # specs/selfsup.md 3.1, least squares
    flipped = gt * torch.tensor([1.0, 1.0, -1.0])
    torch.testing.assert_close(pa_mpjpe(flipped, gt, "none"), elepose["mirror_noreflect"], **use)


def test_elepose_pck_and_auc(elepose):
    """The official code counts after its norm scaling."""
    pred, gt = elepose["pred"], elepose["gt"]
    scaled = pred * (gt.flatten(1).norm(dim=1) / pred.flatten(1).norm(dim=1))[:, None, None]
    assert pck(scaled, gt).item() == pytest.approx(elepose["all"]["PCK"].item(), rel=1e-5)
    assert auc(scaled, gt).item() == pytest.approx(elepose["all"]["AUC"].item(), rel=1e-5)


def test_i2l_rigid_align(parity):
    for case in parity.load("i2l_body.pt")["geometry"]["rigid_align"]:
        torch.testing.assert_close(procrustes_align(case["A"], case["B"]).aligned, case["aligned"], atol=1e-5, rtol=0)
