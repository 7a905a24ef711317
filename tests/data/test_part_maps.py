"""Labels and part maps against the baked body, a user's SMPL file and the stored maps of a rendered dataset."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from posebook.body import load_assets, load_body, part_groups
from posebook.data import open_dataset
from posebook.data.part_maps import part_of_face, render_parts
from posebook.errors import PosebookError
from posebook.joints import SMPL24
from posebook.motion import load_clip
from posebook.profile import smoke

K = np.array([[40.0, 0, 16], [0, 40, 16], [0, 0, 1]])


@pytest.mark.parametrize("level", ["full", "smpl6890", "coarse"])
def test_labels_from_the_weights_are_the_baked_ones(level, body_cache):
    labels = part_of_face(load_body("free", level=level))
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, load_assets(level).part_of_face)


def test_a_users_smpl_file_gets_its_labels(tmp_path, body_cache):
    """The free body of SMPL's size in SMPL's npz layout: its last faces twice, as SMPL has 8 more."""
    body = load_body("free", level="smpl6890")
    faces = np.concatenate([body.faces, body.faces[-8:]])
    arrays = {name: getattr(body, name).numpy() for name in ("v_template", "shapedirs", "J_regressor")}
    parents = np.array([2**32 - 1, *SMPL24.parents[1:]], dtype=np.uint32)
    np.savez(
        tmp_path / "SMPL_NEUTRAL.npz",
        **arrays,
        weights=body.lbs_weights.numpy(),
        posedirs=body.posedirs.numpy().T.reshape(6890, 3, 207),
        kintree_table=np.stack([parents, np.arange(24, dtype=np.uint32)]),
        f=faces.astype(np.uint32),
    )
    user = load_body(tmp_path / "SMPL_NEUTRAL.npz")
    labels, expected = part_of_face(user), load_assets("smpl6890").part_of_face
    np.testing.assert_array_equal(labels, np.concatenate([expected, expected[-8:]]))
    vertices = user().vertices[0].detach().numpy() * [1, -1, -1] + [0, 0, 3]  # upright, facing the camera
    drawn = render_parts(vertices, user.faces, labels, K, 32)
    assert set(np.unique(drawn)) >= {0, SMPL24.index("spine3") + 1, SMPL24.index("head") + 1}
    knees = [np.argwhere(drawn == SMPL24.index(f"{side}_knee") + 1)[:, 1].mean() for side in ("left", "right")]
    assert knees[0] > 16 > knees[1]  # seen from the front, the subject's left is on the right


def rest_pelvis(body, betas):
    """(3,) metres, of the unposed body."""
    return (body.J_regressor[0] @ (body.v_template + body.shapedirs @ torch.tensor(betas))).numpy()


@pytest.fixture(scope="module")
def posed(body_cache):
    """Samples of the smoke dataset, each with the coarse mesh in the place where it was rendered.

    `transl` places the full mesh. The coarse mesh has its pelvis 1 to 2 mm elsewhere and was turned twice, into its
    pose about its own pelvis and into the camera with everything; with `transl` it would be (R - 1) d away.
    """
    dataset, coarse, full = open_dataset("procedural", "test", smoke()), load_body(level="coarse"), load_body()
    samples = [dataset[i] for i in range(0, len(dataset), 5)]
    names = ("global_orient", "body_pose", "betas", "transl")
    inputs = {name: torch.tensor(np.stack([getattr(s, name) for s in samples])) for name in names}
    with torch.no_grad():
        vertices = coarse(**inputs).vertices.numpy()
    for sample, mesh in zip(samples, vertices, strict=True):
        upright = load_clip("procedural", sample.clip).global_orient[sample.frame]
        camera = Rotation.from_rotvec(sample.global_orient) * Rotation.from_rotvec(upright).inv()
        moved = rest_pelvis(coarse, sample.betas) - rest_pelvis(full, sample.betas)
        assert np.linalg.norm(moved) < 0.003
        mesh += camera.apply(moved) - moved
    return list(zip(samples, vertices, strict=True)), coarse.faces, part_of_face(coarse)


def test_agrees_with_the_stored_parts(posed):
    pairs, faces, labels = posed
    drawn = np.stack([render_parts(v, faces, labels, s.K, 64) for s, v in pairs])
    stored = np.stack([s.parts for s, _ in pairs])
    assert drawn.dtype == np.uint8 and (drawn == stored).mean() > 0.9995
    assert (drawn == stored)[stored > 0].mean() > 0.998


def test_grouping_before_or_after_rendering_is_the_same(posed):
    pairs, faces, labels = posed
    sample, vertices = pairs[0]
    drawn = render_parts(vertices, faces, labels, sample.K, 48)
    for count in (12, 6, 3, 1):
        groups = part_groups(count)
        np.testing.assert_array_equal(render_parts(vertices, faces, groups[labels], sample.K, 48), groups[drawn])


TRIANGLE = np.array([[-0.5, -0.5, 2], [0.5, -0.5, 2], [-0.5, 0.5, 2]])


def test_one_triangle_pixel_by_pixel():
    drawn = render_parts(TRIANGLE, [[0, 1, 2]], [7], K, 32)  # corners at pixels (6, 6), (26, 6), (6, 26)
    for y, x in np.ndindex(32, 32):
        margin = min(x + 0.5 - 6, y + 0.5 - 6, 32 - (x + 0.5) - (y + 0.5))  # of the pixel's centre to the edges
        assert margin == 0 or drawn[y, x] == (7 if margin > 0 else 0)
    nearer = np.concatenate([TRIANGLE, TRIANGLE - [0, 0, 0.5]])
    assert set(np.unique(render_parts(nearer, [[0, 1, 2], [3, 4, 5]], [7, 9], K, 32))) == {0, 9}


def test_out_of_sight_is_background():
    assert not render_parts(TRIANGLE + [9, 0, 0], [[0, 1, 2]], [7], K, 32).any()
    assert not render_parts(TRIANGLE - [0, 0, 4], [[0, 1, 2]], [7], K, 32).any()  # behind the camera


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"vertices": TRIANGLE[None]}, r"vertices: .* got shape \(1, 3, 3\)"),
        ({"vertices": TRIANGLE * np.nan}, "finite"),
        ({"faces": [[0, 1, 3]]}, "indices into 3 vertices"),
        ({"faces": [[0, 1]]}, r"got shape \(1, 2\)"),
        ({"part_of_face": [7, 8]}, "1 labels from 1 to 255"),
        ({"part_of_face": [0]}, "1 labels from 1 to 255"),
        ({"K": np.eye(4)}, r"got \(4, 4\)"),
        ({"size": 0}, "size >= 1"),
    ],
)
def test_bad_calls_are_refused(changed, message):
    good = {"vertices": TRIANGLE, "faces": [[0, 1, 2]], "part_of_face": [7], "K": K, "size": 8}
    with pytest.raises(PosebookError, match=message):
        render_parts(**good | changed)
