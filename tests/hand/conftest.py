"""The free hand, baked once for all tests here."""

import pytest
import torch


@pytest.fixture(scope="session")
def hand_cache():
    """The cache folder, with the free hand baked."""
    from posebook.cache import cache_dir
    from posebook.hand import load_hand_assets

    load_hand_assets()
    return cache_dir()


@pytest.fixture
def posed(hand_cache):
    """posed(hand_pose, betas): vertices and joints by smplx, numpy."""
    from posebook.hand import load_hand

    model = load_hand()

    def forward(hand_pose, betas=None):
        pose = torch.as_tensor(hand_pose, dtype=torch.float32).reshape(-1, 45)
        shape = torch.zeros(len(pose), 10) if betas is None else torch.as_tensor(betas, dtype=torch.float32)
        with torch.no_grad():
            out = model(hand_pose=pose, betas=shape, global_orient=torch.zeros(len(pose), 3))
        return out.vertices.numpy(), out.joints.numpy()

    return forward
