"""Progress in a terminal and in a notebook."""

from posebook import progress


class Handle:
    def __init__(self):
        self.shown = []

    def update(self, text):
        self.shown.append(str(text.data))


def test_terminal_bar_counts_to_the_total(capsys):
    bar = progress.Progress(5, "Counting", "steps")
    for _ in range(5):
        bar.update(1, "going")
    bar.close()
    assert bar.done == 5 and "Counting" in capsys.readouterr().err


def test_notebook_line_is_one_output_with_the_final_state(monkeypatch):
    handle = Handle()
    monkeypatch.setattr(progress, "in_kernel", lambda: True)
    monkeypatch.setattr(progress, "display_handle", lambda text: handle)
    bar = progress.Progress(3, "Counting", "steps")
    for _ in range(3):
        bar.update(1, "loss 1.5")
    bar.close()
    assert handle.shown[-1].startswith("Counting: 3/3 steps") and handle.shown[-1].endswith("loss 1.5")
    assert " left" not in handle.shown[-1]
