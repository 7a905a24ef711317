"""Some rows of a dataset behave as the dataset of those rows."""

import numpy as np

from posebook.data import open_dataset
from posebook.data.subset import subset
from posebook.profile import smoke


def test_rows_are_those_of_the_whole(body_cache):
    whole = open_dataset("procedural", "test", smoke())
    rows = np.array([7, 3, 20])
    part = subset(whole, rows, "three")
    assert len(part) == 3 and part.manifest["data_version"] != whole.manifest["data_version"]
    for key in (0, slice(1, 3), np.array([2, 0]), np.array([False, True, True])):
        np.testing.assert_array_equal(part.arrays["image"][key], np.array(whole.arrays["image"])[rows][key])
    np.testing.assert_array_equal(np.array(part.arrays["K"]), np.array(whole.arrays["K"])[rows])
    assert part.arrays["K"].shape == (3, 3, 3) and part.arrays["K"].dtype == np.float32
    assert part[1].sample_id == whole[3].sample_id and np.array_equal(part[1].depth, whole[3].depth)
    assert len(whole) == len(whole.texts["clip"])  # the whole is as it was
