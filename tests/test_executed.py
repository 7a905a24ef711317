import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from posebook.errors import PosebookError
from posebook.executed import clean, without_paths, write_back
from tiny import notebook

FOLDERS = {"/root/clone": ".", "/tmp": "<tmp>", "/root": "~"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("wrote /root/clone/results/a.csv", "wrote ./results/a.csv"),
        ("'/root/.cache/x'", "'~/.cache/x'"),
        ("(/tmp/a, /tmp)", "(<tmp>/a, <tmp>)"),
        ("pelvis/root and /rooted and https://x.org/tmp/a", "pelvis/root and /rooted and https://x.org/tmp/a"),
    ],
)
def test_private_folders_are_replaced_and_nothing_else(text, kept):
    assert without_paths({"a": [text]}, FOLDERS) == {"a": [kept]}


def test_binary_data_are_left_alone():
    data = {"image/png": "+/root/", "y": {"bdata": "=/tmp/"}}
    assert without_paths(data, FOLDERS) == data


def executed(tmp_path):
    made = notebook(f"print('{tmp_path}')", "2")
    made.metadata["widgets"] = {"state": {}}
    made.metadata["papermill"] = {"input_path": str(tmp_path), "parameters": {"out": str(tmp_path), "seed": 1}}
    injected = new_code_cell(f'seed = 1\nout = "{tmp_path}"', metadata={"tags": ["injected-parameters"]})
    made.cells.insert(2, injected)
    for number, cell in enumerate((c for c in made.cells if c.cell_type == "code"), 1):
        cell.execution_count = number
    made.cells[-1].outputs = [new_output("execute_result", {"text/plain": f"{tmp_path}/a"}, execution_count=4)]
    return made


def test_clean_drops_widget_state_and_the_runners_paths(tmp_path):
    made = clean(executed(tmp_path), tmp_path)
    assert "widgets" not in made.metadata and made.metadata["papermill"] == {"parameters": {"seed": 1}}
    assert made.cells[2].source == 'seed = 1\nout = ""'
    assert made.cells[-1].outputs[0].data["text/plain"] == "./a"


def test_write_back_numbers_the_cells_and_keeps_the_source(tmp_path):
    source = tmp_path / "01_tiny.ipynb"
    nbformat.write(notebook(f"print('{tmp_path}')", "2"), source)
    write_back(source, executed(tmp_path), {"seed": 1}, tmp_path)
    made = nbformat.read(source, as_version=4)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3]  # the injected cell is not among them
    assert code[2].outputs[0].execution_count == 3 and code[2].outputs[0].data["text/plain"] == "./a"
    assert made.metadata["posebook"] == {"seed": 1}


def test_a_notebook_changed_since_is_refused_and_left_alone(tmp_path):
    source = tmp_path / "01_tiny.ipynb"
    nbformat.write(notebook("something else"), source)
    before = source.read_bytes()
    with pytest.raises(PosebookError, match="changed after it was executed"):
        write_back(source, executed(tmp_path), {}, tmp_path)
    assert source.read_bytes() == before
