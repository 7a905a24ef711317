"""The trunk: shipped, the right size, and refused where it does not belong."""

import json

import pytest
import torch

from posebook import trunk
from posebook.errors import PosebookError
from posebook.experiments.volumetric import build_model, variants
from posebook.models.hourglass import trunk_state
from posebook.profile import laptop, smoke


@pytest.fixture
def copied(tmp_path, body_cache):
    """A copy of the committed hourglass trunk that a test may damage."""
    loaded = trunk.load_trunk("hourglass", laptop())
    for path in (loaded.path, loaded.path.with_suffix(".json")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path, loaded.path.name


def test_committed_trunks_fit_and_are_small(body_cache):
    for kind in ("hourglass", "resnet"):
        loaded = trunk.load_trunk(kind, laptop())
        assert loaded.path.parent == trunk.COMMITTED and loaded.path.stat().st_size <= 10_000_000
        assert {"command", "data_seed", "split_hash", "body_hash", "log", "labels"} <= set(loaded.card)
        assert loaded.card["val_error_pixels"] < 4  # of 64; the centre of the crop is about 15 away


@pytest.mark.parametrize("row", range(6))
def test_every_core_variant_starts_from_the_trunk(row, body_cache):
    variant = variants(laptop().volumetric)[row]
    model, state = build_model(variant, laptop()), trunk.load_trunk("hourglass", laptop()).state
    for name, value in trunk_state(model).items():
        torch.testing.assert_close(value.float(), state[name].float())


@pytest.mark.parametrize("field", ["split_hash", "body_hash"])
def test_a_trunk_of_another_split_or_body_is_refused(copied, field):
    folder, name = copied
    path = (folder / name).with_suffix(".json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: "another"}))
    with pytest.raises(PosebookError, match=f"expected {field}.*says another"):
        trunk.load_trunk("hourglass", laptop(), folder)


def test_changed_weights_are_refused(copied):
    folder, name = copied
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(PosebookError, match="sha256"):
        trunk.load_trunk("hourglass", laptop(), folder)


def test_weights_without_a_card_are_refused(copied):
    folder, name = copied
    (folder / name).with_suffix(".json").unlink()
    with pytest.raises(PosebookError, match="Expected a card"):
        trunk.load_trunk("hourglass", laptop(), folder)


def test_a_missing_trunk_names_the_remedy(tmp_path):
    with pytest.raises(PosebookError, match="posebook pretrain --profile laptop.*init='scratch'"):
        trunk.load_trunk("hourglass", laptop(), tmp_path)


def test_pretraining_writes_a_loadable_trunk(tmp_path, body_cache):
    paths = trunk.pretrain(smoke(), folder=tmp_path)
    assert [p.name.split("-")[0] for p in paths] == ["hourglass", "resnet"]
    again = trunk.load_trunk("resnet", smoke(), tmp_path)
    assert any(k.startswith("layer4") for k in again.state) and "conv1.weight" in again.state
    assert again.card["labels"] == "2D joints (h36m17) only"
