from pathlib import Path

import pytest

from posebook import project
from posebook.bench.grid import Grid, expand, read_grid
from posebook.errors import PosebookError
from tiny import chapter


@pytest.fixture
def clone(tmp_path, monkeypatch):
    chapter(tmp_path, "01")
    chapter(tmp_path, "02")
    monkeypatch.setattr(project, "project_root", lambda: tmp_path)
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "grid.yaml"
    path.write_text(text)
    return path


def test_a_grid_is_the_product_of_its_lists_in_their_order(clone):
    text = "chapters: [02, 1]\nprofiles: [smoke, laptop]\nmotions: [cmu, procedural]\nseeds: [3, 0]\nexperiments: all\n"
    runs = expand(read_grid(written(clone, text)), Path("out"))
    by_hand = [
        f"{number} {profile} {motion} seed {seed}"
        for profile in ("smoke", "laptop")
        for motion in ("cmu", "procedural")
        for number in ("02", "01")
        for seed in (3, 0)
    ]
    assert [run.label for run in runs] == by_hand
    assert len({run.folder for run in runs}) == 16
    assert runs[0].folder == Path("out").resolve() / "smoke" / "cmu" / "02" / "seed3"
    assert all(run.request.experiments == "all" and not run.request.force for run in runs)


def test_what_is_left_out_means_every_chapter_once(clone):
    assert read_grid(written(clone, "seeds: 0")) == read_grid(written(clone, "chapters: all")) == Grid()
    runs = expand(Grid(), Path("out"), force=True)
    assert [run.label for run in runs] == ["01 laptop procedural seed 0", "02 laptop procedural seed 0"]
    assert all(run.request.force for run in runs)


def test_a_real_dataset_is_evaluated_once_per_profile_beside_the_chapters(clone):
    text = "chapters: 1\nprofiles: [smoke, gpu]\ndatasets: [synthetic, 3dpw]\nseeds: [4, 5]\n"
    labels = [run.label for run in expand(read_grid(written(clone, text)), Path("out"))]
    own = {p: [f"01 {p} procedural seed 4", f"01 {p} procedural seed 5", f"evaluate {p} 3dpw seed 4"] for p in
           ("smoke", "gpu")}  # fmt: skip
    assert labels == own["smoke"] + own["gpu"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chapter: 1", r"unknown key\(s\) chapter. A grid knows chapters, profiles"),
        ("seeds: [0]\nseeds: [1]", "'seeds' is given twice"),
        ("seeds: [0, 1, 0]", "seeds has 0 twice"),
        ("chapters: [2, 2]", "chapters has 2 twice"),
        ("seeds: []", "seeds is an empty list"),
        ("seeds: [0.5]", "seeds must be whole numbers"),
        ("seeds: [-1]", "seeds must be whole numbers"),
        ("seeds: [true]", "seeds must be whole numbers"),
        ("profiles: [{a: 1}]", "profiles must be a list of names"),
        ("chapters: [all, 1]", "either `all` or a list"),
        ("cores: 0", "cores must be a whole number from 1"),
        ("memory_gb: lots", "memory_gb must be a number"),
        ("device: [cpu]", "device must be a text"),
        ("slurm: main", "slurm must be a mapping"),
        ("- 1", "must hold `key: value` lines"),
        ("seeds: [0", "not a YAML file"),
    ],
)
def test_a_bad_file_is_one_clear_error(tmp_path, text, message):
    with pytest.raises(PosebookError, match=message) as caught:
        read_grid(written(tmp_path, text))
    assert "\n" not in str(caught.value) and "grid.yaml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PosebookError, match="no grid file .*nothing.yaml"):
        read_grid(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chapters": ["9"]}, "Unknown chapter '9'. Chapters here: 01, 02"),
        ({"chapters": ["1", "01"]}, "name one chapter twice"),
        ({"chapters": ["evaluate"]}, "under `datasets`"),
        ({"profiles": ["huge"]}, "Unknown profile 'huge' in the grid"),
        ({"datasets": ["4dpw"]}, "4dpw"),
        ({"motions": ["dance"]}, "Unknown motion 'dance' in the grid"),
        ({"datasets": ["3dpw"], "motions": ["cmu", "procedural"]}, "into two grids"),
        ({"device": "cuda:1"}, "it hands out the GPUs"),
    ],
)
def test_unknown_names_are_refused_before_anything_runs(clone, options, message):
    with pytest.raises(PosebookError, match=message):
        expand(Grid(**options), Path("out"))


def test_a_profile_in_the_environment_must_not_win_over_the_grid(clone, monkeypatch):
    monkeypatch.setenv("POSEBOOK_PROFILE", "laptop")
    with pytest.raises(PosebookError, match="conflicts with POSEBOOK_PROFILE=laptop"):
        expand(Grid(profiles=["smoke"]), Path("out"))


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[2] / "docs" / "grids").glob("*.yaml")), ids=lambda p: p.name
)
def test_the_grids_of_the_documentation_are_twelve_runs_each(path, monkeypatch):
    monkeypatch.delenv("POSEBOOK_PROFILE", raising=False)
    assert len({run.folder for run in expand(read_grid(path), Path("out"))}) == 12
