import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


def locked() -> dict[str, str]:
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    for line in lines:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", line), f"not `name==version`: {line}"
    pairs = [line.split("==") for line in lines]
    return {canonicalize_name(name): version for name, version in pairs}


def wanted() -> list[Requirement]:
    return [Requirement(text) for texts in (PROJECT["dependencies"], *EXTRAS.values()) for text in texts]


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_every_dependency_is_locked_at_a_version_it_allows(requirement):
    version = locked()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version), f"{requirement} but locked {version}"


def test_the_lock_holds_the_whole_closure_and_nothing_else():
    """Walk the installed packages' own requirements; build tools come with the environment."""
    closure: set[tuple[str, str]] = set()
    todo = [(canonicalize_name(r.name), extra) for r in wanted() for extra in ("", *r.extras)]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in closure:
            continue
        closure.add((name, extra))
        for text in requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(needed.name), e) for e in ("", *needed.extras)]
    names = {
        name for name, _ in closure if not name.startswith(("nvidia", "cuda", "triton"))
    }  # of CUDA builds of torch
    names -= {"setuptools", "pip", "wheel"}
    assert names <= set(locked())
    if sys.version_info[:2] == (3, 11):  # the lock's own Python; later ones need fewer backports
        assert names == set(locked())


def test_torch_is_pinned_to_one_version_everywhere():
    from posebook.doctor import TORCH_VERSION

    pins = [str(r.specifier) for r in wanted() if r.name == "torch"]
    assert pins == [f"=={TORCH_VERSION}"] and locked()["torch"] == TORCH_VERSION == "2.13.0"


def test_no_cuda_package_and_no_address_is_locked():
    assert not [name for name in locked() if name.startswith(("nvidia", "cuda", "triton"))]
    assert "://" not in (ROOT / "requirements.lock").read_text()


def test_environment_yml_installs_the_same_through_pip():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    python = re.fullmatch(r"python=(\d+\.\d+)", conda[0])[1]
    assert PROJECT["requires-python"] == ">=3.11" and python == "3.11"
    assert conda[1:] == ["pip"]  # every package comes from the lock
    assert [line for line in pip["pip"] if not line.startswith("--extra-index-url")] == ["-r requirements.lock", "-e ."]


def test_the_makefile_installs_the_lock_and_has_the_promised_targets_and_variables():
    text = (ROOT / "Makefile").read_text()
    assert "-r requirements.lock" in text and "--no-deps -e ." in text
    shown = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True).stdout
    for target in ("benchmark", "test", "browser-tests", "lab", "install", "notebooks", "site", "clean"):
        assert f"make {target} " in shown
    for variable in ("PROFILE", "SEEDS", "CHAPTERS", "MOTION", "DEVICE", "EXPERIMENTS"):
        assert f"{variable}=" in shown


def dry_run(*arguments: str) -> str:
    """Commands that make would run, as if .venv were up to date."""
    command = ["make", "-C", str(ROOT), "-n", "-o", ".venv/.installed", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_make_benchmark_hands_its_variables_to_the_command_line():
    line = " ".join(dry_run("benchmark").split())
    assert "posebook run --seed 0 --motion procedural --device auto --experiments core" in line
    line = dry_run(
        "benchmark", "CHAPTERS=01 02", "SEEDS=0 1", "MOTION=cmu", "PROFILE=gpu", "DEVICE=cpu", "EXPERIMENTS=all"
    )
    assert "posebook run 01 02 --profile gpu --seed 0 --seed 1 --motion cmu --device cpu --experiments all" in " ".join(
        line.split()
    )


def test_make_test_runs_all_five_steps_and_ci_runs_make_test():
    text = dry_run("test")
    steps = ("ruff check .", "ruff format --check .", "pytest tests --ignore=tests/browser", "--nbval-lax")
    steps += ("pytest tests/browser",)  # last: what the notebooks trained is in the cache by then
    assert [text.index(step) for step in steps] == sorted(text.index(step) for step in steps)
    assert "POSEBOOK_PROFILE=smoke" in text and "notebooks/*.ipynb" in text
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111 and "make test" in script.read_text() and "CI=true" in script.read_text()


@pytest.mark.parametrize(
    ("user", "apt", "reason"), [("0", 0, None), ("0", 1, "apt-get could not"), ("7", 0, "not root")]
)
def test_ci_installs_a_browser_or_says_loudly_that_it_cannot(tmp_path, user, apt, reason):
    """With stand-ins for id, apt-get and make, on a machine that has nothing else."""
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))
    stand_ins = {"id": f"echo {user}", "apt-get": f"exit {apt}", "make": 'echo "make $@: $CI, $POSEBOOK_NO_BROWSER"'}
    for name, line in stand_ins.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    run = ["/bin/sh", ROOT / ".ci" / "run"]
    done = subprocess.run(run, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("make test: true, ")
    assert (reason or "") in done.stdout and ("NOT TESTED IN A BROWSER" in done.stderr) == bool(reason)


def test_an_old_python_is_refused_with_the_remedy(tmp_path):
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi\n')
    old.chmod(0o755)
    command = ["make", "-C", str(ROOT), "install", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stdout and "Python 3.9.2" in done.stdout and "PYTHON=" in done.stdout
    assert not (tmp_path / "venv").exists()


def test_versions_and_licence_agree():
    import posebook

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == posebook.__version__
    assert citation["license"] == PROJECT["license"] == "MIT"
    assert citation["authors"] == PROJECT["authors"] == [{"name": "Posebook developers"}]
    assert "Posebook developers" in (ROOT / "LICENSE").read_text()


def test_no_motion_capture_or_licensed_body_is_tracked():
    """And the wheel takes Python and the named data suffixes only."""
    tracked = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=True).stdout
    assert not re.findall(r"^.*\.(?:bvh|bvh\.gz|amc|asf|c3d|pkl)$", tracked, re.MULTILINE)
    package_data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert set(package_data["*"]) == {"*.json", "*.csv", "*.txt", "*.md", "*.safetensors"}


def test_no_tracked_file_is_large():
    """Clones stay small: 10 MB for a trunk, 5 MB for a file of a run, 1.5 MB for sources and notebooks."""
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    sizes = {name: (ROOT / name).stat().st_size for name in names.split("\0") if name and (ROOT / name).is_file()}
    too_large = {n: s for n, s in sizes.items() if s > size_limit(n) and "tests/parity" not in n}
    assert not too_large


def size_limit(name: str) -> int:
    """Bytes that a tracked file may have; executed notebooks and predictions of runs hold more than sources."""
    if name.endswith(".safetensors"):
        return 10_000_000
    return 5_000_000 if name.startswith("results/") else 1_500_000
