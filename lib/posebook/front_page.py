"""What README says of the results: the leaderboard, the verdicts, the minutes of the map, one picture.

All of it is made from results/ by `posebook report --readme`; a test fails when it is stale.
"""

import hashlib
import io
import os
import re
from pathlib import Path

import pandas as pd
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from posebook.cache import atomic_path, write_text
from posebook.errors import PosebookError
from posebook.findings import NOT_RUN
from posebook.gathered import Part, gather
from posebook.leaderboard.methods import FLOOR, PAPER, methods
from posebook.leaderboard.pareto import pareto_figure
from posebook.leaderboard.standings import missing, seed_range, standings
from posebook.markdown import table
from posebook.plots.twin import png_of
from posebook.report import build, chapter_link, number, with_interval, write
from posebook.runs import Run
from posebook.seed_tables import refresh_tables

TABLE, MINUTES = ("<!-- table:begin -->", "<!-- table:end -->"), ("<!-- map:begin -->", "<!-- map:end -->")
PICTURE = "leaderboard.png"  # in the results folder
STAMP = "posebook"  # name of the PNG's text: a hash of the numbers that it shows
OURS = "ours"  # source of claims that no paper makes
VERDICTS = ("reproduced", "contradicted", "undecided", NOT_RUN)
SHOWN = ("mpjpe", "pa_mpjpe", "n_mpjpe")


def refresh(root: str | Path) -> None:
    """Make the report of results/, the picture, and README's generated parts, all from the committed runs.

    Raises:
        PosebookError: README lacks its markers.
    """
    root = Path(root)
    results = root / "results"
    found = gather(results)
    text = page((root / "README.md").read_text(), found.parts, results, root)  # first: it refuses lost markers
    report = build(results, found=found)
    if len(report.metrics):
        write(report, results)
        write_picture(picture_board(found.parts), results)
        refresh_tables(found.parts, root)
    write_text(root / "README.md", text)


def readme_text(text: str, results: str | Path, root: str | Path) -> str:
    """README with its generated parts made anew.

    Raises:
        PosebookError: markers that are not there, in this order, once each.
    """
    return page(text, gather(results).parts, Path(results), Path(root))


def page(text: str, parts: list[Part], results: Path, root: Path) -> str:
    """README's text with what the parts say."""
    text = between(text, TABLE, sections(parts, results, root))
    before, old, after = cut(text, MINUTES)
    return f"{before}{MINUTES[0]}{with_minutes(old, parts)}{MINUTES[1]}{after}"


def cut(text: str, markers: tuple[str, str]) -> tuple[str, str, str]:
    """What stands before, between and after two markers."""
    begin, end = markers
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise PosebookError(f"README.md needs the line {begin} and, below it, {end}, once each.")
    first, rest = text.split(begin)
    return first, *rest.split(end)


def between(text: str, markers: tuple[str, str], new: str) -> str:
    """The text with something new between two markers."""
    before, _, after = cut(text, markers)
    return f"{before}{markers[0]}\n\n{new}\n\n{markers[1]}{after}"


def sections(parts: list[Part], results: Path, root: Path) -> str:
    """README's results: per profile and motion the methods' table, then verdicts and the clearest claims."""
    if not parts:
        return f"No finished run in `{results.name}/` yet: `make benchmark` makes one."
    folder = Path(os.path.relpath(results, root)).as_posix()
    texts = [board_section(part, root) for part in parts]
    judged = [part for part in parts if len(part.findings)]
    if judged:
        texts += ["### Claims", verdict_table(judged), claims_text(judged[0])]
    texts += [f"Every row, protocol and claim: [{folder}/report.md]({folder}/report.md)."]
    return "\n\n".join(texts)


def board_section(part: Part, root: Path) -> str:
    """Heading, table of the papers' methods, and what is not there yet."""
    chosen = methods(PAPER, FLOOR)
    board = standings(part.summary, chosen)
    links = {chapter: chapter_link(part.group, chapter, root) for chapter in part.group.runs}
    header = ("ch.", "method", *(f"{m.replace('_', '-').upper()}, mm" for m in SHOWN), "seeds: min–max", "GFLOP", "min")
    lines = [board_line(line, links) for _, line in board.iterrows()]
    absent = [f"{m.chapter} {m.name}" for m in missing(part.summary, chosen)]
    tested = next((run.info["test"] for runs in part.group.runs.values() for run in runs.values()
                   if run.info.get("test")), "")  # fmt: skip
    texts = [
        f"### Profile `{part.group.profile}`, {part.group.motion} motion",
        f"Tested on {tested}." if tested else "",
    ]
    texts += [table(header, lines) if lines else "No method's row is in these runs."]
    texts += [f"Not run here yet: {', '.join(absent)}."] if absent else []
    return "\n\n".join(text for text in texts if text)


def board_line(line: pd.Series, links: dict[str, str]) -> tuple[str, ...]:
    """Cells of one method."""
    values = [
        with_interval(pd.Series({"value": line[m], "low": line[f"{m}_low"], "high": line[f"{m}_high"]})) for m in SHOWN
    ]
    costs = (number(line["flops"] / 1e9, 2), number(line["train_minutes"]))
    return (links.get(line["chapter"], line["chapter"]), line["name"], *values, seed_range(line), *costs)


def verdict_table(parts: list[Part]) -> str:
    """How many claims of each chapter have which verdict."""
    lines = []
    for part in parts:
        kinds = part.findings["verdict"].str.replace(r" \(.*", "", regex=True)  # undecided (1 seed) is undecided
        for chapter, own in kinds.groupby(part.findings["chapter"]):
            counts = [str((own == verdict).sum()) for verdict in VERDICTS]
            lines.append((f"{part.group.profile}, {part.group.motion}", chapter, *counts, str(len(own))))
    return table(("runs", "ch.", *VERDICTS, "claims"), lines)


def claims_text(part: Part) -> str:
    """The clearest claim of a paper that is reproduced and the clearest that is contradicted, per chapter."""
    told = part.findings[part.findings["source"] != OURS]
    told = told[told["verdict"].isin(VERDICTS[:2])]
    clear = (told["effect_mm"].abs() / (told["high"] - told["low"])).rename("clear")
    best = told.join(clear).sort_values("clear", ascending=False, kind="stable").drop_duplicates(["chapter", "verdict"])
    lines = [
        (line["chapter"], line["claim"], f"{line['effect_mm']:+.1f}", f"[{line['low']:.1f}, {line['high']:.1f}]",
         line["metric"].replace("_", "-").upper(), line["verdict"])
        for _, line in best.sort_values(["chapter", "verdict"], kind="stable").iterrows()
    ]  # fmt: skip
    header = ("ch.", "claim of a paper", "effect, mm", "Holm interval", "metric", "verdict")
    intro = f"The clearest of each chapter (`{part.group.profile}`, {part.group.motion} motion; effect: error of the "
    intro += "claim's first row minus its second):"
    return f"{intro}\n\n{table(header, lines)}" if lines else "No claim is decided yet."


def training_minutes(runs: dict[int, Run]) -> float | None:
    """Minutes of training that all experiments of a chapter took, mean over its seeds; None where no run had all."""
    told = [run.info.get("training_minutes") for run in runs.values() if run.info["parameters"]["experiments"] == "all"]
    told = [minutes for minutes in told if minutes is not None]
    return sum(told) / len(told) if told else None


def with_minutes(text: str, parts: list[Part]) -> str:
    """The map's table with the last cell of each chapter's line from the laptop runs; other lines stay as they are."""
    laptop = next((p for p in parts if (p.group.profile, p.group.motion) == ("laptop", "procedural")), None)
    lines = text.split("\n")
    for i, line in enumerate(lines):
        chapter = re.match(r"\| \[(\d\d) ", line)
        minutes = training_minutes(laptop.group.runs.get(chapter[1], {})) if laptop and chapter else None
        if minutes is not None:
            lines[i] = f"{line.rstrip().removesuffix('|').rpartition('|')[0]}| {minutes:.0f} |"
    return "\n".join(lines)


def picture_stamp(board: pd.DataFrame) -> str:
    """Hash of the numbers that the picture shows."""
    rows = board.dropna(subset=["mpjpe", "flops"])
    text = "\n".join(f"{line['label']} {line['flops']:.6g} {line['mpjpe']:.4f}" for _, line in rows.iterrows())
    return hashlib.sha256(text.encode()).hexdigest()


def picture_board(parts: list[Part]) -> pd.DataFrame:
    """The table behind the picture: the first profile and motion of the report."""
    return standings(parts[0].summary, methods())


def write_picture(board: pd.DataFrame, results: str | Path) -> Path:
    """Draw accuracy against cost into the results folder, stamped with its numbers."""
    path = Path(results) / PICTURE
    if board.empty or board.dropna(subset=["mpjpe", "flops"]).empty:
        return path
    information = PngInfo()
    information.add_text(STAMP, picture_stamp(board))
    with atomic_path(path) as temporary:
        Image.open(io.BytesIO(png_of(pareto_figure(board)))).save(temporary, "PNG", pnginfo=information, optimize=True)
    path.chmod(0o644)
    return path
