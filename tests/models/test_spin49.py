"""Index tables of the 49 joints."""

import pytest
import torch

from posebook.joints import SMPL24, SPIN_EXTRA9
from posebook.models.spin49 import (
    COMMON14_FROM_SPIN49,
    COMMON14_HIPS,
    H36M_TO_J14,
    H36M_TO_J17,
    MPII3D17_FROM_SPIN49,
    SMPL_VERTEX_IDS,
    SPIN49_FROM_POOL,
    SPIN49_NAMES,
    SPIN_VERTEX_NAMES,
)


@pytest.mark.parity
def test_tables_are_the_recorded_ones(vibe_recorded):
    data = vibe_recorded["data"]
    assert list(SPIN49_FROM_POOL) == data["joint_index"]
    assert list(H36M_TO_J14) == data["H36M_TO_J14"] and list(H36M_TO_J17) == data["H36M_TO_J17"]


@pytest.mark.parity
def test_subsets_are_the_recorded_ones(vibe_recorded):
    data = vibe_recorded["data"]
    keypoints = data["kps"].double()
    assert torch.equal(keypoints[:, list(COMMON14_FROM_SPIN49)], data["kps_common"])
    assert torch.equal(keypoints[:, list(MPII3D17_FROM_SPIN49)], data["kps_mpii3d_test"])


def test_names_agree_with_the_pool_they_are_picked_from():
    eye = {"reye": "right_eye", "leye": "left_eye", "rear": "right_ear", "lear": "left_ear"}
    feet = {f"{s[0].upper()}{p.title().replace('_', '')}": f"{s}_{p}" for s in ("left", "right")
            for p in ("big_toe", "small_toe", "heel")}  # fmt: skip
    pool = [*SMPL24.names, *(({"nose": "nose"} | eye | feet).get(n, n) for n in SPIN_VERTEX_NAMES), *SPIN_EXTRA9]
    assert len(pool) == 54 and len(SPIN_VERTEX_NAMES) == len(set(SMPL_VERTEX_IDS)) == 21
    for name, source in zip(SPIN49_NAMES, SPIN49_FROM_POOL, strict=True):
        plain = name.removeprefix("openpose_")
        assert plain == pool[source], (name, pool[source])
    assert len(set(SPIN49_NAMES)) == 49


def test_root_of_the_common_joints_is_between_the_hips():
    names = [SPIN49_NAMES[i] for i in COMMON14_FROM_SPIN49]
    assert [names[i] for i in COMMON14_HIPS] == ["right_hip_lsp", "left_hip_lsp"]
