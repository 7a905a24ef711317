"""The user's licensed model file (SMPL, MANO), read as it comes: no chumpy needed, and nothing in it is executed.

The official pickles were written by Python 2 and hold chumpy objects. Unpickling calls what a file names, so only
a handful of names is answered, each by a harmless stand-in; any other name is refused.
"""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import scipy.sparse as sp

from posebook.errors import PosebookError


class Layout(NamedTuple):
    """What a model's file must hold, and what to tell its user."""

    model: str  # name in messages
    needed: dict[str, tuple[int | None, ...]]  # array -> shape; None is any size
    get_it: str  # where the file comes from
    instead: str  # what works without it
    others: str  # models it is mistaken for


class _Stub:
    """An object of the pickle that is not rebuilt, only its recorded state kept."""

    name = ""
    state: dict[str, Any]

    def __new__(cls, *_: Any) -> "_Stub":
        made = object.__new__(cls)
        made.state = {}  # here: unpickling does not call __init__
        return made

    def __init__(self, *_: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


def _reconstructor(cls: type, _base: Any, _state: Any) -> _Stub:
    if not (isinstance(cls, type) and issubclass(cls, _Stub)):
        raise pickle.UnpicklingError("an object of an unexpected kind")
    return cls()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"text in the encoding {encoding!r}")
    return text.encode("latin1")


def _numpy_globals() -> dict[str, Callable[..., Any]]:
    """numpy's own helpers under the names that old and new versions write."""
    helpers = {"_reconstruct": np.zeros(0).__reduce__()[0], "scalar": np.float64(0).__reduce__()[0]}
    found = {f"{m}.multiarray.{k}": v for m in ("numpy.core", "numpy._core") for k, v in helpers.items()}
    return found | {"numpy.ndarray": np.ndarray, "numpy.dtype": np.dtype}


class _RestrictedUnpickler(pickle.Unpickler):
    """Answers numpy's array helpers, sets, scipy's csc matrix and chumpy's classes; refuses all else."""

    def __init__(self, stream: BinaryIO, layout: Layout) -> None:
        super().__init__(stream, encoding="latin1")
        self._layout = layout
        self._known = _numpy_globals() | {"builtins.set": set, "builtins.object": object, "_codecs.encode": _encode,
                                          "copyreg._reconstructor": _reconstructor}  # fmt: skip

    def find_class(self, module: str, name: str) -> Any:
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)  # Python 2's names
        full = f"{module}.{name}"
        if full in self._known:
            return self._known[full]
        if module.split(".")[0] == "chumpy" or full in ("scipy.sparse.csc.csc_matrix", "scipy.sparse._csc.csc_matrix"):
            return type("_Stub", (_Stub,), {"name": full})
        raise PosebookError(f"The pickle asks for {full}, which {self._layout.model} files have no use for; it was not "
                            f"run. {self._layout.get_it}")  # fmt: skip


def _to_array(value: Any, key: str, layout: Layout) -> np.ndarray:
    """An array out of what the pickle holds: arrays, chumpy's Ch and Select, scipy's csc matrix."""
    if not isinstance(value, _Stub):
        return value.toarray() if sp.issparse(value) else np.asarray(value)
    state = value.state
    if value.name.endswith("csc_matrix"):
        shape = state.get("_shape", state.get("shape"))
        return sp.csc_matrix((state["data"], state["indices"], state["indptr"]), shape=shape).toarray()
    if value.name == "chumpy.reordering.Select":  # a slice of another array, by flat indices
        return _to_array(state["a"], key, layout).ravel()[np.ravel(state["idxs"])].reshape(state["preferred_shape"])
    if "x" in state:  # chumpy.ch.Ch: a plain array
        return _to_array(state["x"], key, layout)
    raise PosebookError(f"{key} is stored as {value.name}, which holds no plain array. {layout.get_it}")


def read_pickle(source: Path | BinaryIO, layout: Layout, any_kind: bool = False) -> Any:
    """A pickle of arrays and plain containers, Python 2's or 3's; nothing in it is run.

    Args:
        source: path, or an open stream at the pickle's first byte.
        layout: whose file it is, for messages.
        any_kind: also something that is no dictionary.

    Raises:
        PosebookError: it names code to run, or holds no dictionary. What a cut file raises is up to the caller.
    """
    if isinstance(source, Path):
        with open(source, "rb") as stream:
            loaded = _RestrictedUnpickler(stream, layout).load()
    else:
        loaded = _RestrictedUnpickler(source, layout).load()
    if not (any_kind or isinstance(loaded, dict)):
        kind = type(loaded).__name__
        raise PosebookError(f"{source} holds a {kind}, not {layout.model}'s dictionary of arrays. {layout.get_it}")
    return loaded


def _read_npz(path: Path, layout: Layout) -> dict[str, Any]:
    """The needed members; object members (a sparse J_regressor, say) go through the restricted unpickler, too."""
    arrays: dict[str, Any] = {}
    with zipfile.ZipFile(path) as archive:
        for key in layout.needed.keys() & {name.removesuffix(".npy") for name in archive.namelist()}:
            with archive.open(f"{key}.npy") as stream:
                version = np.lib.format.read_magic(stream)
                header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
                is_object = header[version](stream)[2].hasobject
                if is_object:
                    arrays[key] = np.asarray(_RestrictedUnpickler(stream, layout).load(), dtype=object).ravel()[0]
            if not is_object:
                with archive.open(f"{key}.npy") as stream:
                    arrays[key] = np.lib.format.read_array(stream, allow_pickle=False)
    return arrays


def read_model_file(path: Path, layout: Layout) -> dict[str, np.ndarray]:
    """Arrays of a model file under the model's own names.

    Args:
        path: the official `.pkl` or `.npz`.
        layout: what it must hold.

    Raises:
        PosebookError: the file is missing, cut, of another model, or names code to run.
    """
    name, get_it = layout.model, layout.get_it
    if not path.is_file():
        raise PosebookError(f"There is no {name} file at {path}. {get_it} {layout.instead}")
    reader = {".pkl": read_pickle, ".npz": _read_npz}.get(path.suffix.lower())
    if reader is None:
        raise PosebookError(f"{name} files end in .pkl or .npz, not {path.suffix!r} ({path}).")
    try:
        loaded = reader(path, layout)
        arrays = {key: _to_array(loaded[key], key, layout) for key in layout.needed if key in loaded}
    except PosebookError:
        raise
    except Exception as error:  # a cut or foreign file fails in too many ways to list
        raise PosebookError(f"{path} is not a whole {name} file ({type(error).__name__}: {error}). {get_it}") from error
    _check(arrays, path, layout)
    return arrays


def _check(arrays: dict[str, np.ndarray], path: Path, layout: Layout) -> None:
    for key, shape in layout.needed.items():
        if key not in arrays:
            raise PosebookError(f"{path} lacks {layout.model}'s array {key}. {layout.get_it}")
        found = arrays[key]
        fits = found.ndim == len(shape) and all(w in (None, n) for w, n in zip(shape, found.shape, strict=True))
        if not fits or found.dtype.kind not in "fiu":
            raise PosebookError(
                f"{key} in {path} should be numbers of shape {shape}, but is {found.dtype} of shape {found.shape}: not "
                f"of a {layout.model} file ({layout.others}). {layout.get_it}"
            )
