"""Warnings come before the harm, once, and neither flap nor chatter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.samples import GIB, SHARED, SLICE, WHOLE, sample

from jupyter_einfra.models import Notice
from jupyter_einfra.usage.alerts.shortages import Throttling
from jupyter_einfra.usage.alerts.trend import Trend
from jupyter_einfra.usage.alerts.warnings import Thresholds, Watch
from jupyter_einfra.usage.models import GpuUsage, Program, UsageSnapshot

START = datetime(2026, 11, 20, 3, 0, tzinfo=timezone.utc)
LIMIT = 16 * GIB
QUIET = sample(1.0)

KERNEL = Program(
    kind="kernel",
    id="k1",
    name="train.ipynb",
    path="work/train.ipynb",
    language="python3",
    pid=7,
    cpu_cores=1.0,
    memory_bytes=12 * GIB,
    processes=1,
    threads=8,
    gpu_memory_bytes=None,
    gpu_reason=None,
    state="busy",
    since=START,
    reason=None,
)
TERMINAL = msgspec.structs.replace(KERNEL, kind="terminal", id="1", name="terminal 1", path=None)


class Story:
    """A watch that is told one figure after the other, in time."""

    def __init__(self, biggest: Program | None = KERNEL, **thresholds: float) -> None:
        self.watch = Watch(Thresholds(**thresholds))
        self.biggest = biggest
        self.now = 1000.0
        self.notices: list[Notice] = []
        self.pushes = 0
        """How often what is shown changed."""

    def tell(self, told: UsageSnapshot, seconds: float = 1.0) -> list[Notice]:
        self.now += seconds
        moment = START + timedelta(seconds=self.now - 1000)
        before = self.notices
        told = msgspec.structs.replace(told, time=moment)
        self.notices = self.watch.update(told, self.biggest, self.now)
        self.pushes += before != self.notices
        return self.notices

    def memory(self, *gibs: float, seconds: float = 1.0) -> list[Notice]:
        for gib in gibs:
            self.tell(with_memory(gib), seconds)
        return self.notices

    def only(self, code: str) -> Notice:
        (notice,) = self.notices
        assert notice.code == code
        return notice


def with_memory(gib: float | None, **also: Any) -> UsageSnapshot:
    used = None if gib is None else round(gib * GIB)
    figures = {"working_set_bytes": used, "unreclaimable_bytes": used, **also}
    return msgspec.structs.replace(QUIET, memory=msgspec.structs.replace(QUIET.memory, **figures))


def throttled(share: float | None, used: float | None = 1.8) -> UsageSnapshot:
    cpu = msgspec.structs.replace(QUIET.cpu, throttled_share=share, used_cores=used)
    return msgspec.structs.replace(QUIET, cpu=cpu)


def with_disk(
    used: float | None, limit: float | None = 100.0, scope: Any = "quota"
) -> UsageSnapshot:
    disk = msgspec.structs.replace(
        QUIET.disks[0],
        used_bytes=None if used is None else round(used * GIB),
        limit_bytes=None if limit is None else round(limit * GIB),
        scope=scope,
    )
    return msgspec.structs.replace(QUIET, disks=[disk])


def with_gpus(*gpus: GpuUsage) -> UsageSnapshot:
    return msgspec.structs.replace(QUIET, gpus=list(gpus))


def gpu(utilization: float | None, of: GpuUsage = WHOLE) -> UsageSnapshot:
    source = None if utilization is None else "nvml"
    return with_gpus(
        msgspec.structs.replace(of, utilization=utilization, utilization_source=source)
    )


# --- memory ---------------------------------------------------------------------------


def test_memory_near_its_limit_names_the_biggest_kernel_and_offers_to_interrupt_it() -> None:
    story = Story()
    assert story.memory(14.3) == []
    story.memory(14.5)
    notice = story.only("memory_high")
    assert notice.params == {
        "used_bytes": round(14.5 * GIB),
        "limit_bytes": LIMIT,
        "name": "train.ipynb",
        "kernel_bytes": 12 * GIB,
    }
    assert (notice.kernel_id, notice.path) == ("k1", "work/train.ipynb")
    assert notice.severity == "warning"
    assert notice.message == (
        "Memory: 14.5 of 16 GiB in use. At the limit programs are killed. "
        "train.ipynb uses 12.0 GiB. Interrupt it or save your work."
    )


def test_a_program_that_is_no_kernel_is_named_and_not_offered() -> None:
    story = Story(biggest=TERMINAL)
    story.memory(15)
    notice = story.only("memory_high")
    assert notice.params["name"] == "terminal 1"
    assert (notice.kernel_id, notice.path) == (None, None)
    assert "Interrupt" not in notice.message


def test_what_is_not_known_of_programs_is_left_out() -> None:
    story = Story(biggest=None)
    story.memory(15)
    assert story.only("memory_high").params == {"used_bytes": 15 * GIB, "limit_bytes": LIMIT}
    story = Story(biggest=msgspec.structs.replace(KERNEL, memory_bytes=None))
    story.memory(15)
    assert "kernel_bytes" not in story.only("memory_high").params


def test_file_cache_is_no_danger() -> None:
    story = Story()
    assert story.tell(with_memory(15.9, unreclaimable_bytes=3 * GIB)) == []
    # Where what can be taken back is not known, all of it counts.
    assert story.tell(with_memory(15.9, unreclaimable_bytes=None)) != []


def test_without_a_limit_there_is_no_warning() -> None:
    story = Story()
    for limit in (None, 0):
        assert story.tell(with_memory(15.9, limit_bytes=limit)) == []
    assert not story.watch.needs_fast_pace()


def test_it_is_over_when_memory_stayed_low_for_a_while() -> None:
    story = Story()
    story.memory(15)
    first = story.only("memory_high").id
    story.memory(*[13.7] * 30)
    assert story.only("memory_high").id == first, "between the two marks nothing changes"
    story.memory(*[13.0] * 10)
    story.only("memory_high")
    assert story.memory(13.0) == []
    story.memory(15)
    assert story.only("memory_high").id != first


def test_what_is_about_to_be_lost_is_told_at_once_and_in_red() -> None:
    story = Story()
    story.memory(14.5)
    warned = story.only("memory_high")
    story.memory(15.6)
    urgent = story.only("memory_high")
    assert (urgent.severity, urgent.id, urgent.time) == ("error", warned.id, warned.time)
    story.memory(*[15.3] * 15)
    assert story.only("memory_high").severity == "error", "no flapping between the colours"
    story.memory(*[15.0] * 15)
    assert story.only("memory_high").severity == "warning"


def test_the_figures_of_a_standing_warning_are_renewed_sparingly() -> None:
    story = Story()
    story.memory(14.5)
    story.memory(*[14.5 + 0.05 * (i % 8) for i in range(60)])
    assert 1 < story.pushes <= 7
    pushes = story.pushes
    used = story.only("memory_high").params["used_bytes"]
    assert isinstance(used, int)
    story.memory(*[used / GIB + 0.001 * (i % 3) for i in range(60)])
    assert story.pushes == pushes, "what looks the same is not pushed"


def test_memory_that_cannot_be_read_any_more_is_not_warned_of_for_ever() -> None:
    story = Story()
    story.memory(15)
    for _ in range(50):
        story.tell(with_memory(None))
    story.only("memory_high")
    for _ in range(10):
        story.tell(with_memory(None))
    assert story.notices == []


@given(st.lists(st.floats(13.0, 15.9), min_size=1, max_size=200))
def test_memory_around_its_marks_never_flaps(gibs: list[float]) -> None:
    story = Story(trend_seconds=0)
    ids: list[str] = []
    well = 0
    for gib in gibs:
        had = story.notices
        story.memory(gib)
        well = well + 1 if gib < 0.85 * 16 else 0
        assert not had or story.notices or well > 10, "taken down too early"
        ids += [n.id for n in story.notices if n.id not in ids]
    assert len(ids) <= 1 + len(gibs) // 10


@given(st.lists(st.tuples(st.floats(0.2, 12), st.floats(0, 16.5) | st.none()), max_size=120))
def test_whatever_memory_does_a_notice_is_sound(steps: list[tuple[float, float | None]]) -> None:
    story = Story()
    codes: dict[str, list[str]] = {}
    for seconds, gib in steps:
        for notice in story.tell(with_memory(gib), seconds):
            codes.setdefault(notice.id, []).append(notice.code)
            assert notice.params["limit_bytes"] == LIMIT
            msgspec.json.encode(notice)
    for said in codes.values():
        # From what may come to what is; never back.
        assert said == sorted(said, reverse=True)


# --- the trend ------------------------------------------------------------------------


def ramp(start: float, per_second: float, count: int, seconds: float = 1.0) -> list[float]:
    return [start + per_second * seconds * step for step in range(count)]


@pytest.mark.parametrize("seconds", [0.2, 1.0, 5.0, 10.0])
def test_memory_that_grows_towards_its_limit_is_told_before_it_is_there(seconds: float) -> None:
    story = Story()
    told: list[tuple[float, Notice]] = []
    for gib in ramp(4, 0.12, round(100 / seconds), seconds):
        if gib >= 0.9 * 16:
            break
        told += [(gib, notice) for notice in story.memory(gib, seconds=seconds)]
    gib, notice = told[0]
    assert gib >= 8
    assert notice.code == "memory_trend"
    assert notice.params["seconds"] == pytest.approx((16 - gib) / 0.12, abs=1)
    assert notice.params["bytes_per_second"] == pytest.approx(0.12 * GIB, rel=0.02)
    assert "estimate" in notice.message
    assert notice.kernel_id == "k1"
    assert {n.id for _, n in told} == {notice.id}


def test_a_trend_that_comes_true_is_the_same_event() -> None:
    story = Story()
    story.memory(*ramp(8, 0.12, 25))
    foretold = story.only("memory_trend")
    story.memory(*ramp(11, 0.12, 40))
    come_true = story.only("memory_high")
    assert (come_true.id, come_true.time) == (foretold.id, foretold.time)
    story.memory(*[14.0] * 60)
    assert story.only("memory_high").id == foretold.id


def test_what_came_true_does_not_become_a_forecast_again() -> None:
    story = Story()
    story.memory(*ramp(13, 0.08, 20))
    first = story.only("memory_high").id
    # The operator gives more memory; the program goes on all the same.
    for gib in ramp(14.6, 0.08, 20):
        story.tell(with_memory(gib, limit_bytes=20 * GIB))
    assert story.only("memory_high").id == first


def test_growth_that_stops_is_over_after_a_while() -> None:
    story = Story()
    story.memory(*ramp(8, 0.12, 25))
    story.only("memory_trend")
    story.memory(*[11.0] * 40)
    assert story.notices == []


def test_slow_growth_is_no_cause_for_alarm_but_for_a_closer_look() -> None:
    story = Story()
    assert story.memory(*ramp(9, 0.02, 100)) == []
    assert story.watch.needs_fast_pace(), "the limit may be met within ten minutes"


@pytest.mark.parametrize(
    ("what", "gibs", "seconds"),
    [
        ("one step", [9.0] * 40 + [13.0] * 40, 1),
        ("one step, seen rarely", [9.0] * 10 + [13.0] * 10, 10),
        ("a step at the first sample", [9.0] + [13.0] * 40, 1),
        ("a spike", [9.0] * 40 + [13.5] + [9.0] * 40, 1),
        ("a short sawtooth", [9.0 + (i % 8) * 0.6 for i in range(300)], 1),
        ("a sawtooth seen rarely", [13.0, 9.0, 11.0] * 20, 10),
        ("fast growth far from the limit", ramp(0.1, 0.25, 31), 1),
        ("a fall", ramp(14, -0.1, 60), 1),
        ("noise", [11.0 + ((i * 7919) % 13) * 0.1 for i in range(300)], 1),
    ],
)
def test_no_wolf_is_cried(what: str, gibs: Sequence[float], seconds: float) -> None:
    story = Story()
    for gib in gibs:
        assert story.memory(gib, seconds=seconds) == [], what


def test_a_long_sawtooth_is_learnt_from_its_first_tooth() -> None:
    story = Story()
    tooth = ramp(7, 0.1, 60)
    story.memory(*tooth)
    story.memory(*[7.0] * 30)
    assert story.notices == []
    for _ in range(5):
        for gib in tooth:
            assert story.memory(gib) == []


def test_a_peak_of_long_ago_is_forgotten() -> None:
    story = Story()
    story.memory(14.0, 6.0)
    story.memory(*[6.0] * 340)
    story.memory(*ramp(6, 0.12, 60))
    story.only("memory_trend")


def test_very_fast_samples_cost_no_more() -> None:
    trend = Trend()
    for step in range(1000):
        trend.add(step * 0.2, step)
    assert len(trend._points) <= 52
    assert len(trend._peaks) <= 1


@given(
    st.floats(8.0, 14.0),
    st.floats(0.5, 12.0),
    st.lists(st.floats(0, 0.001), min_size=5, max_size=60),
)
def test_a_constant_is_no_trend(gib: float, seconds: float, noise: list[float]) -> None:
    story = Story()
    for wobble in noise:
        assert story.memory(gib + wobble, seconds=seconds) == []


@given(st.lists(st.floats(0.5, 1.5), min_size=40, max_size=40))
def test_uneven_but_steady_growth_is_always_told(steps: list[float]) -> None:
    story = Story()
    gib, told = 6.0, False
    for step in steps:
        gib += 0.2 * step
        told = told or (story.memory(gib) != [] and gib < 14.4)
        if gib >= 14.4:
            break
    assert told


def test_the_sampler_hurries_near_the_limit_only() -> None:
    story = Story()
    story.memory(12.7)
    assert not story.watch.needs_fast_pace()
    story.memory(12.9)
    assert story.watch.needs_fast_pace()
    for _ in range(61):
        story.tell(with_memory(None))
    assert not story.watch.needs_fast_pace(), "nobody knows"


def test_memory_that_is_held_and_does_not_move_needs_no_hurry() -> None:
    story = Story()
    story.memory(14)
    assert story.watch.needs_fast_pace(), "how it got there is not known"
    story.memory(*[14 + 0.03 * (i % 5) for i in range(121)])
    assert not story.watch.needs_fast_pace()
    story.memory(14.2)
    assert story.watch.needs_fast_pace()
    story.memory(*[14.2] * 120)
    assert story.watch.needs_fast_pace()
    story.memory(14.2)
    assert not story.watch.needs_fast_pace()
    # Steps too small to see add up.
    story.memory(*[14.2, 14.25, 14.3, 14.4], seconds=10)
    assert story.watch.needs_fast_pace()


def test_memory_that_was_out_of_sight_may_have_moved() -> None:
    story = Story()
    story.memory(*[14.0] * 130)
    assert not story.watch.needs_fast_pace()
    for _ in range(61):
        story.tell(with_memory(None))
    story.memory(14.0)
    assert story.watch.needs_fast_pace()


def test_a_warning_stands_while_memory_does_not_move() -> None:
    story = Story()
    story.memory(*[15.0] * 300)
    assert not story.watch.needs_fast_pace()
    story.only("memory_high")


# --- processor ------------------------------------------------------------------------


def stopped(story: Story, shares: Iterable[float | None], seconds: float = 1.0) -> list[Notice]:
    for share in shares:
        story.tell(throttled(share), seconds)
    return story.notices


def test_a_processor_limit_that_holds_programs_back_is_told() -> None:
    story = Story()
    assert stopped(story, [0.4] * 200) == [], "not before most of the window is seen"
    stopped(story, [0.4] * 60)
    notice = story.only("cpu_throttled")
    assert notice.severity == "info"
    assert notice.params == {"limit_cores": 2, "throttled_share": 0.4, "seconds": 300}
    assert notice.message == (
        "You are at your limit of 2 cores: programs were held back in 40% of their turns over "
        "the last 5 minutes. Use fewer of them at once, or run on a larger server."
    )


@pytest.mark.parametrize("used", [0.3, 1.39, None])
def test_bursts_that_are_held_back_do_not_need_more_cores(used: float | None) -> None:
    story = Story()
    for _ in range(400):
        assert story.tell(throttled(0.9, used)) == []


def test_mean_use_counts_and_the_notice_goes_with_it() -> None:
    story = Story()
    for used in [0.9, 2.0] * 200:
        story.tell(throttled(0.4, used))
    story.only("cpu_throttled")
    for _ in range(300):
        story.tell(throttled(0.4, 0.5))
    assert story.notices == []


@given(
    st.lists(
        st.tuples(
            st.floats(0.2, 12),
            st.floats(0, 1) | st.none(),
            st.floats(0, 2) | st.none(),
        ),
        max_size=100,
    )
)
def test_sums_that_run_are_those_of_the_window(
    steps: list[tuple[float, float | None, float | None]],
) -> None:
    throttling = Throttling(share=0.25, window_seconds=60)
    now = 0.0
    for seconds, share, used in steps:
        now += seconds
        throttling.update(throttled(share, used), now)
        parts = throttling._parts
        assert all(part.until >= now - 60 for part in parts)
        assert throttling._covered == pytest.approx(sum(part.seconds for part in parts))
        assert throttling._stopped == pytest.approx(sum(p.stopped for p in parts), abs=1e-9)
        assert throttling._used == pytest.approx(sum(p.used for p in parts), abs=1e-9)


def test_the_share_is_of_time_not_of_samples() -> None:
    story = Story()
    for _ in range(40):
        stopped(story, [1.0] * 5, seconds=0.4)
        stopped(story, [0.0], seconds=8)
    assert story.notices == []


def test_throttling_is_told_once_and_again_after_a_good_hour_only() -> None:
    story = Story()
    stopped(story, [0.5] * 60, seconds=5)
    first = story.only("cpu_throttled").id
    assert stopped(story, [0.0] * 80, seconds=5) == []
    assert stopped(story, [0.5] * 80, seconds=5) == [], "told already"
    stopped(story, [0.0] * 800, seconds=5)
    stopped(story, [0.5] * 60, seconds=5)
    assert story.only("cpu_throttled").id != first


def test_unknown_throttling_is_not_counted_as_none() -> None:
    story = Story()
    assert stopped(story, [None] * 300) == []
    stopped(story, [0.3, None] * 100, seconds=1)
    assert story.notices == [], "half of the window is not known"


@given(st.lists(st.floats(0, 1) | st.none(), max_size=300))
def test_throttling_is_told_at_most_once_an_hour(shares: list[float | None]) -> None:
    story = Story()
    seen: set[str] = set()
    for share in shares:
        seen |= {notice.id for notice in stopped(story, [share], seconds=10)}
    assert len(seen) <= 1


# --- disks ----------------------------------------------------------------------------


def test_a_disk_that_is_nearly_full_is_told_until_there_is_room() -> None:
    story = Story()
    assert story.tell(with_disk(94.9)) == []
    story.tell(with_disk(95.0))
    notice = story.only("disk_full")
    assert notice.params == {
        "disk": "home",
        "scope": "quota",
        "path": "/home/jovyan",
        "used_bytes": 95 * GIB,
        "limit_bytes": 100 * GIB,
    }
    assert notice.message.startswith("Your home folder is nearly full: 95.0 of 100 GiB.")
    for _ in range(20):
        story.tell(with_disk(93.5))
    assert story.only("disk_full").id == notice.id
    for _ in range(11):
        story.tell(with_disk(92.9))
    assert story.notices == []


@pytest.mark.parametrize("limit", [1000, 102400])
def test_a_file_system_with_much_room_is_not_nearly_full(limit: float) -> None:
    story = Story()
    assert story.tell(with_disk(limit - 20, limit, "filesystem")) == []
    story.tell(with_disk(limit - 19.9, limit, "filesystem"))
    story.only("disk_full")
    for _ in range(20):
        story.tell(with_disk(limit - 21.9, limit, "filesystem"))
    story.only("disk_full")
    for _ in range(11):
        story.tell(with_disk(limit - 22, limit, "filesystem"))
    assert story.notices == []


def test_a_quota_is_judged_by_its_share_alone() -> None:
    story = Story()
    story.tell(with_disk(960, 1000))
    story.only("disk_full")


def test_what_others_may_use_too_is_not_called_ones_own() -> None:
    story = Story()
    story.tell(with_disk(102390, 102400, "filesystem"))
    message = story.only("disk_full").message
    assert message.startswith("The disk of /home/jovyan is nearly full: 100.0 of 100 TiB.")


def test_unknown_disks_never_warn_and_change_nothing() -> None:
    story = Story()
    assert story.tell(with_disk(None)) == []
    assert story.tell(with_disk(99, None)) == []
    story.tell(with_disk(99))
    for _ in range(60):
        story.tell(with_disk(None))
    story.only("disk_full")


# --- GPUs -----------------------------------------------------------------------------

TWELVE_HOURS = 12 * 3600


def look(story: Story, told: UsageSnapshot, hours: float, every: float = 60) -> list[Notice]:
    for _ in range(round(hours * 3600 / every)):
        story.tell(told, every)
    return story.notices


def test_a_gpu_that_does_nothing_is_told_after_a_while() -> None:
    story = Story()
    story.tell(gpu(0.0))
    assert look(story, gpu(0.0), 11.9) == []
    look(story, gpu(0.0), 0.2)
    notice = story.only("gpu_unused")
    assert notice.severity == "info"
    assert notice.params == {"index": 0, "name": "NVIDIA A40", "hours": 12}
    assert "12 hours" in notice.message
    look(story, gpu(0.0), 1)
    assert story.only("gpu_unused").params["hours"] == 13
    assert story.only("gpu_unused").id == notice.id
    assert story.tell(gpu(0.01)) == []


def test_a_gpu_that_worked_meanwhile_starts_the_clock_anew() -> None:
    story = Story()
    look(story, gpu(0.0), 11)
    story.tell(gpu(0.5))
    assert look(story, gpu(0.0), 11) == []


@pytest.mark.parametrize("blind", [gpu(None), with_gpus()])
def test_a_gpu_that_was_not_seen_for_long_may_have_worked(blind: UsageSnapshot) -> None:
    story = Story()
    look(story, gpu(0.0), 11)
    look(story, blind, 0.2)
    assert look(story, gpu(0.0), 11.5) == []
    look(story, blind, 0.1)
    look(story, gpu(0.0), 1)
    story.only("gpu_unused")


def test_neighbours_on_a_shared_gpu_say_nothing_of_it() -> None:
    assert look(Story(), gpu(0.0, SHARED), 13) == []


def test_slices_count_where_their_use_can_be_told() -> None:
    assert look(Story(), with_gpus(SLICE), 13) == []
    story = Story()
    idle = msgspec.structs.replace(SLICE, utilization=0.0, utilization_source="gpm", reason=None)
    busy = msgspec.structs.replace(idle, uuid="MIG-3", utilization=0.4)
    look(story, with_gpus(idle, busy), 13)
    assert story.only("gpu_unused").id.startswith("gpu:MIG-2:")


# --- all ------------------------------------------------------------------------------


def test_several_things_hold_at_once_and_each_is_one_notice() -> None:
    story = Story()
    full = msgspec.structs.replace(with_memory(15), disks=with_disk(99).disks)
    story.tell(full)
    assert [notice.code for notice in story.notices] == ["memory_high", "disk_full"]
    assert len({notice.id for notice in story.notices}) == 2
    assert {notice.feature for notice in story.notices} == {"usage"}


def test_each_warning_can_be_switched_off() -> None:
    story = Story(
        memory_share=0, trend_seconds=0, throttled_share=0, disk_share=0, gpu_unused_seconds=0
    )
    bad = msgspec.structs.replace(
        with_memory(15.9), disks=with_disk(99).disks, cpu=throttled(1.0).cpu, gpus=gpu(0.0).gpus
    )
    assert look(story, bad, 13) == []
    assert story.memory(*ramp(8, 0.12, 60)) == []


def test_without_the_mark_the_trend_still_warns() -> None:
    story = Story(memory_share=0)
    story.memory(*ramp(8, 0.12, 60))
    story.only("memory_trend")
