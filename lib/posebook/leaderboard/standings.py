"""The leaderboard: one line per method, from the statistics of the report."""

from collections.abc import Sequence

import pandas as pd

from posebook.leaderboard.methods import METHODS, Method
from posebook.markdown import table
from posebook.report import number, with_interval

ERRORS = ("mpjpe", "pa_mpjpe", "n_mpjpe", "pve", "accel_error")  # columns, as far as a method has them
COSTS = ("parameters", "flops", "ms_per_image", "train_minutes")  # add up over the networks that a method runs
FACTS = ("seed_min", "seed_max", "seeds", "n_sequences", "n_frames", "protocol")


def standings(summary: pd.DataFrame, methods: Sequence[Method] = METHODS) -> pd.DataFrame:
    """One line per method that was run, in the order of `methods`.

    Args:
        summary: `posebook.summary.summarise` of one profile and motion.
        methods: which lines.

    Returns:
        Columns of `Method`, then per metric of ERRORS the value and its interval (`mpjpe`, `mpjpe_low`, `mpjpe_high`),
        min–max over seeds of the `ranked` metric, seeds, n, protocol, kind, and the costs with those of the networks
        that run before. A method without scale has no `mpjpe`; its seeds are those of N-MPJPE.
    """
    lines = []
    for method in methods:
        own = rows_of(summary, method.chapter, method.row)
        if own:
            before = [rows_of(summary, method.chapter, row) for row in method.after]
            lines.append({"label": method.label} | method._asdict() | errors(own) | costs([own, *before]))
    return pd.DataFrame(lines)


def rows_of(summary: pd.DataFrame, chapter: str, row: str) -> dict[str, pd.Series]:
    """Metric -> line of one row."""
    own = summary[(summary["chapter"] == chapter) & (summary["row"] == row)]
    return {line["metric"]: line for _, line in own.iterrows()}


def errors(own: dict[str, pd.Series]) -> dict:
    """Values and intervals per metric, and the facts of the metric that ranks the row."""
    found = {}
    for metric in ERRORS:
        line = own.get(metric)
        for suffix, name in (("", "value"), ("_low", "low"), ("_high", "high")):
            found[metric + suffix] = float("nan") if line is None else line[name]
    ranked = "n_mpjpe" if pd.isna(found["mpjpe"]) else "mpjpe"
    head = own.get(ranked, next(iter(own.values())))
    return found | {"ranked": ranked, "kind": head["kind"], "init": head["init"]} | {name: head[name] for name in FACTS}


def costs(networks: Sequence[dict[str, pd.Series]]) -> dict:
    """Sums over the networks; memory is that of the hungriest. NaN where one of them tells nothing."""
    firsts = [next(iter(own.values())) for own in networks if own]
    whole = len(firsts) == len(networks)
    sums = {name: sum(line[name] for line in firsts) if whole else float("nan") for name in COSTS}
    return sums | {"peak_memory_mb": max(line["peak_memory_mb"] for line in firsts) if whole else float("nan")}


def missing(summary: pd.DataFrame, methods: Sequence[Method] = METHODS) -> list[Method]:
    """Methods that were not run."""
    return [method for method in methods if not rows_of(summary, method.chapter, method.row)]


def to_markdown(board: pd.DataFrame, links: dict[str, str] | None = None) -> str:
    """The leaderboard as Markdown.

    Args:
        board: of `standings`.
        links: chapter -> what its column shows, e.g. a link.
    """
    titles = {metric: f"{metric.replace('_', '-').upper()}, mm" for metric in ERRORS}
    titles["accel_error"] = "ACCEL_ERR, mm/frame²"
    shown = [metric for metric in ERRORS if board[metric].notna().any()]
    header = ["ch.", "method", "role", *(titles[m] for m in shown), "seeds: min–max", "seq. / frames", "M param."]
    header += ["GFLOP", "ms / image", "memory, MB", "min", "taught with"]
    return table(header, [line_cells(line, shown, links or {}) for _, line in board.iterrows()])


def line_cells(line: pd.Series, shown: Sequence[str], links: dict[str, str]) -> list[str]:
    """Cells of one method."""
    cells = [links.get(line["chapter"], line["chapter"]), line["name"]]
    cells += [line["role"] + (" (oracle)" if line["kind"] == "oracle" else "")]
    for metric in shown:
        value = {"value": line[metric], "low": line[f"{metric}_low"], "high": line[f"{metric}_high"]}
        cells.append(with_interval(pd.Series(value)))
    size = f"{line['n_sequences']:.0f} / {line['n_frames']:.0f}"
    cells += [seed_range(line), size, number(line["parameters"] / 1e6, 2), number(line["flops"] / 1e9, 2)]
    cells += [number(line["ms_per_image"], 1), number(line["peak_memory_mb"], 0), number(line["train_minutes"])]
    return [*cells, line["supervision"]]


def seed_range(line: pd.Series) -> str:
    """Smallest and largest mean of one seed, and how many seeds; the metric is named where it is not MPJPE."""
    count = len(str(line["seeds"]).split())
    text = f"{line['seed_min']:.1f}–{line['seed_max']:.1f} ({count})" if count > 1 else "1 seed"
    return text if line["ranked"] == "mpjpe" else f"{text}, N-MPJPE"
