"""When to look who uses memory, whom a warning names, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from servers.samples import GIB, sample

from jupyter_einfra.models import Notice
from jupyter_einfra.usage.alerts.alerts import LOOK_SECONDS, LOSER_SECONDS, Alerts
from jupyter_einfra.usage.alerts.deaths import Death
from jupyter_einfra.usage.alerts.losses import NOTICED_SECONDS
from jupyter_einfra.usage.alerts.warnings import Thresholds
from jupyter_einfra.usage.figures import CpuReading, Limit, MemoryReading, NetworkReading
from jupyter_einfra.usage.models import Program
from jupyter_einfra.usage.probes.driver import GpuReading
from jupyter_einfra.usage.sampler import Taken

BEGUN = datetime(2026, 11, 20, tzinfo=timezone.utc)
LIMIT = Limit(16 * GIB, "cgroup")


def program(kind: Any, name: str, gib: float, processes: int = 1) -> Program:
    return Program(
        kind=kind,
        id=name,
        name=name,
        path=None,
        language=None,
        pid=None,
        cpu_cores=0.0,
        memory_bytes=int(gib * GIB),
        processes=processes,
        threads=1,
        gpu_memory_bytes=None,
        gpu_reason=None,
        state=None,
        since=None,
        reason=None,
    )


class Story:
    """What a board shows while samples come, one a second."""

    def __init__(self) -> None:
        self.board: dict[str, Notice] = {}
        self.now = 0.0
        self.alerts = Alerts(
            board=self,
            record=lambda event: None,
            on_cause=lambda cause: None,
            thresholds=Thresholds(),
        )

    def post(self, notice: Notice) -> None:
        self.board[notice.id] = notice

    def withdraw(self, notice_id: str) -> None:
        self.board.pop(notice_id, None)

    @property
    def codes(self) -> list[str]:
        return [notice.code for notice in self.board.values()]

    def tell(self, used_gib: float, programs: Sequence[Program] = (), oom_kills: int = 0) -> bool:
        """Take a sample, after a look at the programs if one is wanted; return whether it was."""
        self.now += 1.0
        told = sample(used_gib)
        used = int(used_gib * GIB)
        memory = msgspec.structs.replace(
            told.memory,
            working_set_bytes=used,
            unreclaimable_bytes=used,
            limit_bytes=16 * GIB,
            oom_kills=oom_kills,
        )
        told = msgspec.structs.replace(
            told, time=BEGUN + timedelta(seconds=self.now), memory=memory
        )
        is_wanted = self.alerts.wants_look(memory, self.now)
        if is_wanted:
            self.alerts.on_look(programs, memory, self.now)
        reading = MemoryReading(used, LIMIT, "container", "cgroup-v2", oom_kills=oom_kills)
        taken = Taken(
            told,
            CpuReading(self.now, None, LIMIT, "container", "cgroup-v2", "/"),
            reading,
            NetworkReading(self.now, None, None, "container"),
            GpuReading([], told.gpu_status),
        )
        self.alerts.on_sample(taken, self.now)
        return is_wanted

    def die(self, kernel_id: str, exit_code: int = -9) -> None:
        death = Death(BEGUN, kernel_id, kernel_id, kernel_id, exit_code, gave_up=False)
        self.alerts.on_death(death, self.now)


KERNELS = [program("kernel", "train.ipynb", 12), program("server", "server", 0.2)]


def test_who_fills_the_memory_is_looked_up_before_it_is_told() -> None:
    story = Story()
    assert not story.tell(1, KERNELS)
    assert story.tell(15, KERNELS)
    (notice,) = story.board.values()
    assert (notice.code, notice.params["name"]) == ("memory_high", "train.ipynb")


def test_memory_that_grows_is_worth_a_look_and_memory_that_stays_is_not() -> None:
    story = Story()
    assert [story.tell(gib) for gib in (9, 9.1, 9.5, 10, 10)] == [True, False, False, True, False]
    # Down, and up again by something else.
    assert [story.tell(gib) for gib in (8.5, 9.5)] == [False, True]


def test_memory_that_stays_short_is_looked_at_now_and_then() -> None:
    story = Story()
    looks = [story.tell(14) for _ in range(40)]
    assert looks[0]
    assert looks.count(True) == 40 / LOOK_SECONDS


@pytest.mark.parametrize(("kernel_gib", "named"), [(12, "train.ipynb"), (2, "Other programs")])
def test_others_are_named_where_our_own_programs_do_not_explain_it(
    kernel_gib: float, named: str
) -> None:
    story = Story()
    others = program("other", "Other programs", 30)
    story.tell(15, [others, program("kernel", "train.ipynb", kernel_gib)])
    (notice,) = story.board.values()
    assert notice.params["name"] == named


def test_nobody_is_named_where_others_are_not_listed_and_may_be_it() -> None:
    story = Story()
    story.tell(15, [program("kernel", "small.ipynb", 1), program("server", "server", 0.2)])
    (notice,) = story.board.values()
    assert notice.kernel_id is None
    assert "name" not in notice.params


def test_a_warning_is_over_with_the_kernel_that_it_names() -> None:
    story = Story()
    story.tell(15, KERNELS)
    story.die("train.ipynb")
    story.tell(3, KERNELS, oom_kills=1)
    assert story.codes == ["kernel_out_of_memory"]
    story.tell(15, KERNELS, oom_kills=1)  # and again
    assert sorted(story.codes) == ["kernel_out_of_memory", "memory_high"]


def test_a_warning_is_not_over_with_another_kernel() -> None:
    story = Story()
    story.tell(15, KERNELS)
    story.die("other.ipynb", exit_code=1)
    story.tell(3, KERNELS)
    assert sorted(story.codes) == ["kernel_exited", "memory_high"]


def lose_a_process(story: Story, before_seconds: float) -> Notice:
    kernel = program("kernel", "train.ipynb", 12, processes=2)
    story.tell(12, [kernel])
    story.now += before_seconds
    story.tell(3, [msgspec.structs.replace(kernel, processes=1)], oom_kills=1)
    story.now += NOTICED_SECONDS
    story.tell(3, oom_kills=1)
    (notice,) = story.board.values()
    assert notice.code == "process_out_of_memory"
    return notice


def test_who_lost_a_process_is_named() -> None:
    assert lose_a_process(Story(), 0).params["name"] == "train.ipynb"


def test_a_look_of_long_ago_names_nobody() -> None:
    assert "name" not in lose_a_process(Story(), LOSER_SECONDS).params


def test_a_death_noticed_late_takes_back_what_was_told_of_its_kill() -> None:
    story = Story()
    lose_a_process(story, 0)
    story.now += 3
    story.die("train.ipynb")
    story.tell(3, oom_kills=1)
    assert story.codes == ["kernel_out_of_memory"]


def test_what_another_kill_did_is_not_taken_back() -> None:
    story = Story()
    first = lose_a_process(story, 0)
    for _ in range(80):
        story.tell(3, oom_kills=1)
    story.tell(3, oom_kills=2)
    story.die("train.ipynb")
    story.tell(3, oom_kills=2)
    assert sorted(story.codes) == ["kernel_out_of_memory", "process_out_of_memory"]
    assert first.id in story.board


@pytest.mark.parametrize("exit_code", [-11, 1])
def test_a_death_that_was_no_kill_takes_nothing_back(exit_code: int) -> None:
    story = Story()
    lose_a_process(story, 0)
    story.die("train.ipynb", exit_code)
    story.tell(3, oom_kills=1)
    assert "process_out_of_memory" in story.codes
    assert len(story.codes) == 2
