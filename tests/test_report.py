from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from posebook.findings import Claim, judge_claims, to_markdown
from posebook.intervals import interval, sequence_matrix
from posebook.markdown import table
from posebook.report import build, write
from posebook.runs import find_runs
from posebook.summary import group_runs, summarise
from tiny import metrics_table, sequences_table, write_run

CLAIM = Claim("volumes beat coordinates", "Table 1", "10 mm, not available", "volume", "coordinates")


def errors(seed: int, gap: float = 10.0, sequences: int = 12) -> dict[str, list[float]]:
    rng = np.random.default_rng(seed)
    base = 70 + 5 * np.random.default_rng(99).normal(size=sequences) + seed
    return {"coordinates": list(base + gap), "volume": list(base + rng.normal(0, 0.5, sequences))}


@pytest.fixture
def results(tmp_path):
    for seed in range(3):
        claims = judge_claims([CLAIM], {seed: sequences_table(errors(seed))})
        write_run(tmp_path, errors(seed), seed=seed, findings=claims, data_version="d1")
    return tmp_path


def summary_of(results: Path) -> pd.DataFrame:
    return summarise(group_runs(find_runs(results))[0]).set_index("row")


def test_rows_are_means_over_seeds_with_their_range(results):
    line = summary_of(results).loc["volume"]
    by_seed = [np.mean(errors(seed)["volume"]) for seed in range(3)]
    assert line["value"] == pytest.approx(np.mean(by_seed))
    assert (line["seed_min"], line["seed_max"]) == pytest.approx((min(by_seed), max(by_seed)))
    assert line["seeds"] == "0 1 2" and line["parameters"] == 1_000_000 and line["train_minutes"] == 1.5


def test_the_interval_is_over_sequences_of_the_seed_mean(results):
    """Against a bootstrap written out here: resample the 12 sequences, 20,000 times."""
    line = summary_of(results).loc["volume"]
    means = np.mean([errors(seed)["volume"] for seed in range(3)], axis=0)
    rng = np.random.default_rng(5)
    drawn = means[rng.integers(0, 12, (20_000, 12))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert line["low"] == pytest.approx(low, abs=0.15) and line["high"] == pytest.approx(high, abs=0.15)


def test_real_datasets_are_groups_of_their_own(tmp_path):
    """A chapter that nobody ran on a dataset is not missing there: it may lack labels. A seed is."""
    write_run(tmp_path, errors(0), seed=0)
    for seed, chapter in ((0, "01"), (1, "01"), (0, "05")):
        write_run(tmp_path, errors(seed), seed=seed, motion="3dpw", number=chapter)
    text = build(tmp_path, ["01", "02", "05"]).markdown
    rendered, real = text.split("dataset `3dpw`")
    assert "procedural motion" in rendered and "chapter 02, seed 0: no run" in rendered
    assert "chapter 02" not in real
    assert "chapter 05, seed 1: no run (`posebook run 05 --profile laptop --dataset 3dpw --seed 1`)" in real


def test_rows_without_sequences_keep_a_single_runs_own_interval(tmp_path):
    folder = write_run(tmp_path, {"net": [1.0, 2.0]})
    floor = metrics_table({"floor": 20.0}, kind="oracle").assign(low=19.0, high=21.0)
    pd.concat([pd.read_csv(folder / "metrics.csv"), floor]).to_csv(folder / "metrics.csv", index=False)
    line = summary_of(tmp_path).loc["floor"]
    assert (line["value"], line["low"], line["high"]) == (20.0, 19.0, 21.0)
    assert "| oracle" in build(tmp_path, ["01"]).markdown


def test_seeds_scored_on_other_sequences_have_no_interval():
    one, other = sequences_table({"net": [1.0, 2.0]}), sequences_table({"net": [1.0, 2.0, 3.0]})
    assert sequence_matrix({0: one, 1: other}, "net", "mpjpe") is None
    assert sequence_matrix({0: one}, "net", "mpjpe").tolist() == [[1.0, 2.0]]
    assert sequence_matrix({0: one}, "other", "mpjpe") is None
    assert sequence_matrix({0: one}, "net", "pve") is None


def test_equal_sequences_have_a_closed_interval():
    assert interval(np.full((3, 8), 50.0)) == (50.0, 50.0)


def test_the_markdown_holds_protocol_seeds_n_and_links(results):
    text = build(results, ["01"]).markdown
    assert "- P1: posebook17: 17 joints" in text
    assert "[01](laptop/procedural/01/seed0/notebook.ipynb)" not in text  # these runs have no notebook
    row = next(line for line in text.splitlines() if "| volume" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == ["01", "volume", "trained", "trunk"]
    assert cells[5].endswith("(3)") and cells[6] == "12 / 32" and cells[7:] == ["1.00", "2.00", "1.5", "P1"]


def test_a_row_links_to_the_notebook_that_made_it(results):
    notebook = results / "laptop" / "procedural" / "01" / "seed0" / "notebook.ipynb"
    notebook.write_text("{}")
    assert (
        f"[01]({results.name}/laptop/procedural/01/seed0/notebook.ipynb)" in build(results, [], results.parent).markdown
    )


def test_missing_chapters_and_seeds_and_failures_are_named(results):
    write_run(results, {"net": [1.0, 2.0]}, number="02", seed=1)
    (results / "laptop" / "procedural" / "02" / "seed2.failed").mkdir()
    text = build(results, ["01", "02", "03"]).markdown
    assert "chapter 02, seed 0, 2: no run (`posebook run 02 --profile laptop --motion procedural --seed 0,2`)" in text
    assert "chapter 03, seed 0, 1, 2: no run" in text
    assert "failed: 02 seed2" in text
    assert "chapter 01, seed" not in text


def test_rows_that_a_seed_lacks_are_named(results):
    assert "lacks rows" not in build(results, ["01"]).markdown
    write_run(results, {"volume": errors(2)["volume"], "late": [1.0, 2.0]}, seed=2, data_version="d1")
    text = build(results, ["01"]).markdown
    assert "chapter 01, seed 2 (experiments `core`) lacks rows that seed 0, 1 has: coordinates" in text
    for seed in (0, 1):
        assert f"chapter 01, seed {seed} (experiments `core`) lacks rows that seed 2 has: late" in text


def test_images_stand_under_the_protocols_once(tmp_path):
    images = {"test": "procedural test: 8 images, version t1", "train": "procedural train: 80 images, version r1"}
    for seed in (0, 1):
        write_run(tmp_path, {"net": [1.0, 2.0]}, seed=seed, **images)
    write_run(tmp_path, {"other": [1.0, 2.0]}, number="02", **images | {"train": "procedural train: 9 images"})
    write_run(tmp_path, {"old": [1.0, 2.0]}, number="03")  # says nothing of its images
    lines = build(tmp_path, []).markdown.splitlines()
    first = lines.index("- P1: posebook17: 17 joints")
    assert lines[first + 1 : first + 5] == [
        "- Test images (ch. 01, 02): procedural test: 8 images, version t1",
        "- Trained on images (ch. 01): procedural train: 80 images, version r1",
        "- Trained on images (ch. 02): procedural train: 9 images",
        "",
    ]


def test_seeds_of_different_images_each_have_a_line(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path, {"net": [1.0, 2.0]}, seed=seed, test=f"version t{seed}")
    text = build(tmp_path, ["01"]).markdown
    assert "- Test images (ch. 01): version t0\n- Test images (ch. 01): version t1\n" in text


def test_a_seed_of_other_data_is_left_out_and_said(results):
    assert "Left out" not in build(results, ["01"]).markdown
    write_run(results, errors(2), seed=2, data_version="d2")
    report = build(results, ["01"])
    assert "- `laptop/procedural/01/seed2`: its test pictures are of data version d2" in report.markdown
    assert set(report.metrics["seeds"]) == {"0 1"} and len(report.excluded) == 1


def test_seeds_of_different_bodies_are_pointed_out(results):
    assert "differ in body_hash" not in build(results, ["01"]).markdown
    write_run(results, errors(2), seed=2, data_version="d1", body_hash="b2")
    assert "chapter 01: the seeds differ in body_hash: None (seed 0), None (seed 1), b2 (seed 2)" in (
        build(results, ["01"]).markdown
    )


def test_profiles_and_motions_have_their_own_tables(results):
    write_run(results, {"net": [1.0, 2.0]}, motion="cmu")
    report = build(results, ["01"])
    assert report.markdown.index("`laptop`, procedural") < report.markdown.index("`laptop`, cmu")
    assert set(report.metrics["motion"]) == {"procedural", "cmu"}


def test_findings_are_judged_over_all_seeds(results):
    """A gap of 10 mm in every sequence of three seeds is reproduced; each single seed alone is undecided."""
    alone = pd.read_csv(results / "laptop" / "procedural" / "01" / "seed0" / "findings.csv")
    assert alone["verdict"].tolist() == ["undecided (1 seed)"]
    found = build(results, ["01"]).findings
    assert found["verdict"].tolist() == ["reproduced"]
    assert found["n_seeds"].tolist() == [3]
    gaps = [np.mean(np.subtract(errors(s)["volume"], errors(s)["coordinates"])) for s in range(3)]
    assert found["effect_mm"].iloc[0] == pytest.approx(np.mean(gaps))


def test_a_claim_whose_rows_were_not_run_does_not_count_for_holm():
    other = CLAIM._replace(claim="stacks help", row_a="two stacks")
    seeds = {seed: sequences_table(errors(seed)) for seed in range(3)}
    both, single = judge_claims([other, CLAIM], seeds), judge_claims([CLAIM], seeds)
    assert both["verdict"].tolist() == ["not run", "reproduced"]
    assert both["p_holm"].iloc[1] == single["p_holm"].iloc[0]
    assert judge_claims([other], seeds)["verdict"].tolist() == ["not run"]
    assert "EXPERIMENTS=all" in to_markdown(both.assign(chapter="01"))


def test_a_scale_free_row_shows_no_mpjpe(tmp_path):
    folder = write_run(tmp_path, {"net": [1.0, 2.0]})
    free = [metrics_table({"free": value}, metric=name) for name, value in (("mpjpe", np.nan), ("pa_mpjpe", 44.0))]
    pd.concat([pd.read_csv(folder / "metrics.csv"), *free]).to_csv(folder / "metrics.csv", index=False)
    text = build(tmp_path, ["01"]).markdown
    cells = [
        cell.strip() for cell in next(line for line in text.splitlines() if "| free" in line).strip("|").split("|")
    ]
    assert cells[4:7] == ["", "44.0", "1 seed"] and "nan" not in text


def test_an_empty_folder_says_how_to_fill_it(tmp_path):
    report = build(tmp_path, ["01"])
    assert "make benchmark" in report.markdown and report.metrics.empty and report.findings.empty


def test_write_leaves_markdown_and_csv(results):
    write(build(results, ["01"]), results)
    assert (results / "report.md").read_text().startswith("### Profile `laptop`")
    assert set(pd.read_csv(results / "report.csv")["row"]) == {"coordinates", "volume"}
    assert len(pd.read_csv(results / "findings.csv")) == 1
    assert len(find_runs(results)) == 3  # the report's files are no runs


def test_at_least_twenty_claims_have_effect_interval_signs_and_verdict():
    """What the committed runs must show: every claim that was run is judged, and what is undecided says why."""
    claims = pd.read_csv(Path(__file__).parents[1] / "results" / "findings.csv", keep_default_na=False)
    run = claims[(claims["motion"] == "procedural") & (claims["verdict"] != "not run")]
    assert len(run) >= 20
    for column in ("effect_mm", "low", "high", "per_seed", "verdict"):
        assert (run[column] != "").all(), column
    assert (run["per_seed"].str.split().str.len() == run["n_seeds"].astype(float)).all()
    assert (run.loc[run["verdict"].str.startswith("undecided"), "reason"] != "").all()


def test_markdown_tables_are_padded_and_escaped():
    assert table(("a|b", "n"), [("x", "1.0"), ("longer", "20.0")]).splitlines() == [
        "| a\\|b   |    n |",
        "| ------ | ---: |",
        "| x      |  1.0 |",
        "| longer | 20.0 |",
    ]


def test_protocols_that_only_add_to_the_first_are_shortened():
    from posebook.report import shortened

    assert shortened(["p: root pelvis"]) == ["p: root pelvis"]
    assert shortened(["p: a", "p: a; ORACLE ROW", "q: b"]) == ["p: a", "as P1; ORACLE ROW", "q: b"]
