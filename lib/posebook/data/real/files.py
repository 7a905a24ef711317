"""Reading other people's files: JSON, npz, MATLAB, HDF5 and pickles, none of which may run code or lack a field."""

import json
import pickle
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from posebook.body.model_file import Layout, read_pickle
from posebook.data.real.catalogue import entry
from posebook.errors import PosebookError


def check_fields(found: Any, fields: Sequence[str], where: str) -> dict:
    """The mapping itself; PosebookError if it is none or lacks fields."""
    keys = set(found) if hasattr(found, "keys") else None
    if keys is None:
        raise PosebookError(f"{where}: expected fields {', '.join(fields)}, found a {type(found).__name__}.")
    missing = [f for f in fields if f not in keys]
    if missing:
        has = ", ".join(sorted(map(str, keys))[:12])
        raise PosebookError(f"{where}: the fields {', '.join(missing)} are missing; it has {has}. Get the file again.")
    return found


def read_json(path: Path, fields: Sequence[str] = ()) -> Any:
    """Content of a JSON file with some fields.

    Raises:
        PosebookError: no such file, no JSON, missing fields; the file and the fields are named.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except FileNotFoundError:
        raise PosebookError(f"There is no file {path}.") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise PosebookError(f"{path} is not whole JSON ({error}). Get the file again.") from None
    return check_fields(found, fields, str(path)) if fields else found


def read_plain_pickle(path: Path, name: str, fields: Sequence[str]) -> dict:
    """Dictionary of a Python 2 or 3 pickle that holds arrays and plain containers only; nothing in it is run.

    Raises:
        PosebookError: the file is cut, names code to run, or lacks fields.
    """
    e = entry(name)
    layout = Layout(e.title, {}, f"Get it again from {e.register}.", "", "")
    try:
        return check_fields(read_pickle(path, layout), fields, str(path))
    except (pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
        raise PosebookError(
            f"{path} is not a whole pickle ({type(error).__name__}: {error}). {layout.get_it}"
        ) from None


def read_mat(path: Path, fields: Sequence[str]) -> dict:
    """Variables of a MATLAB v5 file; structs become objects with attributes, cells object arrays.

    Raises:
        PosebookError: no such file, another format, missing variables.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        found = loadmat(path, squeeze_me=True, struct_as_record=False)
    except FileNotFoundError:
        raise PosebookError(f"There is no file {path}.") from None
    except (MatReadError, NotImplementedError, ValueError, TypeError, EOFError, OSError) as error:
        raise PosebookError(f"{path} is not a MATLAB v5 file ({error}). Get the file again.") from None
    return check_fields(found, fields, str(path))


@contextmanager
def open_h5(path: Path, fields: Sequence[str]) -> Iterator[Any]:
    """An open HDF5 file (MATLAB v7.3 is one) with some datasets.

    Raises:
        PosebookError: h5py is not installed, no such file, another format, missing datasets.
    """
    try:
        import h5py
    except ImportError:
        raise PosebookError(f"{path} needs h5py: pip install 'posebook[datasets]'.") from None
    if not path.is_file():
        raise PosebookError(f"There is no file {path}.")
    try:
        opened = h5py.File(path, "r")
    except OSError as error:
        raise PosebookError(f"{path} is not an HDF5 file ({error}). Get the file again.") from None
    with opened:
        yield check_fields(opened, fields, str(path))


def read_object_npz(path: Path, name: str, field: str) -> Any:
    """One member of an npz that is a dictionary in a 0-d object array, read without running code.

    Raises:
        PosebookError: no such file, no npz, another content, or a pickle with code in it.
    """
    e = entry(name)
    layout = Layout(e.title, {}, f"Get it again from {e.register}.", "", "")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{field}.npy") as stream:
            version = np.lib.format.read_magic(stream)
            read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            if not read[version](stream)[2].hasobject:
                raise PosebookError(f"{path}: {field} should hold a dictionary, it is a plain array.")
            return read_pickle(stream, layout, any_kind=True).ravel()[0]
    except FileNotFoundError:
        raise PosebookError(f"There is no file {path}.") from None
    except (KeyError, zipfile.BadZipFile, pickle.UnpicklingError, EOFError, ValueError) as error:
        raise PosebookError(f"{path} is not an npz with {field} ({error}). {layout.get_it}") from None
