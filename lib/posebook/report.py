"""`posebook report`: the tables of every run found, per profile and motion, with what is missing."""

import os
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from posebook.cache import write_text
from posebook.exclusions import Excluded
from posebook.exclusions import to_markdown as excluded_markdown
from posebook.findings import to_markdown
from posebook.gathered import Gathered, gather
from posebook.markdown import table
from posebook.runs import Run, find_failures
from posebook.sources import MOTIONS
from posebook.summary import Group

HEADLINE = ("mpjpe", "pa_mpjpe", "n_mpjpe", "pve")  # columns of the table, in this order, where a row has them
KEY = ["chapter", "row", "kind", "init"]


class Report(NamedTuple):
    """Everything that a results folder holds."""

    markdown: str
    metrics: pd.DataFrame  # long form: one line per (profile, motion, chapter, row, metric)
    findings: pd.DataFrame
    excluded: list[Excluded]  # folders that count in neither, with their reasons


def missing(group: Group, chapters: list[str], failures: list[Path]) -> list[str]:
    """What this table lacks: chapters, seeds, rows in some seeds; and runs that do not belong together."""
    seeds = sorted({seed for runs in group.runs.values() for seed in runs})
    lines = []
    option = "motion" if group.motion in MOTIONS else "dataset"
    for chapter in sorted({*chapters, *group.runs} if option == "motion" else group.runs):
        absent = [str(seed) for seed in seeds if seed not in group.runs.get(chapter, {})]
        if absent:
            command = (
                f"posebook run {chapter} --profile {group.profile} --{option} {group.motion} --seed {','.join(absent)}"
            )
            lines.append(f"chapter {chapter}, seed {', '.join(absent)}: no run (`{command}`)")
    lines += [f"failed: {path.parent.name} {path.stem}, see {path / 'notebook.ipynb'}" for path in failures]
    for chapter, runs in group.runs.items():
        lines += missing_rows(chapter, runs) + disagreements(chapter, runs)
    return lines


def missing_rows(chapter: str, runs: dict[int, Run]) -> list[str]:
    """Rows that some seeds of a chapter have and others lack, per seed that lacks them."""
    rows = {seed: list(dict.fromkeys(run.table("metrics")["row"])) for seed, run in runs.items()}
    every = list(dict.fromkeys(row for own in rows.values() for row in own))
    lines = []
    for seed, own in rows.items():
        absent = [row for row in every if row not in own]
        if absent:
            done = runs[seed].info["parameters"]["experiments"]
            others = ", ".join(str(other) for other in rows if set(absent) & set(rows[other]))
            lines.append(
                f"chapter {chapter}, seed {seed} (experiments `{done}`) lacks rows that seed {others} has: "
                f"{', '.join(absent)}"
            )
    return lines


def disagreements(chapter: str, runs: dict[int, Run]) -> list[str]:
    """Facts in which the seeds of a chapter differ although one row averages them."""
    lines = []
    for name in ("data_version", "body_hash", "trunk_hash", "library_hash"):
        values = {seed: run.info.get(name) for seed, run in runs.items()}
        if len(set(map(str, values.values()))) > 1:
            text = ", ".join(f"{str(value)[:12]} (seed {seed})" for seed, value in values.items())
            lines.append(f"chapter {chapter}: the seeds differ in {name}: {text}")
    return lines


def number(value: float, digits: int = 1) -> str:
    """A number for a table; empty when there is none."""
    return "" if pd.isna(value) else f"{value:.{digits}f}"


def with_interval(line: pd.Series) -> str:
    """`71.3 [68.0, 75.1]`; empty where a row has no such number (the MPJPE of a scale-free method)."""
    if pd.isna(line["value"]):
        return ""
    bounds = "" if pd.isna(line["low"]) else f" [{line['low']:.1f}, {line['high']:.1f}]"
    return f"{line['value']:.1f}{bounds}"


def group_table(summary: pd.DataFrame, group: Group, base: Path) -> tuple[str, list[str]]:
    """Markdown table of one group and its protocols, numbered as in its last column."""
    present = [metric for metric in HEADLINE if metric in set(summary["metric"])]
    titles = [f"{metric.replace('_', '-').upper()}, mm" for metric in present]
    header = ["ch.", "row", "kind", "init", *titles, "seeds: min–max", "seq. / frames"]
    header += ["M param.", "GFLOP", "min", "prot."]
    protocols: list[str] = []
    lines = []
    for key, part in summary[summary["metric"].isin(present)].groupby(KEY, sort=False):
        by_metric = {line["metric"]: line for _, line in part.iterrows()}
        head = next((by_metric[m] for m in present if m in by_metric and pd.notna(by_metric[m]["value"])), part.iloc[0])
        protocol = str(head["protocol"])
        if protocol not in protocols:
            protocols.append(protocol)
        link = chapter_link(group, key[0], base)
        shown = [with_interval(by_metric[metric]) if metric in by_metric else "" for metric in present]
        lines.append([link, *key[1:], *shown, *row_facts(head), f"P{protocols.index(protocol) + 1}"])
    return table(header, lines), protocols


def chapter_link(group: Group, chapter: str, base: Path) -> str:
    """Link to the executed notebook of the first seed, relative to where the report will lie."""
    notebook = next(iter(group.runs[chapter].values())).folder / "notebook.ipynb"
    return f"[{chapter}]({Path(os.path.relpath(notebook, base)).as_posix()})" if notebook.is_file() else chapter


def row_facts(line: pd.Series) -> list[str]:
    """Seeds, n, and costs of a row."""
    count = len(line["seeds"].split())
    seeds = f"{line['seed_min']:.1f}–{line['seed_max']:.1f} ({count})" if count > 1 else "1 seed"
    size = "" if pd.isna(line["n_sequences"]) else f"{line['n_sequences']:.0f} / {line['n_frames']:.0f}"
    costs = [number(line["parameters"] / 1e6, 2), number(line["flops"] / 1e9, 2), number(line["train_minutes"])]
    return [seeds, size, *costs]


def other_metrics(summary: pd.DataFrame) -> str:
    """Table of the metrics that are no columns of the main one (PCK, acceleration, floors …); empty if none."""
    rest = summary[~summary["metric"].isin(HEADLINE)]
    header = ("ch.", "row", "metric", "value", "unit", "seeds", "note")
    lines = [
        (line["chapter"], line["row"], line["metric"], with_interval(line), line["unit"], line["seeds"], line["note"])
        for _, line in rest.iterrows()
    ]
    return table(header, lines) if lines else ""


def image_lines(group: Group) -> list[str]:
    """What the rows were tested and trained on, as the datasets describe themselves; chapters that agree share a line.

    Runs of one chapter that differ (`disagreements`) have a line each.
    """
    lines = []
    for title, name in (("Test images", "test"), ("Trained on images", "train")):
        found: dict[str, list[str]] = {}  # description -> chapters
        for chapter, runs in group.runs.items():
            for text in dict.fromkeys(str(run.info[name]) for run in runs.values() if run.info.get(name)):
                found.setdefault(text, []).append(chapter)
        lines += [f"- {title} (ch. {', '.join(chapters)}): {text}" for text, chapters in found.items()]
    return lines


def shortened(protocols: list[str]) -> list[str]:
    """Protocols that only add to the first one say so instead of repeating it."""
    first = protocols[0]
    return [first] + [f"as P1{p.removeprefix(first)}" if p.startswith(first) else p for p in protocols[1:]]


def group_markdown(group: Group, summary: pd.DataFrame, gaps: list[str], base: Path) -> str:
    """One section: protocols and images, table, what is missing."""
    text, protocols = group_table(summary, group, base)
    devices = sorted({run.info["device"]["name"] for runs in group.runs.values() for run in runs.values()})
    parts = [f"### Profile `{group.profile}`, {source_title(group.motion)}"]
    named = [f"- P{i}: {protocol}" for i, protocol in enumerate(shortened(protocols), 1)]
    parts += ["\n".join([*named, *image_lines(group)])]
    parts += [
        "Value [95 % interval over sequences, of the mean over seeds]; min–max over seeds (no interval; it does not "
        "include the trunk's own variance). Sequences count as independent; those cut from one clip of motion are less "
        "so, and with few clips the intervals are too narrow for other motion. Oracle rows use what no method has. "
        f"Trained on: {', '.join(devices)}."
    ]
    parts += [text]
    if other_metrics(summary):
        parts += [other_metrics(summary)]
    parts += ["Missing or doubtful:\n" + "\n".join(f"- {gap}" for gap in gaps)] if gaps else []
    return "\n\n".join(parts)


def source_title(source: str) -> str:
    """What a group's rows are trained and tested on: rendered people that move, or a real dataset."""
    return f"{source} motion" if source in MOTIONS else f"dataset `{source}`"


def build(
    results: str | Path,
    chapters: list[str] | None = None,
    base: str | Path | None = None,
    found: Gathered | None = None,
) -> Report:
    """Tables of a results folder.

    Args:
        results: folder with `<profile>/<motion>/<chapter>/seed<k>`.
        chapters: those that should be there (each missing one is named); the clone's by default.
        base: folder that links are relative to; the results folder by default.
        found: what `gather(results)` returned, where a caller has it already.
    """
    from posebook.project import chapters as known

    results = Path(results)
    parts, excluded = found or gather(results)
    expected = list(known()) if chapters is None else chapters
    failed, sections = find_failures(results), []
    for group, summary, findings in parts:
        failures = [path for path in failed if path.parts[-4:-2] == (group.profile, group.motion)]
        section = group_markdown(group, summary, missing(group, expected, failures), Path(base or results))
        sections.append("\n\n".join(part for part in (section, to_markdown(findings)) if part))
    if not parts:
        sections = [f"No finished run in `{results.name}/` yet: `make benchmark` makes one."]
        sections += [f"- failed: {path}" for path in failed]
    sections += [excluded_markdown(excluded, results)] if excluded else []
    metrics = joined([part.summary for part in parts])
    findings = joined([p.findings.assign(profile=p.group.profile, motion=p.group.motion) for p in parts])
    return Report("\n\n".join(sections) + "\n", metrics, findings, excluded)


def joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables below one another; an empty one for none."""
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def write(report: Report, results: str | Path) -> None:
    """Write report.md, report.csv and findings.csv into the results folder."""
    results = Path(results)
    write_text(results / "report.md", report.markdown)
    write_text(results / "report.csv", report.metrics.to_csv(index=False, float_format="%.6g"))
    write_text(results / "findings.csv", report.findings.to_csv(index=False, float_format="%.6g"))
