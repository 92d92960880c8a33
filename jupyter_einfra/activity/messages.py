"""What a kernel says of its executions, and which cell a page asks it to run.

Of a message only its headers are read, and of a few kinds the content, of which the
source of a cell and its output are not.

Source: "Messaging in Jupyter", wire protocol and sections on IOPub; the protocol
``v1.kernel.websocket.jupyter.org`` of Jupyter Server's WebSockets.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

#: Parts of a message's wire form: after this, the signature, header, parent, metadata, content.
DELIMITER = b"<IDS|MSG>"

#: Topics and identities before the delimiter, at most.
_MOST_TOPICS = 4

#: An error's own words, with what it prints of the source, may be of any length.
_MOST_CONTENT_BYTES = 4_000_000

#: Ids of messages and cells are as long as a person cannot type.
_MOST_ID = 200


class Frame(Protocol):
    """A part of a message, which is copied only if it is looked at."""

    @property
    def bytes(self) -> bytes: ...

    def __len__(self) -> int: ...


class Message(NamedTuple):
    """What a kernel said of one execution."""

    kind: Literal["input", "error", "idle"]
    parent_id: str
    """Id of the request."""
    execution_count: int | None = None
    error_name: str = ""
    error_text: str = ""


class Request(NamedTuple):
    """A page's wish to run a cell."""

    id: str
    cell_id: str
    session: str
    """Of the page's connection: each notebook has its own."""


class _Header(msgspec.Struct):
    msg_type: str = ""
    msg_id: str = ""
    session: str = ""


class _Status(msgspec.Struct):
    execution_state: str = ""


class _Input(msgspec.Struct):
    execution_count: int | None = None


class _Error(msgspec.Struct):
    ename: str | None = ""
    evalue: str | None = ""


class _Metadata(msgspec.Struct, rename={"cell_id": "cellId"}):
    cell_id: str = ""


class _Text(msgspec.Struct):
    channel: str | None = None
    header: _Header = msgspec.field(default_factory=_Header)
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_header = msgspec.json.Decoder(_Header).decode
_status = msgspec.json.Decoder(_Status).decode
_input = msgspec.json.Decoder(_Input).decode
_error = msgspec.json.Decoder(_Error).decode
_metadata = msgspec.json.Decoder(_Metadata).decode
_text = msgspec.json.Decoder(_Text).decode

#: Of what each of these kinds says, a part is of use.
_KINDS = frozenset({"status", "execute_input", "error"})

#: A topic as ipykernel, kernels made with it, and those made with xeus name it.
_STATUS = re.compile(rb"(kernel(?:_core)?\.[0-9a-f-]{8,64})\.status")

#: What kernels made with ipykernel send themselves has no topic, so begins with the
#: delimiter. It must not be subscribed to as it is: ipykernel 7 names each subscription in a
#: message to all who listen, which then could not be read.
WITHOUT_TOPIC = DELIMITER[:4]


def read(frames: Sequence[Frame], is_genuine: Callable[[Sequence[bytes]], bool]) -> Message | None:
    """Read a message from a kernel's IOPub channel; None if it tells nothing of an execution.

    Parameters
    ----------
    frames:
        As they came.
    is_genuine:
        Whether signature, header, parent, metadata and content belong together. Asked only of
        what is of use.
    """
    at = next((i for i, f in enumerate(frames[:_MOST_TOPICS]) if _is_delimiter(f)), None)
    if at is None or len(frames) < at + 6:
        return None
    try:
        kind = _header(frames[at + 2].bytes).msg_type
        if kind not in _KINDS:
            return None
        parent = _header(frames[at + 3].bytes)
    except (msgspec.MsgspecError, UnicodeError):
        return None
    is_execution = parent.msg_type == "execute_request" and parent.msg_id
    if not is_execution or len(parent.msg_id) > _MOST_ID:
        return None
    if len(frames[at + 5]) > _MOST_CONTENT_BYTES:
        return _without_content(kind, parent.msg_id)
    parts = [frame.bytes for frame in frames[at + 1 : at + 6]]
    message = _content(kind, parent.msg_id, parts[4])
    return message if message is not None and is_genuine(parts) else None


def _is_delimiter(frame: Frame) -> bool:
    return len(frame) == len(DELIMITER) and frame.bytes == DELIMITER


def _content(kind: str, parent_id: str, content: bytes) -> Message | None:
    try:
        # Kernels send bytes of file names that are no text.
        text = content.decode("utf-8", "replace")
        if kind == "execute_input":
            return Message("input", parent_id, _input(text).execution_count)
        if kind == "error":
            error = _error(text)
            return Message("error", parent_id, None, error.ename or "", error.evalue or "")
        return Message("idle", parent_id) if _status(text).execution_state == "idle" else None
    except (msgspec.MsgspecError, UnicodeError):
        return _without_content(kind, parent_id)


def _without_content(kind: str, parent_id: str) -> Message | None:
    """Know what a message is of which no more can be read: an error is one all the same."""
    if kind == "status":
        return None
    return Message("input" if kind == "execute_input" else "error", parent_id)


def enough(topic: bytes) -> tuple[bytes, ...] | None:
    """Return topics by which all is heard that a kernel says of executions.

    But for errors of kernels that are made with ipykernel and are not Python's: these have
    no topic (`WITHOUT_TOPIC`).

    Parameters
    ----------
    topic:
        Of any of its messages; None is returned where it does not tell.
    """
    match = _STATUS.fullmatch(topic)
    if match is None:
        return None
    said = (b".status", b".execute_input", b".error")
    return tuple(match[1] + each for each in said)


def may_lack_topics(topic: bytes) -> bool:
    """Whether a kernel that sends this topic may send other messages without any."""
    return topic.startswith(b"kernel.")  # ipykernel's base for other languages does


def requested(message: str | bytes) -> Request | None:
    """Read what a page sends to a kernel; None unless it is to run a cell.

    Parameters
    ----------
    message:
        Of a WebSocket, in either of Jupyter's protocols.
    """
    try:
        if isinstance(message, str):
            told = _text(message)
            channel, header, cell_id = told.channel, told.header, told.metadata.cell_id
        else:
            parts = _parts(message)
            if parts is None or parts[0] != b"shell":
                return None
            channel, header, cell_id = "shell", _header(parts[1]), ""
            if header.msg_type == "execute_request":
                cell_id = _metadata(parts[2]).cell_id
    except (msgspec.MsgspecError, UnicodeError):
        return None
    if channel not in ("shell", None) or header.msg_type != "execute_request":
        return None
    if not (0 < len(cell_id) <= _MOST_ID and 0 < len(header.msg_id) <= _MOST_ID):
        return None
    return Request(header.msg_id, cell_id, header.session[:_MOST_ID])


def _parts(message: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return channel, header and metadata: the first, second and fourth of the parts."""
    if len(message) < 8:
        return None
    (count,) = struct.unpack_from("<Q", message)
    if not 6 <= count <= 1000 or len(message) < 8 * (count + 1):
        return None
    at = struct.unpack_from("<6Q", message, 8)
    return message[at[0] : at[1]], message[at[1] : at[2]], message[at[3] : at[4]]
