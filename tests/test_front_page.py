"""README's generated parts, made from runs written here; test_gathered.py says whether the committed ones are stale."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from posebook.errors import PosebookError
from posebook.findings import Claim, judge_claims
from posebook.front_page import (
    MINUTES,
    PICTURE,
    STAMP,
    TABLE,
    claims_text,
    picture_board,
    picture_stamp,
    readme_text,
    refresh,
)
from posebook.gathered import gather
from tiny import sequences_table, write_run

ROW, FLOOR = "volume {1,16}", "mean pose"  # rows that the leaderboard knows
CLAIMS = [
    Claim("volumes beat the mean", "C2F table 1", "not printed", ROW, FLOOR),
    Claim("the mean beats volumes", "C2F table 2", "not printed", FLOOR, ROW),
    Claim("ours says so too", "ours", "not a claim of the paper", ROW, FLOOR),
]
MAP = """\
| notebook | what | minutes |
| --- | --- | --- |
| [00 start](notebooks/00.ipynb) | intro | 1 |
| [01 volumes](notebooks/01.ipynb) | bars \\| and all | 99 |
| [02 parts](notebooks/02.ipynb) | parts | 98 |
"""
README = f"top\n{MINUTES[0]}\n{MAP}{MINUTES[1]}\nmiddle\n{TABLE[0]}\nold\n{TABLE[1]}\nbottom\n"


def errors(seed: int) -> dict[str, list[float]]:
    return {ROW: [50.0 + seed, 52.0 + seed, 55.0] * 2, FLOOR: [90.0, 93.0, 95.0] * 2}


@pytest.fixture
def clone(tmp_path):
    """Three seeds of chapter 1, the second with fewer experiments."""
    seeds = {seed: sequences_table(errors(seed)) for seed in range(3)}
    for seed in range(3):
        claims = judge_claims(CLAIMS, {seed: seeds[seed]})
        folder = write_run(tmp_path / "results", errors(seed), seed=seed, findings=claims,
                           training_minutes=10.0 + 2 * seed, test="these pictures")  # fmt: skip
        text = (folder / "run.json").read_text()
        (folder / "run.json").write_text(text.replace('"core"', '"core"' if seed == 1 else '"all"'))
    (tmp_path / "README.md").write_text(README)
    return tmp_path


def generated(clone: Path) -> str:
    return readme_text(README, clone / "results", clone)


def test_only_what_stands_between_markers_changes(clone):
    text = generated(clone)
    assert text.startswith(f"top\n{MINUTES[0]}\n") and f"{MINUTES[1]}\nmiddle\n{TABLE[0]}\n" in text
    assert text.endswith(f"{TABLE[1]}\nbottom\n") and "\nold\n" not in text
    assert readme_text(text, clone / "results", clone) == text


def test_the_board_holds_the_papers_method_and_what_is_missing(clone):
    text = generated(clone)
    row = next(line for line in text.splitlines() if "| C2F volume" in line)
    assert f"{(157 * 3 + 2 * 3) / 9:.1f} [" in row and "(3)" in row  # 157 mm over three sequences, seeds add 2 s
    assert "Tested on these pictures." in text and "| mean pose" in text
    assert "Not run here yet: 02 NBF, 12 parts" in text and "[results/report.md](results/report.md)" in text


def test_minutes_are_the_mean_of_runs_with_all_experiments(clone):
    text = generated(clone)
    assert "| bars \\| and all | 12 |" in text  # 10 and 14; the core run of seed 1 does not count
    assert "| parts | 98 |" in text and "| intro | 1 |" in text


def test_claims_are_counted_and_the_clearest_of_papers_shown(clone):
    text = generated(clone)
    counts = next(line for line in text.splitlines() if line.startswith("| laptop, procedural"))
    assert [cell.strip() for cell in counts.strip("|").split("|")][1:] == ["01", "2", "1", "0", "0", "3"]
    shown = claims_text(gather(clone / "results").parts[0])
    assert "volumes beat the mean" in shown and "the mean beats volumes" in shown and "ours says so" not in shown
    assert shown.count("| reproduced") == 1 and shown.count("| contradicted") == 1


def test_refresh_writes_the_report_the_picture_and_readme(clone):
    refresh(clone)
    assert (clone / "README.md").read_text() == generated(clone)
    assert set(pd.read_csv(clone / "results" / "report.csv")["row"]) == {ROW, FLOOR}
    picture = Image.open(clone / "results" / PICTURE)
    assert picture.text[STAMP] == picture_stamp(picture_board(gather(clone / "results").parts)) and picture.width > 300


def test_the_picture_is_stamped_with_its_numbers(clone):
    before = picture_stamp(picture_board(gather(clone / "results").parts))
    write_run(clone / "results", {ROW: [60.0, 62.0, 65.0]}, seed=2)
    assert picture_stamp(picture_board(gather(clone / "results").parts)) != before


@pytest.mark.parametrize("text", ["nothing", README.replace(TABLE[0], ""), README.replace(MINUTES[1], ""), README * 2])
def test_lost_markers_are_refused_and_nothing_is_written(clone, text):
    (clone / "README.md").write_text(text)
    with pytest.raises(PosebookError, match="once each"):
        refresh(clone)
    assert (clone / "README.md").read_text() == text and not (clone / "results" / "report.md").exists()


def test_a_clone_without_runs_says_how_to_make_one(tmp_path):
    (tmp_path / "results").mkdir()
    assert "`make benchmark` makes one" in readme_text(README, tmp_path / "results", tmp_path)
