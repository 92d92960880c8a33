"""Of what kernels and pages say, only what is recorded is read, and nothing breaks the reader."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.activity.messages import (
    DELIMITER,
    WITHOUT_TOPIC,
    Message,
    Request,
    enough,
    read,
    requested,
)


class Part(NamedTuple):
    bytes: bytes

    def __len__(self) -> int:
        return len(self.bytes)


def frames(
    kind: str,
    content: Any,
    parent: Any = ("execute_request", "r1"),
    topics: Sequence[bytes] = (b"kernel.x.status",),
) -> list[Part]:
    parts = [
        *topics,
        DELIMITER,
        b"signature",
        json.dumps({"msg_type": kind, "msg_id": "m1", "username": "x", "date": "2026"}).encode(),
        json.dumps(dict(zip(("msg_type", "msg_id"), parent, strict=True))).encode(),
        b"{}",
        json.dumps(content).encode(),
        b"a buffer",
    ]
    return [Part(part) for part in parts]


def genuine(parts: Sequence[bytes]) -> bool:
    return parts[0] == b"signature"


@pytest.mark.parametrize("topics", [(), (b"kernel.x.status",), (b"one", b"two")])
@pytest.mark.parametrize(
    ("kind", "content", "told"),
    [
        ("execute_input", {"code": "1", "execution_count": 7}, Message("input", "r1", 7)),
        ("status", {"execution_state": "idle"}, Message("idle", "r1")),
        ("status", {"execution_state": "busy"}, None),
        (
            "error",
            {"ename": "KeyError", "evalue": "'a'", "traceback": ["…"]},
            Message("error", "r1", None, "KeyError", "'a'"),
        ),
        ("stream", {"name": "stdout", "text": "…"}, None),
        ("execute_result", {"data": {}}, None),
    ],
)
def test_what_a_kernel_says_of_an_execution_is_read(
    kind: str, content: Any, told: Message | None, topics: Sequence[bytes]
) -> None:
    assert read(frames(kind, content, topics=topics), genuine) == told


@pytest.mark.parametrize("parent", [("comm_msg", "r1"), ("execute_request", ""), ("", "r1")])
def test_what_is_not_of_an_execution_is_left_alone(parent: tuple[str, str]) -> None:
    assert read(frames("status", {"execution_state": "idle"}, parent), genuine) is None


@pytest.mark.parametrize(("length", "is_read"), [(200, True), (201, False)])
def test_an_id_that_is_too_long_is_none(length: int, is_read: bool) -> None:
    parent = ("execute_request", "r" * length)
    told = read(frames("status", {"execution_state": "idle"}, parent), genuine)
    assert told == (Message("idle", "r" * length) if is_read else None)


@pytest.mark.parametrize(
    ("topics", "is_read"),
    [
        ([b"<ids|msg>"], True),  # as long as the delimiter
        ([b"a", b"b", b"c"], True),
        ([b"a", b"b", b"c", b"d"], False),
    ],
)
def test_the_delimiter_is_looked_for_among_the_first_parts(
    topics: list[bytes], is_read: bool
) -> None:
    told = read(frames("status", {"execution_state": "idle"}, topics=topics), genuine)
    assert told == (Message("idle", "r1") if is_read else None)


def test_of_parts_that_are_not_enough_nothing_is_read() -> None:
    whole = frames("status", {"execution_state": "idle"})
    for end in range(len(whole) - 1):  # the last is a buffer, which there need not be
        assert read(whole[:end], genuine) is None
    assert read(whole[:-1], genuine) == Message("idle", "r1")
    assert read([part for part in whole if part.bytes != DELIMITER], genuine) is None


def test_a_message_that_the_kernel_did_not_sign_is_not_believed() -> None:
    message = frames("status", {"execution_state": "idle"})
    assert read(message, lambda parts: False) is None


def test_the_signature_is_of_the_four_parts_after_it() -> None:
    seen: list[Sequence[bytes]] = []

    def look(parts: Sequence[bytes]) -> bool:
        seen.append(parts)
        return True

    read(frames("status", {"execution_state": "idle"}), look)
    [(signature, header, parent, metadata, content)] = seen
    assert signature == b"signature"
    assert b'"status"' in header
    assert b'"execute_request"' in parent
    assert (metadata, content) == (b"{}", b'{"execution_state": "idle"}')


def test_a_source_is_not_even_looked_for_in_a_message() -> None:
    told = read(frames("execute_input", {"code": "SECRET", "execution_count": 1}), genuine)
    assert "SECRET" not in repr(told)


@given(st.lists(st.one_of(st.binary(max_size=40), st.just(DELIMITER)), max_size=12))
def test_no_bytes_break_the_reader_of_kernels(parts: list[bytes]) -> None:
    told = read([Part(part) for part in parts], lambda parts: True)
    assert told is None or isinstance(told, Message)


def json_text(content: Any) -> str:
    return json.dumps(content)


def v1(channel: bytes, header: Any, metadata: Any) -> bytes:
    parts = [channel, json.dumps(header).encode(), b"{}", json.dumps(metadata).encode(), b"{}"]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)


HEADER = {"msg_type": "execute_request", "msg_id": "r1", "session": "page"}


@pytest.mark.parametrize(
    "message",
    [
        json_text({"channel": "shell", "header": HEADER, "metadata": {"cellId": "c1"}, "x": 1}),
        v1(b"shell", HEADER, {"cellId": "c1", "deletedCells": []}),
    ],
    ids=["text", "v1"],
)
def test_the_cell_of_a_request_is_read_in_both_protocols(message: str | bytes) -> None:
    told = requested(message)
    assert told is not None
    assert (told.id, told.cell_id, told.session) == ("r1", "c1", "page")


@pytest.mark.parametrize(
    "message",
    [
        v1(b"control", HEADER, {"cellId": "c1"}),
        v1(b"shell", {**HEADER, "msg_type": "kernel_info_request"}, {"cellId": "c1"}),
        v1(b"shell", HEADER, {}),
        v1(b"shell", {**HEADER, "msg_id": ""}, {"cellId": "c1"}),
        v1(b"shell", {**HEADER, "msg_id": "r" * 201}, {"cellId": "c1"}),
        v1(b"shell", HEADER, {"cellId": "c" * 201}),
        json_text({"channel": "control", "header": HEADER, "metadata": {"cellId": "c1"}}),
        v1(b"shell", HEADER, {"cellId": "c" * 5000}),
        json_text({"channel": "shell", "header": HEADER, "metadata": {"cellId": 5}}),
        json_text([]),
        "",
        b"",
        b"\xff" * 100,
        struct.pack("<Q", 10**18) + b"x" * 100,
    ],
)
def test_other_messages_of_pages_name_no_cell(message: str | bytes) -> None:
    assert requested(message) is None


def test_ids_of_pages_are_read_up_to_a_length() -> None:
    header = {**HEADER, "msg_id": "r" * 200, "session": "s" * 300}
    told = requested(v1(b"shell", header, {"cellId": "c" * 200}))
    assert told == Request("r" * 200, "c" * 200, "s" * 200)


def test_a_page_that_names_no_channel_means_that_of_executions() -> None:
    told = requested(json_text({"header": HEADER, "metadata": {"cellId": "c1"}}))
    assert told == Request("r1", "c1", "page")


def test_a_message_of_a_page_that_is_cut_short_breaks_nothing() -> None:
    whole = v1(b"shell", HEADER, {"cellId": "c1"})
    for end in range(len(whole) - 2):  # the content is not looked at
        assert requested(whole[:end]) is None
    for count in (0, 5, 7, 1000, 1001):
        # So many parts are announced, and there are not as many.
        assert requested(struct.pack("<Q", count) + b"\0" * 8 * (count - 1)) is None


@pytest.mark.parametrize(("count", "is_read"), [(6, True), (1000, True), (1001, False)])
def test_buffers_of_pages_are_allowed_up_to_a_number(count: int, is_read: bool) -> None:
    whole = v1(b"shell", HEADER, {"cellId": "c1"})
    first = struct.unpack_from("<6Q", whole, 8)
    more = 8 * (count - 6)
    offsets = [at + more for at in first] + [len(whole) + more] * (count - 6)
    message = struct.pack(f"<{count + 1}Q", count, *offsets) + whole[first[0] :]
    assert (requested(message) is not None) is is_read


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_no_bytes_break_the_reader_of_pages(message: str | bytes) -> None:
    requested(message)


@pytest.mark.parametrize("name", ["kernel.523aefe9-f250-4e67", "kernel_core.aa07b929bc8d4c51"])
def test_of_kernels_that_are_known_only_what_tells_of_executions_is_heard(name: str) -> None:
    said = name.encode()
    topics = enough(said + b".status")
    assert topics is not None
    for kind in (b".status", b".execute_input", b".error"):
        assert any((said + kind).startswith(topic) for topic in topics)
    for message in (b"stream.stdout", b"display_data", b"comm-1", said + b".execute_result"):
        assert not any(message.startswith(topic) for topic in topics)


def test_what_has_no_topic_is_heard_without_naming_the_delimiter() -> None:
    assert DELIMITER.startswith(WITHOUT_TOPIC)
    assert WITHOUT_TOPIC != DELIMITER


@pytest.mark.parametrize(
    "content",
    [b'{"ename": "E", "evalue": null}', b"{}", b"nonsense", b"[]", b'{"ename": 5}'],
)
def test_an_error_of_which_no_more_can_be_read_is_one(content: bytes) -> None:
    parts = frames("error", {})
    parts[-2] = Part(content)
    told = read(parts, genuine)
    assert told is not None
    assert told.kind == "error"


def test_an_error_may_hold_bytes_that_are_no_text() -> None:
    parts = frames("error", {})
    parts[-2] = Part(b'{"ename": "E", "evalue": "no such file: \xe1.csv"}')
    told = read(parts, genuine)
    assert told == Message("error", "r1", None, "E", "no such file: \ufffd.csv")


def test_what_is_too_large_to_be_read_is_known_all_the_same() -> None:
    for kind, told in (("error", "error"), ("execute_input", "input")):
        parts = frames(kind, {})
        parts[-2] = Part(b" " * 5_000_000)
        message = read(parts, lambda parts: False)
        assert message is not None
        assert (message.kind, message.execution_count) == (told, None)
    parts = frames("status", {})
    parts[-2] = Part(b" " * 5_000_000)
    assert read(parts, genuine) is None


def test_what_is_just_not_too_large_is_read() -> None:
    for size, count in ((4_000_000, 7), (4_000_001, None)):
        parts = frames("execute_input", {})
        parts[-2] = Part(b'{"execution_count": 7}'.ljust(size))
        assert read(parts, genuine) == Message("input", "r1", count)


@pytest.mark.parametrize(
    "topic", [b"", b"status", b"kernel..status", b"kernel.x y.status", b"\xff"]
)
def test_other_kernels_are_heard_in_full(topic: bytes) -> None:
    assert enough(topic) is None
