"""Tables as padded Markdown: readable in a terminal and on a web page alike."""

from collections.abc import Sequence


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Markdown table; columns whose cells all start with a digit, a sign or a dash are right-aligned."""
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in line] for line in (header, *lines)]
    widths = [max(3, *(len(line[i]) for line in cells)) for i in range(len(header))]
    right = [all(line[i][:1] in "0123456789+-–" for line in cells[1:] if line[i]) for i in range(len(header))]

    def join(line: Sequence[str]) -> str:
        padded = [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = [("-" * (w - 1) + ":") if r else "-" * w for w, r in zip(widths, right, strict=True)]
    return "\n".join([join(cells[0]), join(rule), *(join(line) for line in cells[1:])])
