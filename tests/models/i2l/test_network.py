"""I2L-MeshNet against recorded official outputs, the published sizes, and what each stage may touch."""

import pytest
import torch

from posebook.errors import PosebookError
from posebook.models.i2l import I2LMeshNet, LixelTargets, ParamTargets, lixel_losses, param_losses

PARTS = ("pose_backbone", "pose_net", "pose2feat", "mesh_backbone", "mesh_net", "param_regressor")


def _count(module):
    return sum(p.numel() for p in module.parameters())


# specs/i2l.md section 1.7
@pytest.mark.parametrize(
    ("sizes", "counts", "total"),
    [
        ((29, 6890, 24), (23_508_032, 44_113_239, 1_106_112, 23_508_032, 49_403_070, 696_986), 142_335_471),
        ((21, 778, 16), (23_508_032, 44_107_071, 811_200, 23_508_032, 44_690_718, 647_786), 137_272_839),
    ],
    ids=["body", "hand"],
)
def test_parameter_counts(sizes, counts, total):
    joints, vertices, rotations = sizes
    with torch.device("meta"):
        network = I2LMeshNet(joints, vertices, torch.empty(joints, vertices), rotation_num=rotations)
    assert tuple(_count(getattr(network, part)) for part in PARTS) == counts
    assert _count(network) == total


@pytest.mark.parity
def test_names_and_shapes_in_order(filled, recorded):
    network, names = filled
    official = {k: s for k, s in recorded["shapes"].items() if not k.startswith("human_model_layer.")}
    own = {k: list(v.shape) for k, v in network.state_dict().items()}
    assert list(own.items()) == list(official.items()) and len(own) == 723
    assert names == list(official)
    assert not [n for n, _ in network.named_parameters() if n.startswith("body")]


@pytest.mark.parity
@pytest.mark.parametrize("materialise", [False, True])
def test_outputs_repeat_the_official_network(paper, recorded, materialise):
    paper.pose2feat.materialise = materialise
    with torch.no_grad():
        output = paper(recorded["input"]["img"])
    wanted = recorded["eval"]
    for value, name, tolerance in (
        (output.joints_img, "joint_coord_img", 1e-3), (output.mesh_img, "mesh_coord_img", 1e-3),
        (output.joints_from_mesh, "joint_from_mesh", 1e-3), (output.shape, "shape_param", 1e-5),
        (output.pose, "pose_param", 2e-4), (output.mesh_cam, "mesh_coord_cam", 1e-5),
    ):  # fmt: skip
        torch.testing.assert_close(value, wanted[name], atol=tolerance, rtol=0, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parity
def test_inner_modules_repeat_the_official_ones(paper, recorded):
    seen = {}
    names = ("pose_net.deconv", "pose_net.conv_x", "pose_net.conv_z_1", "pose_net.conv_z_2", "pose2feat",
             "mesh_net.deconv", "mesh_net.conv_x", "mesh_net.conv_y", "mesh_net.conv_z_2", "param_regressor.fc",
             "pose_backbone.layer4", "mesh_backbone.layer4")  # fmt: skip
    hooks = [
        paper.get_submodule(n).register_forward_hook(lambda m, i, out, n=n: seen.update({n: out.clone()}))
        for n in names
    ]
    with torch.no_grad():
        paper(recorded["input"]["img"])
    for hook in hooks:
        hook.remove()
    seen["pose2feat.conv"] = seen.pop("pose2feat")
    for name, value in seen.items():
        want = recorded["eval_inner"][name]
        assert list(value.shape) == want["shape"], name
        for part, row in (("head", value.flatten()[:16]), ("tail", value.flatten()[-16:])):
            torch.testing.assert_close(row, want[part], atol=1e-3, rtol=0)
        assert value.double().mean().item() == pytest.approx(want["mean"], abs=1e-4), name


def _lixel_targets(recorded):
    t, m = recorded["input"]["targets"], recorded["input"]["meta"]
    return LixelTargets(t["orig_joint_img"], m["orig_joint_trunc"], t["fit_joint_img"], m["fit_joint_trunc"],
                        t["fit_mesh_img"], m["fit_mesh_trunc"], m["is_valid_fit"], m["is_3D"])  # fmt: skip


def _grad_norm(module):
    return torch.stack([p.grad.norm() for p in module.parameters() if p.grad is not None]).norm().item()


@pytest.mark.parity
def test_lixel_step_repeats_the_official_one(paper, recorded, recorded_body):
    before = {part: _means(getattr(paper, part)) for part in PARTS}
    paper.train_stage("lixel")
    losses = lixel_losses(
        paper(recorded["input"]["img"], stage="lixel"), _lixel_targets(recorded), recorded_body.faces_tensor
    )
    wanted = recorded["train_lixel"]
    for name, value in losses._asdict().items():
        weight = 0.1 if name == "mesh_normal" else 1  # recorded with its weight
        assert weight * value.item() == pytest.approx(wanted["loss"][name], rel=1e-5), name
    assert losses.total.item() == pytest.approx(sum(wanted["loss"].values()), rel=1e-5)
    losses.total.backward()
    for part, norm in wanted["grad_norm"].items():
        assert _grad_norm(getattr(paper, part)) == pytest.approx(norm, rel=5e-3), part
    assert all(p.grad is None for p in paper.param_regressor.parameters())
    for part, moved in wanted["bn_running_mean_moved"].items():
        assert (not torch.equal(before[part], _means(getattr(paper, part)))) == moved, part


def _means(module):
    return torch.cat([b.flatten() for n, b in module.named_buffers() if n.endswith("running_mean")] or [torch.zeros(1)])


# Normalising over two samples amplifies rounding: one unit in the last place of the image moves these losses by
# 3e-4, 7e-4, 2e-4, 2e-4 (standard deviation of ten runs; their mean is within 1.6e-4 of the record). In float64 the
# folded and the materialised network agree to all digits, and differ from the float32 record by 4e-4, 1.7e-3, 6e-4 and
# 2e-4: no tighter bound holds for one float32 run on another machine. Three standard deviations.
PARAM_NOISE = {"pose_param": 1e-3, "shape_param": 2.1e-3, "joint_orig_cam": 6e-4, "joint_fit_cam": 6e-4}


@pytest.mark.parity
def test_param_step_repeats_the_official_one(paper, recorded):
    t, m = recorded["input"]["targets"], recorded["input"]["meta"]
    targets = ParamTargets(t["pose_param"], t["shape_param"], t["orig_joint_cam"], m["orig_joint_valid"],
                           t["fit_joint_cam"], m["is_valid_fit"], m["is_3D"])  # fmt: skip
    before = {part: _means(getattr(paper, part)) for part in PARTS}
    output = paper.train_stage("param", frozen_bn="official")(recorded["input"]["img"])
    losses = param_losses(output, paper.joints_cam(output.mesh_cam), targets)
    wanted = recorded["train_param"]
    for name, value in losses._asdict().items():
        assert value.item() == pytest.approx(wanted["loss"][name], rel=PARAM_NOISE[name]), name
    losses.total.backward()
    assert _grad_norm(paper.param_regressor) == pytest.approx(wanted["grad_norm"]["param_regressor"], rel=3e-2)
    for part in PARTS[:-1]:
        assert all(p.grad is None for p in getattr(paper, part).parameters())
    for part, moved in wanted["bn_running_mean_moved"].items():
        assert (not torch.equal(before[part], _means(getattr(paper, part)))) == moved, part


def test_frozen_batch_norm_stays_by_default_and_moves_officially(small):
    image = torch.rand(4, 3, 64, 64)
    with torch.no_grad():
        still = small(image).mesh_img
    for mode, moves in (("eval", False), ("official", True)):
        before = _means(small.mesh_net), _means(small.param_regressor)
        output = small.train_stage("param", frozen_bn=mode)(image)
        assert torch.equal(before[0], _means(small.mesh_net)) != moves
        assert not torch.equal(before[1], _means(small.param_regressor))
        assert torch.equal(output.mesh_img, still) != moves


def test_stages_share_out_the_parameters(small):
    by_stage = {stage: {id(p) for p in small.stage_parameters(stage)} for stage in ("lixel", "param")}
    assert by_stage["param"] == {id(p) for p in small.param_regressor.parameters()}
    assert by_stage["lixel"] == {id(p) for p in small.parameters()} - by_stage["param"]


def test_no_gradient_reaches_pose_net_from_the_mesh(small):
    small.train_stage("lixel")
    small(torch.rand(2, 3, 64, 64), stage="lixel").mesh_img.sum().backward()
    assert all(p.grad is None for p in small.pose_net.parameters())
    assert small.pose_backbone.conv1.weight.grad is not None  # by the early feature
    assert small.pose_backbone.layer1[0].conv1.weight.grad is None
    assert small.pose2feat.conv[0].weight.grad is not None


def test_outputs_of_the_two_stages(small):
    image = torch.rand(3, 3, 64, 64)
    lixel, param = small(image, stage="lixel"), small(image)
    assert lixel.pose is None and lixel.mesh_cam is None and param.mesh_cam is None
    assert param.pose.shape == (3, 9) and param.shape.shape == (3, 10)
    torch.testing.assert_close(lixel.mesh_img, param.mesh_img)
    torch.testing.assert_close(
        param.joints_from_mesh, torch.einsum("jv,bvc->bjc", small.joint_regressor, lixel.mesh_img)
    )
    assert lixel.mesh_img.min() >= 0 and lixel.mesh_img.max() <= small.bins - 1


def test_mesh_cam_has_the_root_at_the_origin_and_moves_with_the_network(recorded_body):
    regressor = recorded_body.J_regressor
    with torch.no_grad():
        network = I2LMeshNet(24, 6890, regressor, recorded_body, image_size=64, trunk={"depth": 18, "width": 8},
                             hidden=8).eval()  # fmt: skip
        output = network(torch.rand(1, 3, 64, 64))
        posed = recorded_body(betas=output.shape, global_orient=output.pose[:, :3], body_pose=output.pose[:, 3:])
    root = (regressor[:1] @ posed.vertices[0])[None]
    torch.testing.assert_close(output.mesh_cam, posed.vertices - root, atol=2e-5, rtol=0)
    assert network.double().body.v_template.dtype == torch.float64
    assert recorded_body.v_template.dtype == torch.float32


def test_autocast_leaves_coordinates_whole(small):
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output = small(image)
    assert {v.dtype for v in output if v is not None} == {torch.float32}
    assert len(output.mesh_img.unique()) > 60  # 72 numbers, not quarters of a bin
    torch.testing.assert_close(output.joints_from_mesh, small.joint_regressor @ output.mesh_img)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"joint_num": 7}, "joint_regressor"),
        ({"image_size": 100}, "multiple of 32"),
        ({"body": torch.nn.Identity()}, "smplx"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change, told):
    options = {"joint_num": 8, "vertex_num": 12, "joint_regressor": torch.rand(8, 12), "image_size": 64}
    with pytest.raises(PosebookError, match=told):
        I2LMeshNet(**options | change)


def test_wrong_input_is_refused(small):
    for image in (torch.rand(1, 3, 32, 32), torch.zeros(1, 3, 64, 64, dtype=torch.uint8), torch.rand(3, 64, 64)):
        with pytest.raises(PosebookError, match="image"):
            small(image)
    with pytest.raises(PosebookError, match="stage"):
        small(torch.rand(1, 3, 64, 64), stage="both")
    with pytest.raises(PosebookError, match="frozen_bn"):
        small.train_stage("param", frozen_bn="half")
    with pytest.raises(PosebookError, match="at least 2"):
        small.train_stage("lixel")(torch.rand(1, 3, 64, 64), stage="lixel")
