"""COCO keypoints."""

import json

import fixtures_flat as fixture
import numpy as np
import pytest

from posebook.data.real import coco, json_stream
from posebook.data.real.prepare import prepare
from posebook.errors import PosebookError
from posebook.joint_atlas import convert


@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_people_with_keypoints(tmp_path, prepared, monkeypatch, chunk):
    monkeypatch.setattr(json_stream, "CHUNK", chunk)
    pixels = fixture.write_coco(tmp_path / "coco")
    dataset = prepared(coco.READER, tmp_path / "coco", "val2017")
    assert len(dataset) == 2 and dataset.manifest["left_out"] == {"no keypoints": 1, "crowd": 1}
    stored = dataset.stored["keypoints2d"]
    lsp = convert(stored[..., :2], "coco17", "lsp14")
    np.testing.assert_allclose(lsp.points[:, :12], pixels[:, fixture.LIMBS], atol=1e-3)  # ours: half a pixel added
    assert stored[0, 9, 2] == 0.5 and stored[0, 5, 2] == 1 and not stored[0, 0].any()
    crop = dataset.extras["keypoints2d"][1]
    assert (crop[5:, :2] > 0).all() and (crop[5:, :2] < dataset.image_size).all()
    assert not dataset[1].valid["joints3d"] and dataset[1].image[..., 1].max() > 90
    assert dataset.texts["sample_id"][1] == "coco-val2017-8"


def test_mistakes(tmp_path):
    fixture.write_coco(tmp_path / "coco")
    path = tmp_path / "coco" / "annotations" / "person_keypoints_val2017.json"
    whole = path.read_text()
    for text, message in (
        (whole[:-300], "not whole JSON"),
        (whole.replace('"num_keypoints"', '"number"'), "annotation 7: the fields num_keypoints are missing"),
        (whole.replace('"images"', '"pictures"'), "the fields images are missing; it has"),
        (whole.replace('"image_id": 101', '"image_id": 999'), "annotation 8 has an unknown image_id"),
        (json.dumps([1]), "not whole JSON"),
    ):
        path.write_text(text)
        with pytest.raises(PosebookError, match=message):
            prepare(coco.READER, tmp_path / "coco", "val2017", tmp_path / "out")
    assert not (tmp_path / "out").exists()
