"""Large JSON files element by element: COCO's annotations take gigabytes as Python objects when read at once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from posebook.errors import PosebookError

CHUNK = 1 << 20  # characters
SPACE = " \t\r\n"


class _Text:
    """A stream of characters with one JSON value after the other."""

    def __init__(self, stream: TextIO):
        self.stream, self.text, self.at, self.decoder = stream, "", 0, json.JSONDecoder()

    def more(self) -> bool:
        """Read on; False at the end of the file."""
        chunk = self.stream.read(CHUNK)
        self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)

    def peek(self) -> str:
        """Next character that is no space, "" at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in SPACE:
                self.at += 1
            if self.at < len(self.text) or not self.more():
                return self.text[self.at : self.at + 1]

    def take(self, expected: str) -> str:
        """Step over one of the expected characters; ValueError for another."""
        found = self.peek()
        if not found or found not in expected:
            raise ValueError(f"expected one of {expected!r}, found {found!r}")
        self.at += 1
        return found

    def value(self) -> Any:
        """Decode the next value; ValueError if the file ends in it."""
        self.peek()
        while True:
            try:
                found, end = self.decoder.raw_decode(self.text, self.at)
                if end < len(self.text) or not self.more():  # a number may go on in the next chunk
                    self.at = end
                    return found
            except ValueError:
                if not self.more():
                    raise


def elements(path: Path, *keys: str) -> Iterator[tuple[str, Any]]:
    """(key, element) of the arrays under some keys of a file's outermost object, in the order of the file.

    Args:
        path: JSON file whose outermost value is an object.
        keys: at least one; arrays under other keys are passed over.

    Raises:
        PosebookError: no such file, no JSON, or one of the keys is missing (when the end is reached).
    """
    if not path.is_file():
        raise PosebookError(f"There is no file {path}.")
    seen = set()
    with open(path, encoding="utf-8") as stream:
        try:
            for key, element in _walk(_Text(stream)):
                seen.add(key)
                if key in keys and element is not None:
                    yield key, element
        except (ValueError, UnicodeDecodeError) as error:
            raise PosebookError(f"{path} is not whole JSON ({error}). Get the file again.") from None
    missing = [key for key in keys if key not in seen]
    if missing:
        raise PosebookError(f"{path}: the fields {', '.join(missing)} are missing; it has {', '.join(sorted(seen))}.")


def members(path: Path) -> Iterator[tuple[str, Any]]:
    """(key, value) of a file's outermost object, one after the other.

    Raises:
        PosebookError: no such file, or no JSON object.
    """
    if not path.is_file():
        raise PosebookError(f"There is no file {path}.")
    with open(path, encoding="utf-8") as stream:
        text = _Text(stream)
        try:
            text.take("{")
            while text.peek() != "}":
                key = text.value()
                text.take(":")
                yield key, text.value()
                if text.peek() != "}":
                    text.take(",")
        except (ValueError, UnicodeDecodeError) as error:
            raise PosebookError(f"{path} is not whole JSON ({error}). Get the file again.") from None


def _walk(text: _Text) -> Iterator[tuple[str, Any]]:
    text.take("{")
    while text.peek() != "}":
        key = text.value()
        text.take(":")
        yield key, None  # so that empty arrays are seen
        if text.peek() == "[":
            text.take("[")
            while text.peek() != "]":
                yield key, text.value()
                if text.peek() != "]":
                    text.take(",")
            text.take("]")
        else:
            text.value()
        if text.peek() != "}":
            text.take(",")
