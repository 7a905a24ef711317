"""Cutting and capping on a sphere; naming of bones; hand axes."""

import numpy as np
import pytest
import trimesh

from posebook.errors import PosebookError
from posebook.hand.source import cut_and_cap, hand_bone, load_hand_source
from posebook.joints import MANO16


def test_the_cap_closes_the_hole_round_its_middle():
    sphere = trimesh.creation.icosphere(subdivisions=3)
    kept, rim, faces = cut_and_cap(np.asarray(sphere.faces), sphere.vertices[:, 2] > 0.5)
    own = sphere.vertices[kept]
    points = np.concatenate([own, own[rim].mean(0, keepdims=True)])
    mesh = trimesh.Trimesh(points, faces, process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent and 0 < mesh.volume < sphere.volume
    assert (faces == len(kept)).any(1).sum() == len(rim)
    ring = np.linalg.norm(points[rim, :2], axis=1)
    assert len(set(rim)) == len(rim) and ring.min() > 0.6  # a circle at about z = 0.5
    cap = mesh.face_normals[(faces == len(kept)).any(1)]
    assert (cap[:, 2] > 0.5).all()


def test_two_holes_are_refused():
    sphere = trimesh.creation.icosphere(subdivisions=2)
    with pytest.raises(PosebookError, match="2 holes"):
        cut_and_cap(np.asarray(sphere.faces), abs(sphere.vertices[:, 2]) > 0.7)


def test_bones_and_weights():
    assert [hand_bone(j) for j in ("wrist", "thumb1", "index3", "pinky2")] == [
        "wrist.R", "finger1-1.R", "finger2-3.R", "finger5-2.R"]  # fmt: skip
    source = load_hand_source()
    assert 1500 < len(source.kept) < 1700 and len(source.faces) == 2 * (len(source.kept) + 1) - 4
    np.testing.assert_allclose(source.weights.sum(1), 1)
    assert source.weights.min() > -1e-9 and (source.weights[-1] == np.eye(16)[0]).all()
    parents = {b: source.anny.bones[p] for b, p in zip(source.anny.bones, source.anny.model.bone_parents, strict=True)}
    for finger in ("thumb", "index", "middle", "ring", "pinky"):  # anny chains its bones as MANO does
        for k in (2, 3):
            assert parents[hand_bone(f"{finger}{k}")] == hand_bone(f"{finger}{k - 1}")
    assert len(source.bones) == len(MANO16)
