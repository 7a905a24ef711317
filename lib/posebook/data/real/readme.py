"""The table of datasets in data_download/README.md, made from the catalogue: python -m posebook.data.real.readme."""

from pathlib import Path

from posebook.cache import write_text
from posebook.data.real.catalogue import markdown_table
from posebook.errors import PosebookError
from posebook.project import project_root

BEGIN, END = "<!-- datasets: made by python -m posebook.data.real.readme -->", "<!-- end of datasets -->"


def with_table(text: str) -> str:
    """The README with the catalogue's current table between its marks; PosebookError without marks."""
    if BEGIN not in text or END not in text:
        raise PosebookError(f"The README has no marks {BEGIN} and {END} to put the table between.")
    head, rest = text.split(BEGIN, 1)
    return f"{head}{BEGIN}\n{markdown_table()}\n{END}{rest.split(END, 1)[1]}"


def main(root: Path | None = None) -> None:
    """Rewrite the README."""
    path = (root or project_root()) / "data_download" / "README.md"
    write_text(path, with_table(path.read_text()))


if __name__ == "__main__":
    main()
