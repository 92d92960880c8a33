"""What is told of memory that runs out, of programs that die and of a server that was killed.

Real servers and kernels in real control groups, and the system's own killer.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil
import pytest
from servers import filesystems
from servers.events import HeldStream
from servers.filesystems import NoFilesystemError
from servers.groups import Groups, joining
from servers.kernels import HOLDING, NotebookKernel
from servers.lab import LabServer
from servers.limited import MIB, LimitedServer
from servers.process import wait_until

#: Of the groups: a bare server and a kernel or two take a third of it.
LIMIT = 400 * MIB

#: What the server says comes with a sample, of which there is one in ten seconds at
#: least; a kernel's death is noticed within three.
TOLD_SECONDS = 40.0

Notice = dict[str, Any]


@pytest.fixture
def limited(tmp_path: Path, groups: Groups) -> Iterator[LimitedServer]:
    made = LimitedServer(
        lambda groups: LabServer(tmp_path, app="server", groups=groups), groups, memory_bytes=LIMIT
    )
    with made.lab:
        yield made


def listening(lab: LabServer, topics: str = "notices") -> HeldStream:
    """Follow a server; notices alone do not make it sample faster."""
    return HeldStream(lab.url, lab.token, topics)


def notices(stream: HeldStream) -> list[Notice]:
    """Everything that holds now."""
    told: list[Notice] = stream.wait_for("notices")["notices"]
    return told


def wait_for_notice(
    stream: HeldStream, code: str, wanted: Callable[[Notice], object] = lambda notice: True
) -> Notice:
    try:
        return wait_until(
            f"the server told of {code}",
            lambda: next((n for n in notices(stream) if n["code"] == code and wanted(n)), None),
            within_seconds=TOLD_SECONDS,
        )
    except TimeoutError as error:
        raise AssertionError(f"{error} It told: {notices(stream)}") from None


def history(lab: LabServer) -> dict[str, Any]:
    answer: dict[str, Any] = (
        lab.api("GET", "jupyter-einfra/usage/history", params={"resolution": "1"})
        .raise_for_status()
        .json()
    )
    return answer


def seconds_kept(lab: LabServer) -> set[int]:
    """Moments of which the history knows the memory in use."""
    told = history(lab)
    since = datetime.fromisoformat(told["since"].replace("Z", "+00:00")).timestamp()
    means = told["memory_working_set_bytes"]["mean"]
    return {
        round(since + offset)
        for offset, mean in zip(told["offsets_seconds"], means, strict=True)
        if mean is not None
    }


def metric(lab: LabServer, name: str) -> float:
    line = re.search(rf"^{re.escape(name)} (\S+)$", lab.api("GET", "metrics").text, re.MULTILINE)
    assert line, name
    return float(line[1])


def test_memory_that_fills_up_is_told_with_who_fills_it(limited: LimitedServer) -> None:
    with listening(limited.lab, "usage,notices") as stream:
        NotebookKernel(limited.lab, "small.ipynb").do("pass")
        kernel = NotebookKernel(limited.lab, "data/train.ipynb")
        kernel.do(HOLDING)
        kernel.run("import time\nfor _ in range(200): hold(2); time.sleep(0.1)")
        wait_until("it fills up", lambda: limited.missing_bytes(0.6) <= 0)
        wait_until("it told", lambda: bool(notices(stream)))
        wait_until("it is nearly full", lambda: limited.missing_bytes(0.95) <= 0)
        kernel.ask("interrupt")
        high = wait_for_notice(stream, "memory_high")
        told = [event["notices"][0] for event in stream.events("notices") if event["notices"]]
        assert {notice["id"] for notice in told} == {high["id"]}
        assert {notice["code"] for notice in told} <= {"memory_trend", "memory_high"}
        for notice in told:
            assert notice["params"]["name"] == "train.ipynb"
            assert (notice["kernel_id"], notice["path"]) == (kernel.id, "data/train.ipynb")
            assert notice["params"]["limit_bytes"] == LIMIT
            assert "train.ipynb uses" in notice["message"]
        assert high["params"]["used_bytes"] >= 0.9 * LIMIT
        assert [event["code"] for event in history(limited.lab)["events"]] == [told[0]["code"]]


def test_who_fills_the_memory_is_known_at_once_though_nobody_looked(limited: LimitedServer) -> None:
    with listening(limited.lab) as stream:
        stream.wait_for("notices")
        kernel = NotebookKernel(limited.lab, "train.ipynb")
        limited.fill(kernel, 0.93)
        wait_until("the server told", lambda: bool(notices(stream)))
        first = next(event for event in stream.events("notices") if event["notices"])["notices"][0]
    assert (first["code"], first["kernel_id"]) == ("memory_high", kernel.id)
    assert first["params"]["name"] == "train.ipynb"
    assert first["params"]["kernel_bytes"] > 0.5 * LIMIT


def test_a_kernel_killed_for_want_of_memory_in_its_first_cell_is_told_why(
    limited: LimitedServer,
) -> None:
    deaths = 'jupyter_einfra_kernel_deaths_total{cause="out-of-memory"}'
    with listening(limited.lab) as stream:
        other = NotebookKernel(limited.lab, "other.ipynb")
        kernel = NotebookKernel(limited.lab, "train.ipynb")
        assert metric(limited.lab, deaths) == 0
        kernel.run(f"{HOLDING}\nwhile True: hold(16)")
        notice = wait_for_notice(stream, "kernel_out_of_memory")
        assert [n for n in notices(stream) if n["code"].startswith("kernel_")] == [notice]
        assert (notice["kernel_id"], notice["path"]) == (kernel.id, "train.ipynb")
        assert notice["params"]["limit_bytes"] == LIMIT
        assert notice["params"]["restarted"] == 1
        assert "reached 400 of 400 MiB" in notice["message"]
        assert "started anew" in notice["message"]
        assert metric(limited.lab, deaths) == 1
        assert metric(limited.lab, "jupyter_einfra_memory_oom_kills_total") == 1
        kept = [e for e in history(limited.lab)["events"] if e["code"] == "kernel_out_of_memory"]
        assert [event["message"] for event in kept] == [notice["message"]]
        other.do("pass")
        wait_until("it was started anew", lambda: kernel.process() is not None)


def test_a_process_that_a_kernel_started_and_lost_is_told(limited: LimitedServer) -> None:
    with listening(limited.lab, "usage,notices") as stream:
        NotebookKernel(limited.lab, "other.ipynb")
        kernel = NotebookKernel(limited.lab, "train.ipynb")
        kernel.do(
            "import subprocess, sys\n"
            f"program = {HOLDING!r} + 'import time\\nwhile True: hold(16); time.sleep(0.25)'\n"
            "assert subprocess.run([sys.executable, '-c', program]).returncode == -9"
        )
        notice = wait_for_notice(stream, "process_out_of_memory")
        assert notice["params"]["name"] == "train.ipynb"
        assert not [n for n in notices(stream) if n["code"].startswith("kernel_")]
        kernel.do("pass")


def test_a_kernel_that_dies_otherwise_is_told_how_and_a_users_own_act_is_not(
    limited: LimitedServer,
) -> None:
    with listening(limited.lab) as stream:
        restarted, ended = (NotebookKernel(limited.lab, f"{name}.ipynb") for name in "ab")
        crashes, leaves, is_shot = (NotebookKernel(limited.lab, f"{name}.ipynb") for name in "cde")
        restarted.ask("restart")
        limited.lab.api("DELETE", f"api/kernels/{ended.id}").raise_for_status()
        crashes.run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
        leaves.run("import os; os._exit(3)")
        process = is_shot.process()
        assert process is not None
        process.kill()
        crash = wait_for_notice(stream, "kernel_crashed")
        leave = wait_for_notice(stream, "kernel_exited")
        shot = wait_for_notice(stream, "kernel_killed")
        assert len(notices(stream)) == 3
    assert (crash["path"], crash["params"]["signal_name"]) == ("c.ipynb", "SIGSEGV")
    assert (leave["path"], leave["params"]["exit_code"]) == ("d.ipynb", 3)
    assert (shot["path"], shot["params"]["memory_known"]) == ("e.ipynb", 1)


@pytest.mark.parametrize("share", [0.98, 0.0], ids=["full", "with room"])
def test_a_container_that_was_killed_is_explained_when_it_is_back(
    limited: LimitedServer, share: float
) -> None:
    lab = limited.lab
    begun = datetime.now(timezone.utc)
    with listening(lab, "usage-details"):
        NotebookKernel(lab, "other.ipynb")
        kernel = NotebookKernel(lab, "data/train.ipynb")
        limited.fill(kernel, share)
        if share:
            limited.wait_for_last_words(0.97)
        limited.wait_for_names("other.ipynb", "data/train.ipynb")
        limited.kill()
    words = limited.last_words()
    lab.start()
    with listening(lab, "usage-details,notices") as stream:
        code = "previous_run_out_of_memory" if share else "previous_run_killed"
        notice = wait_for_notice(stream, code)
        run = wait_until("it told", lambda: stream.wait_for("usage-details")["previous_run"])
    assert set(notice["params"]["kernels"].split(", ")) == {"data/train.ipynb", "other.ipynb"}
    assert run["ending"] == ("out-of-memory" if share else "killed")
    assert begun < datetime.fromisoformat(run["ended"].replace("Z", "+00:00"))
    if share:
        assert "of 400 MiB" in notice["message"]
        assert {int(word.at_seconds) for word in words} <= seconds_kept(lab)


def test_a_server_that_was_asked_to_stop_has_nothing_to_explain(limited: LimitedServer) -> None:
    with listening(limited.lab) as stream:
        stream.wait_for("notices")
        NotebookKernel(limited.lab, "train.ipynb").do("pass")
    limited.lab.restart()
    with listening(limited.lab, "usage-details,notices") as stream:
        run = wait_until("it told", lambda: stream.wait_for("usage-details")["previous_run"])
        assert run["ending"] == "stopped"
        assert notices(stream) == []


BALLAST = """
import sys
kept = []
for line in sys.stdin:
    kept.append(b"x" * int(line))
    print(flush=True)
"""


@contextmanager
def ballast(limited: LimitedServer, share: float) -> Iterator[None]:
    """Fill the memory from beside the server, whatever becomes of that."""
    command = joining([limited.group], [sys.executable, "-c", BALLAST])
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1) as heavy:
        assert heavy.stdin is not None
        assert heavy.stdout is not None
        try:
            while (missing := limited.missing_bytes(share)) > 0:
                heavy.stdin.write(f"{missing}\n")
                heavy.stdout.readline()
            yield
        finally:
            heavy.kill()


def test_a_server_killed_again_and_again_loses_nothing_that_it_wrote(
    limited: LimitedServer,
) -> None:
    lab, spoken = limited.lab, set[int]()

    def words_of_late() -> int:
        latest = max(limited.last_words(), key=lambda word: word.at_seconds, default=None)
        begun = psutil.Process(lab.pid).create_time()
        return sum(
            word.at_seconds >= begun and latest is not None and word.run == latest.run
            for word in limited.last_words()
        )

    for rounds in range(1, 7):
        wait_until("the history was read", lambda: history(lab)["reason"] is None)
        assert spoken <= seconds_kept(lab)
        endings = [run["ending"] for run in history(lab)["runs"]]
        assert len(endings) == rounds
        assert set(endings[:-1]) <= {"killed", "out-of-memory"}
        files = {path.name for path in limited.state.glob("usage*")} - {"usage.sqlite-journal"}
        assert files == {"usage.sqlite", "usage.lock", "usage.last-words"}
        with ballast(limited, 0.93), listening(lab, "usage"):
            wait_until("it speaks its last words", lambda: words_of_late() >= 2)
            assert lab.stop(with_signal=signal.SIGKILL) == -signal.SIGKILL
        spoken |= {int(word.at_seconds) for word in limited.last_words()}
        lab.start()


def test_of_two_servers_on_one_home_the_second_waits_for_the_file(tmp_path: Path) -> None:
    first, second = (LabServer(tmp_path, app="server") for _ in "ab")

    def reason(stream: HeldStream) -> str | None:
        told = stream.wait_for("usage-details")["history_reason"]
        return None if told is None else str(told["code"])

    with first, listening(first, "usage-details") as stream:
        wait_until("the first keeps its history", lambda: reason(stream) is None)
        second.start()
        try:
            with listening(second, "usage-details,notices") as others:
                wait_until(
                    "the second does not", lambda: reason(others) == "history_in_memory_second"
                )
                assert reason(stream) is None
                assert notices(others) == []
                wait_until(
                    "both remember", lambda: bool(seconds_kept(first) and seconds_kept(second))
                )
                mine = seconds_kept(second)
                first.stop()
                wait_until("the second took over", lambda: reason(others) is None)
                assert mine <= seconds_kept(second)
        finally:
            second.stop()


def test_a_cpu_limit_that_holds_programs_back_is_told(tmp_path: Path, groups: Groups) -> None:
    env = {"JUPYTER_EINFRA_USAGE_WARN_THROTTLED_SECONDS": "4"}
    limited = LimitedServer(
        lambda groups: LabServer(tmp_path, app="server", groups=groups, env=env),
        groups,
        memory_bytes=LIMIT,
        cores=0.5,
    )
    with limited.lab as lab, listening(lab, "usage,notices") as stream:
        NotebookKernel(lab, "train.ipynb").run("while True: pass")
        share = wait_until(
            "programs are held back",
            lambda: stream.wait_for("usage")["cpu"]["throttled_share"] or None,
        )
        assert share <= 1
        notice = wait_for_notice(stream, "cpu_throttled")
        assert notice["severity"] == "info"
        assert notice["params"]["limit_cores"] == 0.5
        assert notice["params"]["throttled_share"] >= 0.25
        assert metric(lab, "jupyter_einfra_cpu_throttled_seconds_total") > 0


def test_a_home_that_is_nearly_full_is_told(tmp_path: Path) -> None:
    size = 64 * MIB
    try:
        with filesystems.small(tmp_path / "home", size) as home:
            (home / "ballast").write_bytes(bytes(int(0.97 * size)))
            with LabServer(tmp_path, app="server") as lab, listening(lab) as stream:
                notice = wait_for_notice(
                    stream, "disk_full", lambda n: n["params"]["disk"] == "home"
                )
    except NoFilesystemError as reason:
        pytest.skip(str(reason))
    assert notice["params"]["path"] == str(tmp_path / "home")
    assert notice["params"]["used_bytes"] >= 0.97 * size
    assert notice["params"]["limit_bytes"] == size
