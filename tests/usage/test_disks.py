"""Disks are told as they are, and one that hangs holds nothing else up."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from servers.process import wait_until

from jupyter_einfra.usage.models import DiskUsage
from jupyter_einfra.usage.probes.disks import DiskProbe, Place, Space, usual_places

GIB = 1 << 30
#: Longer than any test.
NEVER = 600.0


@dataclass(frozen=True)
class Answer:
    """What a file system says of itself, in GiB."""

    f_blocks: int = 100
    f_bfree: int = 40
    f_bavail: int = 30
    f_frsize: int = GIB


class FileSystems:
    """Stands in for `os.statvfs`; a path may fail, or hang until it is released."""

    def __init__(self, **answers: Answer | Exception) -> None:
        self.answers = answers
        self.hung: dict[str, threading.Event] = {}
        self.asked: list[str] = []

    def statvfs(self, path: str) -> Space:
        self.asked.append(path)
        if (hung := self.hung.get(path)) is not None:
            assert hung.wait(60), "nobody released it"
        answer = self.answers[path]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def hang(self, path: str) -> threading.Event:
        """Let the next questions about a path go unanswered until the event is set."""
        self.hung[path] = threading.Event()
        return self.hung[path]


@contextmanager
def probing(
    systems: FileSystems,
    *places: Place,
    interval_seconds: float = NEVER,
    timeout_seconds: float = NEVER,
) -> Iterator[DiskProbe]:
    probe = DiskProbe(
        places,
        interval_seconds=interval_seconds,
        timeout_seconds=timeout_seconds,
        statvfs=systems.statvfs,
    )
    probe.start()
    try:
        yield probe
    finally:
        for hung in systems.hung.values():
            hung.set()
        probe.stop(10)


def wait_for(probe: DiskProbe, index: int, holds: Callable[[DiskUsage], bool]) -> DiskUsage:
    def look() -> DiskUsage | None:
        told = probe.latest()[index]
        return told if holds(told) else None

    return wait_until("the disk was told so", look, every_seconds=0.005)


def read_once(answer: Answer | Exception, quota_bytes: int | None = None) -> DiskUsage:
    with probing(FileSystems(h=answer), Place("home", "h", quota_bytes)) as probe:
        return wait_for(probe, 0, lambda told: told.time is not None)


def code(usage: DiskUsage) -> str | None:
    return None if usage.reason is None else usage.reason.code


def test_a_file_system_without_quota_is_told_whole_but_for_the_administrators_part() -> None:
    told = read_once(Answer())
    assert (told.used_bytes, told.limit_bytes) == (60 * GIB, 90 * GIB)
    assert (told.name, told.path, told.scope, told.reason) == ("home", "h", "filesystem", None)
    assert told.time is not None
    assert told.time.tzinfo is not None


@pytest.mark.parametrize("total", [80, 100, 105])
def test_a_file_system_no_larger_than_the_quota_is_the_quotas_own(total: int) -> None:
    told = read_once(Answer(total, total - 20, total - 20), 100 * GIB)
    assert (told.used_bytes, told.limit_bytes) == (20 * GIB, min(total, 100) * GIB)
    assert (told.scope, told.reason) == ("quota", None)


def test_of_a_shared_export_nobody_knows_what_is_ours() -> None:
    told = read_once(Answer(106, 40, 40), 100 * GIB)
    assert (told.used_bytes, told.limit_bytes, told.scope) == (None, 100 * GIB, "quota")
    assert told.reason is not None
    assert told.reason.code == "disk_shared"
    assert told.reason.params == {"path": "h", "total_bytes": 106 * GIB}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "disk_missing"),
        (OSError(errno.ESTALE, "Stale file handle"), "disk_unreadable"),
        (PermissionError(errno.EACCES, "Permission denied"), "disk_unreadable"),
        (ValueError("embedded null byte"), "disk_unreadable"),
        (RuntimeError("what nobody thought of"), "disk_unreadable"),
    ],
)
def test_what_cannot_be_asked_is_unknown_and_says_why(error: Exception, expected: str) -> None:
    told = read_once(error)
    assert (told.used_bytes, told.limit_bytes, code(told)) == (None, None, expected)
    assert told.reason is not None
    assert told.reason.params["path"] == "h"
    assert "h" in told.reason.message
    if expected == "disk_unreadable":
        assert told.reason.params["error"] == error.args[-1]


@pytest.mark.parametrize(
    "answer", [Answer(0, 0, 0), Answer(f_frsize=0), Answer(100, 200, 300), Answer(1, 0, 2**63)]
)
def test_a_file_system_that_talks_nonsense_gives_no_nonsense(answer: Answer) -> None:
    told = read_once(answer)
    if told.used_bytes is None:
        assert code(told) == "disk_no_figures"
    else:
        assert told.limit_bytes is not None
        assert 0 <= told.used_bytes <= told.limit_bytes <= 300 * GIB


def test_a_place_of_any_name_can_be_sent() -> None:
    name = os.fsdecode(b"/r\xe9s{path}%s\n") + "\ud800" + "x" * 5000
    with probing(FileSystems(**{name: OSError(5, "I/O error")}), Place("home", name)) as probe:
        told = wait_for(probe, 0, lambda told: told.time is not None)
    assert len(msgspec.json.encode(told)) < 8192
    assert told.path.startswith("/r\ufffds{path}%s\n\ufffd")


def test_before_the_first_answer_a_disk_is_awaited() -> None:
    systems = FileSystems(h=Answer())
    hung = systems.hang("h")
    with probing(systems, Place("home", "h", 5)) as probe:
        (told,) = probe.latest()
        assert (told.used_bytes, told.time, code(told)) == (None, None, "disk_starting")
        hung.set()
        wait_for(probe, 0, lambda told: code(told) == "disk_shared")


def test_a_disk_that_hangs_is_told_and_holds_nothing_else_up() -> None:
    systems = FileSystems(h=Answer(), t=Answer(50, 50, 50))
    home, tmp = Place("home", "h"), Place("tmp", "t")
    with probing(systems, home, tmp, interval_seconds=0.01, timeout_seconds=0.2) as probe:
        well = wait_for(probe, 0, lambda told: told.reason is None)
        hung = systems.hang("h")
        told = wait_for(probe, 0, lambda told: told.reason is not None)
        assert (told.used_bytes, told.limit_bytes) == (None, well.limit_bytes)
        assert told.time is not None  # the last answer's
        assert told.reason is not None
        assert told.reason.code == "disk_not_answering"
        assert told.reason.params.keys() == {"path", "since", "seconds"}
        # The other one goes on.
        systems.answers["t"] = Answer(50, 20, 20)
        wait_for(probe, 1, lambda told: told.used_bytes == 30 * GIB)
        assert code(probe.latest()[0]) == "disk_not_answering"
        # And so does this one, once its call returns.
        systems.answers["h"] = Answer(100, 90, 90)
        del systems.hung["h"]
        hung.set()
        assert wait_for(probe, 0, lambda told: told.reason is None).used_bytes == 10 * GIB


def test_an_answer_does_not_go_stale_between_questions() -> None:
    systems = FileSystems(h=Answer())
    with probing(systems, Place("home", "h"), timeout_seconds=0) as probe:
        wait_for(probe, 0, lambda told: told.reason is None)
    assert systems.asked == ["h"]


def test_a_hung_disk_does_not_keep_the_server_from_stopping() -> None:
    systems = FileSystems(h=Answer())
    systems.hang("h")
    with probing(systems, Place("home", "h")) as probe:
        wait_until("it was asked", lambda: systems.asked == ["h"])
        probe.stop(0.01)  # returns, though the thread cannot
        assert all(t.daemon for t in threading.enumerate() if t.name.startswith("einfra-disk"))


def test_a_disk_is_asked_once_per_interval_however_often_it_is_looked_at() -> None:
    systems = FileSystems(h=Answer())
    with probing(systems, Place("home", "h")) as probe:
        wait_for(probe, 0, lambda told: told.reason is None)
        for _ in range(50):
            probe.latest()
        assert systems.asked == ["h"]
    assert not [t for t in threading.enumerate() if t.name == "einfra-disk-home"]


def test_a_disk_is_asked_again_and_its_figures_follow() -> None:
    systems = FileSystems(h=FileNotFoundError())
    with probing(systems, Place("home", "h"), interval_seconds=0.01) as probe:
        wait_for(probe, 0, lambda told: code(told) == "disk_missing")
        systems.answers["h"] = Answer()
        wait_for(probe, 0, lambda told: told.used_bytes == 60 * GIB)


def test_a_probe_that_never_started_can_be_stopped_and_asked() -> None:
    probe = DiskProbe([Place("tmp", "/tmp")])
    probe.stop()
    assert code(probe.latest()[0]) == "disk_starting"


def test_real_places_are_told_as_df_tells_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    home, tmp = usual_places(home_quota_bytes=None, tmp_quota_bytes=None)
    assert (home.name, home.path, tmp.name) == ("home", str(tmp_path), "tmp")
    probe = DiskProbe([home, tmp, Place("home", str(tmp_path / "none"))])
    probe.start()
    told = wait_for(probe, 0, lambda told: told.time is not None)
    missing = wait_for(probe, 2, lambda told: told.time is not None)
    probe.stop(10)
    expected = os.statvfs(tmp_path)
    assert told.reason is None
    assert told.used_bytes == pytest.approx(
        (expected.f_blocks - expected.f_bfree) * expected.f_frsize, rel=0.05
    )
    assert told.limit_bytes is not None
    assert told.limit_bytes <= expected.f_blocks * expected.f_frsize
    assert code(missing) == "disk_missing"


def test_without_a_writable_temporary_folder_there_is_still_a_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr("tempfile.gettempdir", refuse)
    assert usual_places(tmp_quota_bytes=7)[1] == Place("tmp", "/tmp", 7)
