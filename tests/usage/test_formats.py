"""The kernel's files become figures whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.usage.probes import formats
from jupyter_einfra.usage.probes.formats import Mount

PARSERS: list[Callable[[str], Any]] = [
    formats.parse_mountinfo,
    formats.parse_membership,
    formats.parse_count,
    formats.parse_max,
    formats.parse_cpu_max,
    partial(formats.parse_field, "usage_usec"),
    partial(formats.parse_fields, ("usage_usec", "x")),
    partial(formats.parse_meminfo, ("Cached",)),
    formats.parse_net_dev,
    lambda text: formats.parse_process_stat(os.fsencode(text)),
    lambda text: formats.parse_status_memory(os.fsencode(text)),
]

#: All that a kernel path may hold; what `str.splitlines` splits at is among it.
names = st.text(
    st.characters(exclude_characters="/\n\0", exclude_categories=["Cs"])
    | st.sampled_from(" \t\\#:,\x0b\x0c\x1c\x85\u2028\r"),
    min_size=1,
    max_size=8,
)
paths = st.lists(names, max_size=4).map(lambda parts: "/" + "/".join(parts))
paths_with_line_breaks = st.tuples(paths, st.sampled_from(["", "\n", "a\nb"])).map("".join)
controllers = st.sampled_from(["cpu", "cpuacct", "memory", "cpuset", "name=systemd", "pids"])
numbers = st.integers(0, 2**64 - 1)


def escaped(path: str) -> str:
    """Write a path as the kernel's ``seq_escape`` does."""
    return "".join(f"\\{ord(c):03o}" if c in " \t\n\\#" else c for c in path)


@given(st.lists(st.tuples(paths_with_line_breaks, paths_with_line_breaks, st.none() | controllers)))
def test_mounts_survive_the_kernels_escapes(mounts: list[tuple[str, str, str | None]]) -> None:
    lines = ["22 27 0:21 / /proc rw,relatime - proc proc rw"]
    for root, point, controller in mounts:
        kind = f"cgroup cgroup rw,{controller}" if controller else "cgroup2 cgroup2 rw,nsdelegate"
        place = f"40 31 0:37 {escaped(root)} {escaped(point)} rw,relatime"
        lines.append(f"{place} shared:9 master:1 - {kind}")
    expected = [
        Mount(root, point, frozenset({"rw", c}), 1) if c else Mount(root, point, frozenset(), 2)
        for root, point, c in mounts
    ]
    assert formats.parse_mountinfo("\n".join(lines) + "\n") == expected


@given(st.dictionaries(controllers | st.just(""), paths, min_size=1))
def test_membership_keeps_every_path_as_it_is(membership: dict[str, str]) -> None:
    text = "".join(f"{n}:{c}:{path}\n" for n, (c, path) in enumerate(membership.items()))
    assert formats.parse_membership(text) == membership


def test_controllers_that_share_a_hierarchy_share_its_path() -> None:
    membership = formats.parse_membership("4:cpu,cpuacct:/a:b\n1:name=systemd:/x\n0::/\n")
    assert membership == {"cpu": "/a:b", "cpuacct": "/a:b", "name=systemd": "/x", "": "/"}


@given(st.dictionaries(st.text("abcz_.", min_size=1, max_size=8), numbers, min_size=1))
def test_every_number_of_a_stat_file_is_found_by_its_whole_name(values: dict[str, int]) -> None:
    text = "".join(f"{name} {value}\n" for name, value in values.items())
    for name, value in values.items():
        assert formats.parse_field(name, text) == value
    with pytest.raises(ValueError, match="it has no x"):
        formats.parse_field("x", text)
    with pytest.raises(ValueError, match="middle of a line"):
        formats.parse_field(name, text[:-1])


@given(st.dictionaries(st.text("abcz_.", min_size=1, max_size=8), numbers, min_size=1))
def test_numbers_read_together_are_those_read_alone(values: dict[str, int]) -> None:
    text = "".join(f"{name} {value}\n" for name, value in values.items())
    names = [*values, "x"]
    assert formats.parse_fields(names, text) == [*values.values(), None]
    with pytest.raises(ValueError, match="middle of a line"):
        formats.parse_fields(names, text[:-1])


def test_a_number_that_is_none_counts_as_missing() -> None:
    assert formats.parse_fields(("a", "b", "c"), "a 1\nb x\nc \n") == [1, None, None]


NET_DEV = """Inter-|   Receive                            |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo: 1755068344  665729    0    0    0     0          0         0 1755068344  665729    0
  eth0:2883803813   99155    0    0    0     0          0         3  7982887   66718    0
"""


def test_interfaces_are_told_with_what_they_received_and_sent() -> None:
    assert formats.parse_net_dev(NET_DEV) == {
        "lo": (1755068344, 1755068344),
        "eth0": (2883803813, 7982887),
    }
    with pytest.raises(ValueError, match="middle of a line"):
        formats.parse_net_dev(NET_DEV[:-1])
    with pytest.raises(ValueError, match="unexpected line"):
        formats.parse_net_dev(NET_DEV + "rubbish\n")


@given(
    st.binary(max_size=15).filter(lambda name: b"\0" not in name), st.lists(numbers, min_size=51)
)
def test_a_process_may_have_any_name(name: bytes, values: list[int]) -> None:
    fields = [b"S", *(b"%d" % value for value in values)]
    line = b"7 (" + name + b") " + b" ".join(fields) + b"\n"
    assert formats.parse_process_stat(line)[:22] == fields[:22]
    with pytest.raises(ValueError, match="too soon"):
        formats.parse_process_stat(line[:-1])


def test_memory_that_no_file_backs_is_anonymous_and_shared() -> None:
    text = b"Name:\tx\nRssAnon:\t    1064 kB\nRssFile:\t    7 kB\nRssShmem:\t     8 kB\n"
    assert formats.parse_status_memory(text) == 1072 << 10
    assert formats.parse_status_memory(b"Name:\tx\nVmRSS:\t 12 kB\n") is None


@given(numbers)
def test_a_number_is_read_whole_or_refused(number: int) -> None:
    text = f"{number}\n"
    assert formats.parse_count(text) == number
    for end in range(len(text)):
        with pytest.raises(ValueError, match="middle of a line"):
            formats.parse_count(text[:end])


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_a_cpu_quota_is_read_whole_or_refused(quota: int, period: int) -> None:
    text = f"{quota} {period}\n"
    assert formats.parse_cpu_max(text) == quota / period
    assert formats.parse_cpu_max(f"max {period}\n") is None
    for end in range(len(text)):
        with pytest.raises(ValueError, match="middle of a line"):
            formats.parse_cpu_max(text[:end])


def test_max_means_no_limit_only_when_it_stands_alone() -> None:
    assert formats.parse_max("max\n") is None
    assert formats.parse_max("4294967296\n") == 4294967296
    for text in ("max", "ma\n", "max\nmax\n", "maximum\n", "\n", ""):
        with pytest.raises(ValueError, match=r"whole number|middle"):
            formats.parse_max(text)


@pytest.mark.parametrize(
    "text", ["1_000\n", "+5\n", " 5\n", "5 \n", "0x10\n", "٣\n", "5\n6\n", "-\n", "1" * 400 + "\n"]
)
def test_what_the_kernel_never_writes_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        formats.parse_count(text)


@pytest.mark.parametrize("text", ["0 100000\n", "-1 100000\n", "100 0\n", "100 -1\n", "1\n", "\n"])
def test_a_cpu_quota_that_bounds_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"positive|unpack|whole number"):
        formats.parse_cpu_max(text)


@pytest.mark.parametrize("parse", PARSERS)
@given(
    text=st.text()
    | st.text(st.sampled_from("0123456789 \nmax:,/-\\cgroup_"))
    | st.text(st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF))
)
def test_any_text_is_parsed_or_refused(parse: Callable[[str], Any], text: str) -> None:
    with suppress(ValueError):  # the one thing that callers expect
        parse(text)


@given(st.integers(10**20, 10**400), st.integers(10**20, 10**400))
def test_numbers_too_large_for_the_kernel_are_refused(one: int, other: int) -> None:
    for parse, text in (
        (formats.parse_count, f"{one}\n"),
        (formats.parse_cpu_max, f"{one} {other}\n"),
        (partial(formats.parse_field, "usage_usec"), f"usage_usec {one}\n"),
    ):
        with pytest.raises(ValueError, match="not a whole number"):
            parse(text)


def test_lines_that_are_no_mount_are_passed_over() -> None:
    text = "\n\nrubbish\n1 2 3 / /x rw cgroup2\n1 2 3 / - cgroup2 cgroup2 rw\n"
    assert formats.parse_mountinfo(text) == []


@pytest.mark.parametrize(
    "text", ["4:memory:/kubepods/po", "memory\n", "x:memory:/\n", "4:memory:y\n"]
)
def test_a_membership_cut_short_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"middle of a line|unexpected line"):
        formats.parse_membership(text)


def test_a_mount_table_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="middle of a line"):
        formats.parse_mountinfo("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu")
