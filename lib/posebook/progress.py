"""Progress of long loops: a tqdm bar in terminals, one updated line in notebooks.

A tqdm widget is stored frozen at 0 % in an executed notebook and prints a new output per update elsewhere; one display
handle leaves exactly one final line.
"""

import sys
import time

from tqdm.auto import tqdm


class Progress:
    """Counts to a total, with a short text beside it.

    Args:
        total: steps to come.
        description: what is going on.
        unit: what a step is.
        shown: False for all but one of several processes.
    """

    def __init__(self, total: int, description: str, unit: str = "it", shown: bool = True):
        self.total, self.description, self.unit = total, description, unit
        self.done, self.text, self.start, self.shown = 0, "", time.perf_counter(), 0.0
        self.handle = display_handle(f"{description} …") if in_kernel() else None
        self.bar = None if self.handle else tqdm(total=total, desc=description, unit=unit, disable=not shown)

    def update(self, steps: int = 1, text: str = "") -> None:
        """Advance by `steps`; the line in a notebook is redrawn at most twice a second."""
        self.done += steps
        self.text = text or self.text
        if self.bar is not None:
            self.bar.update(steps)
            self.bar.set_postfix_str(self.text)
        elif time.perf_counter() - self.shown > 0.5:
            self.shown = time.perf_counter()
            self.handle.update(plain(self.line()))

    def line(self) -> str:
        """The line as shown in a notebook."""
        seconds = time.perf_counter() - self.start
        left = seconds / max(self.done, 1) * (self.total - self.done)
        rest = f", {left:.0f} s left" if self.done < self.total else ""
        return f"{self.description}: {self.done}/{self.total} {self.unit}, {seconds:.0f} s{rest}. {self.text}"

    def close(self) -> None:
        """Show the final state."""
        if self.bar is not None:
            self.bar.close()
        else:
            self.handle.update(plain(self.line()))


def in_kernel() -> bool:
    """True inside a Jupyter kernel."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    return bool(shell) and hasattr(shell, "kernel")


def display_handle(text: str):
    """One output line that can be replaced."""
    from IPython.display import display

    return display(plain(text), display_id=True)


def plain(text: str):
    """Text that Jupyter shows without markup."""
    from IPython.display import Pretty

    return Pretty(text)
