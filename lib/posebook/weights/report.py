"""What `posebook weights` prints."""

from pathlib import Path

from posebook.markdown import table
from posebook.weights.evaluate import Evaluation
from posebook.weights.files import LoadedWeights, find_file
from posebook.weights.known import KNOWN, KnownWeights, Published

SHOWN = 4  # names of split-off arrays


def list_text(folder: Path) -> str:
    """All known files, with what is in a folder, and their published numbers."""
    files = [(k.name, k.chapter, " or ".join(k.files), _here(k, folder), k.licence, k.where) for k in KNOWN]
    numbers = [(k.name, *_row(p)) for k in KNOWN for p in k.published]
    return "\n\n".join([
        f"Official weights; nothing is downloaded. Looked for in {folder}.",
        table(("name", "ch.", "file", "here", "licence", "published at"), files),
        "Published numbers, mm (accelerations: mm per frame²):",
        table(("name", "dataset", "answer", "numbers", "source", "note"), numbers),
        "posebook weights NAME reads the file and checks it; with --dataset it is scored.",
    ])  # fmt: skip


def _here(known: KnownWeights, folder: Path) -> str:
    found = find_file(known, folder)
    return f"{found.stat().st_size / 1e6:.0f} MB" if found else "no"


def _row(published: Published) -> tuple[str, ...]:
    return (published.dataset, published.answer, _numbers(published.values), published.source, published.note)


def _numbers(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def about_text(known: KnownWeights) -> str:
    """Where a file comes from and what it needs."""
    lines = [f"{known.name} (chapter {known.chapter}): {' or '.join(known.files)}", f"  published at: {known.where}",
             f"  licence:      {known.licence}", f"  trained on:   {known.trained_on}",
             f"  needs:        your licensed {known.body} file"
             + "".join(f"; {name}'s weights in the same folder" for name in known.needs)]  # fmt: skip
    if known.protocol is not None:
        lines.append(f"  protocol:     {known.protocol.describe()}")
    lines += [f"  frames:       {known.frames}"] if known.frames else []
    lines += [f"  published:    {' · '.join(part for part in _row(p) if part)}" for p in known.published]
    return "\n".join(lines)


def loaded_text(loaded: LoadedWeights) -> str:
    """What was in a file."""
    epoch = "not in the file" if loaded.epoch is None else f"{loaded.epoch} (counted from 0)"
    lines = [f"{loaded.path} fits: all names and sizes are those of our network.",
             f"  parameters: {loaded.parameters:,}", f"  epoch:      {epoch}"]  # fmt: skip
    if loaded.performance is not None:
        lines.append(f"  its own validation PA-MPJPE: {loaded.performance:.2f} mm")
    if loaded.split_off:
        names = ", ".join(sorted(loaded.split_off)[:SHOWN])
        more = f" and {len(loaded.split_off) - SHOWN} more" if len(loaded.split_off) > SHOWN else ""
        lines.append(f"  split off:  {len(loaded.split_off)} arrays of the licensed body model ({names}{more})")
    else:
        lines.append("  split off:  nothing; the file carries no body model")
    lines += [f"  not loaded: {name}" for name in loaded.others]
    return "\n".join(lines)


def evaluation_text(name: str, found: Evaluation, rows: list[Published]) -> str:
    """Ours beside the published numbers, or alone where none was published on this dataset."""
    head = f"{name}: {found.frames} pictures in {found.sequences} sequences\nProtocol: {found.protocol}\n"
    head += f"Not as in the paper: {'; '.join(found.notes)}.\n"
    names = list(found.values) + [n for row in rows for n in row.values if n not in found.values]
    names = list(dict.fromkeys(names))
    lines = [(n, _cell(found.values, n), *(_cell(row.values, n) for row in rows)) for n in names]
    titles = [f"published ({row.source})" for row in rows]
    notes = [f"Note: the published row is {row.note}." for row in rows if row.note]
    notes += [] if rows else ["No number was published for these weights on this dataset."]
    return "\n".join([head, table(("metric", "ours", *titles), lines), *notes])


def _cell(values: dict[str, float], name: str) -> str:
    return f"{values[name]:.2f}" if name in values else "–"
