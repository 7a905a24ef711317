"""Halves of the training clips: no clip in both, and the same whoever asks."""

from dataclasses import replace

import numpy as np
import pytest

from posebook.data.halves import HALVES, HalfRecipe, half_of, open_motion_half, open_picture_half, picture_rows
from posebook.data.store import Recipe
from posebook.errors import PosebookError
from posebook.motion import list_clips
from posebook.profile import laptop, smoke


def test_halves_are_about_equal_and_fixed():
    names = [clip.name for clip in list_clips("procedural")]
    share = np.mean([half_of(name) == "motion" for name in names])
    assert 0.4 < share < 0.6 and {half_of(name) for name in names} == set(HALVES)
    assert [half_of(f"clip-{i}") for i in range(6)] == [
        "motion",
        *["pictures"] * 5,
    ]  # on every machine, in every process


def test_sequences_of_one_half_share_no_clip_with_pictures_of_the_other(body_cache):
    stills, rows = open_picture_half("procedural", smoke())
    motion = open_motion_half("procedural", smoke())
    assert len(rows) and not set(stills.texts["clip"][rows]) & set(motion.texts["clip"])
    assert {half_of(clip) for clip in motion.texts["clip"]} == {"motion"}
    frames = smoke().temporal.window
    assert len(motion) == smoke().temporal.sequences * frames
    assert motion.texts["sequence"][0] == motion.texts["sequence"][frames - 1] != motion.texts["sequence"][frames]


def test_a_half_has_a_data_version_of_its_own():
    data = laptop().data
    whole = Recipe("procedural", "train", "sequences", 4, data)
    halves = [HalfRecipe("procedural", "train", "sequences", 4, data, half) for half in HALVES]
    short = HalfRecipe("procedural", "train", "sequences", 4, data, length=5)
    assert len({recipe.version() for recipe in (whole, *halves, short)}) == 4 and short.rows == 20
    assert {half_of(view.clip) for view in halves[0].drawn()} == {"pictures"}


def test_a_set_of_one_half_only_is_refused(body_cache):
    with pytest.raises(PosebookError, match="both halves"):
        picture_rows(open_motion_half("procedural", replace(smoke())))
