"""One JSON file of an exported capture: read, decoded, and every fault named by file, place and reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeVar

import msgspec

from pipeline.errors import CaptureFileError

T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"
_BYTE = re.compile(r" \(byte (\d+)\)$")


class _Values(msgspec.Struct):
    value: list[msgspec.Raw]


def content(path: Path) -> bytes | None:
    """The file's UTF-8 text without byte order mark; ``None`` when there is no such file."""
    try:
        body = path.read_bytes().removeprefix(_BOM)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CaptureFileError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise CaptureFileError(f"{path}, {_place(body, error.start)}: the text is not UTF-8.") from error
    return body


def parsed(path: Path, body: bytes, shape: type[T]) -> T:
    """The text as ``shape``.

    Raises ``CaptureFileError`` with line and column where it is no JSON, and with the JSON path where a value
    is not what Microsoft Graph would have sent.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise CaptureFileError(f"{path} is not as Microsoft Graph returns it: {_with_path(str(error))}.") from error
    except msgspec.DecodeError as error:
        raise CaptureFileError(_no_json(path, body, str(error))) from error
    except RecursionError as error:
        raise CaptureFileError(f"{path} cannot be read: its values are nested too deeply.") from error


def _with_path(message: str) -> str:
    return message if " - at `" in message else f"{message} - at `$`"


def _no_json(path: Path, body: bytes, message: str) -> str:
    found = _BYTE.search(message)
    offset = int(found[1]) if found else len(body)
    reason = _BYTE.sub("", message) if found else "the JSON ends too early"
    return f"{path}, {_place(body, offset)}: {reason}."


def _place(body: bytes, offset: int) -> str:
    """Line and column, both from 1, the column in characters."""
    before = body[:offset]
    line_start = before.rfind(b"\n") + 1
    column = len(before[line_start:].decode(errors="replace")) + 1
    line = before.count(b"\n") + 1
    return f"line {line}, column {column}"


def list_of_one(path: Path, body: bytes) -> bytes:
    """``{"value": [...]}`` for a resource of which a tenant has one: Graph returns it bare, exports as a list.

    Raises ``CaptureFileError`` when there are several.
    """
    top = parsed(path, body, dict[str, msgspec.Raw] | list[msgspec.Raw])  # type: ignore[arg-type]  # a union
    if isinstance(top, dict) and "value" not in top:
        return b'{"value":[' + body + b"]}"
    text = b'{"value":' + body + b"}" if isinstance(top, list) else body
    count = len(parsed(path, text, _Values).value)
    if count > 1:
        raise CaptureFileError(f"{path} holds {count} objects where a tenant has one.")
    return text
