"""Chapter 5's networks as a method: whose weights, which frame, which size."""

import numpy as np
import pytest
import torch

from posebook.experiments.lifting_sets import METRES
from posebook.experiments.outcome import Outcome, save_outcome
from posebook.methods import trained
from posebook.methods.lifting import ROW, blank_pipeline, lifted_pictures
from posebook.methods.method import look, same_box
from posebook.models.selfsup import BODY17
from posebook.models.selfsup.image_model import ImagePrediction
from posebook.profile import smoke
from posebook.train import History


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A cache with one training of the profile's networks."""
    monkeypatch.setattr(trained, "cache_dir", lambda *parts: tmp_path)
    torch.manual_seed(3)
    model, sizes = blank_pipeline(smoke()), smoke()
    model.scale.fill_(0.13)
    (tmp_path / "one").mkdir()
    history = History(*([] for _ in History._fields))
    state = model.state_dict()
    save_outcome(Outcome(ROW, {}, history, 1, 1.0, sizes.lifting.images_seen, 1.0, state, 1.0), tmp_path / "one")
    return model.eval()


def test_the_method_says_what_its_networks_say(kept):
    method = lifted_pictures(smoke())
    assert method.size == 32 and "chapter 05, row 'from image'" in method.source
    assert "not for real photos" in method.warning and "near and far" in method.warning
    crops = torch.rand(3, 3, 32, 32)
    answer = method(crops)
    assert answer.vertices is None and answer.joints.shape == (3, 17, 3) and answer.scale is None
    with torch.no_grad():
        painted = kept.painter(2 * crops - 1)
        read = kept.reader(painted)
    torch.testing.assert_close(answer.root, (read[:, 0] + 1) * 31 / 2 + 0.5)
    assert answer.joints[:, BODY17.root].abs().max() == 0


def test_a_person_as_large_as_a_box_says_is_that_large(kept, monkeypatch):
    """The widened box measures 2 m: half a crop of margin 1.2 is 2 · 1.2 / 1.25 / 2 = 0.96 m, at the root's depth."""
    flat = torch.zeros(1, 17, 2)
    flat[0, BODY17.joints.index("head_top"), 1] = -0.5  # half of the crop's half: 0.48 m above the pelvis

    def predict(images, zoom):
        poses = kept.normalised(flat, zoom)
        return ImagePrediction(torch.zeros(1, 1, 64, 64), flat, torch.cat((10 * poses, 0 * poses[..., :1]), -1))

    method = lifted_pictures(smoke())
    monkeypatch.setattr(method.networks[0], "predict", predict)
    monkeypatch.setattr(method.networks[0], "scale", kept.scale)
    head = method(torch.zeros(1, 3, 64, 64)).joints[0, BODY17.joints.index("head_top")]
    np.testing.assert_allclose(head, [0, -0.48, 0], atol=1e-5)
    assert METRES["h36m17"] == 0.6  # one unit of lifted poses


def test_it_looks_at_a_picture(kept):
    picture = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    seen = look(lifted_pictures(smoke()), [picture], same_box([40, 10, 60, 100], 1))
    placed = seen.placed(0, focal=500.0, root_depth=4.0)
    assert placed.joints.shape == (17, 3) and placed.vertices is None and placed.joints.isfinite().all()
    assert float(placed.joints[0, 2]) == pytest.approx(4.0)


def test_without_weights_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(trained, "cache_dir", lambda *parts: tmp_path)
    assert lifted_pictures(smoke()) is None
