"""Buckets, rings and what is told of them."""

from __future__ import annotations

import csv
import io
import math
import random
from array import array
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.samples import SLICE, WHOLE, sample

from jupyter_einfra.errors import InvalidParameter
from jupyter_einfra.usage.history import selection
from jupyter_einfra.usage.history.series import (
    MOST_GPUS,
    SERIES,
    Device,
    History,
    figures_of,
    gpus_of,
)
from jupyter_einfra.usage.history.table import table
from jupyter_einfra.usage.history.tiers import ROWS, TIERS, UNKNOWN, Row, Track
from jupyter_einfra.usage.models import HistoryQuery, UsageEvent, UsageHistory

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
AT = NOW.timestamp()
WIDTH = 2

Sample = tuple[float, list[float | None]]


def known(value: float | None) -> float:
    return UNKNOWN if value is None else value


def add(track: Track, samples: Iterable[Sample]) -> None:
    for at, values in samples:
        track.add(at, [known(value) for value in values])


class Model:
    """What every slot should have, the slow way: all samples of its present start."""

    def __init__(self) -> None:
        self.slots: dict[tuple[int, int], tuple[int, list[list[float | None]]]] = {}

    def add(self, at: float, values: list[float | None]) -> None:
        for i, tier in enumerate(TIERS):
            start = math.floor(at / tier.step_seconds) * tier.step_seconds
            place = (i, start // tier.step_seconds % tier.capacity)
            if self.slots.get(place, (None,))[0] != start:
                self.slots[place] = (start, [])
            self.slots[place][1].append(values)

    def bands(self, place: tuple[int, int], series: int) -> tuple[float, float, float] | None:
        values = [v[series] for v in self.slots[place][1]]
        told = [v for v in values if v is not None]
        if not told:
            return None
        return min(told), sum(told) / len(told), max(told)


def assert_same(track: Track, model: Model, *, means: bool = True) -> None:
    for (tier, slot), (start, _) in model.slots.items():
        window = track.window(tier, start, start)
        assert window.present == [True], (tier, slot)
        for series in range(WIDTH):
            low, mean, high = (window.column(series, s)[0] for s in range(3))
            expected = model.bands((tier, slot), series)
            if expected is None:
                assert math.isnan(low)
                assert math.isnan(mean)
                assert math.isnan(high)
            else:
                assert low <= mean <= high
                assert (low, high) == pytest.approx((expected[0], expected[2]))
                assert not means or mean == pytest.approx(expected[1], rel=1e-5, abs=1e-30)


# Gaps from nothing to a year, forwards and backwards.
jumps = st.one_of(
    st.floats(0, 3),
    st.floats(0, 700),
    st.sampled_from([-1.0, -7.0, -3600.0, 86400.0, 365 * 86400.0, -365 * 86400.0]),
)
values = st.one_of(st.none(), st.floats(0, 2.0**50, width=32))
sequences = st.lists(st.tuples(jumps, st.lists(values, min_size=WIDTH, max_size=WIDTH)))


def timed(steps: Iterable[tuple[float, list[float | None]]]) -> list[Sample]:
    at, samples = AT, []
    for jump, figures in steps:
        at += jump
        samples.append((at, figures))
    return samples


@given(sequences)
def test_every_bucket_has_the_smallest_mean_and_greatest_of_its_samples(
    steps: list[tuple[float, list[float | None]]],
) -> None:
    track, model = Track(WIDTH), Model()
    for at, figures in timed(steps):
        add(track, [(at, figures)])
        model.add(at, figures)
    # Where a bucket is left and taken up again, unknown samples weigh like known ones.
    straight = all(jump >= 0 for jump, _ in steps)
    complete = all(value is not None for _, figures in steps for value in figures)
    assert_same(track, model, means=straight or complete)


@given(sequences, st.integers(0, 10))
def test_a_restart_amid_buckets_changes_nothing(
    steps: list[tuple[float, list[float | None]]], cut: int
) -> None:
    """Without unknowns: with them, a part weighs as many samples as it had in all."""
    samples = [(at, [v or 0.0 for v in figures]) for at, figures in timed(steps)]
    model, before, after = Model(), Track(WIDTH), Track(WIDTH)
    for at, figures in samples:
        model.add(at, list(figures))
    add(before, [(at, list(figures)) for at, figures in samples[:cut]])
    after.begin_load()
    after.load(before.changes(), max([at for at, _ in samples], default=AT), again=False)
    assert after.changes() == []
    add(after, [(at, list(figures)) for at, figures in samples[cut:]])
    assert_same(after, model)


def test_two_parts_of_a_bucket_meet_each_with_its_weight() -> None:
    ours, theirs = Track(1), Track(1)
    add(theirs, [(0.0, [1.0]), (0.1, [1.0]), (0.2, [1.0])])
    add(ours, [(0.5, [5.0])])
    ours.begin_load()
    ours.load(theirs.changes(), 1.0, again=False)
    window = ours.window(0, 0, 0)
    assert [window.column(0, s)[0] for s in range(3)] == [1.0, 2.0, 5.0]
    assert {row.samples for row in ours.changes()} == {4}


def test_a_file_that_is_read_again_adds_nothing_twice() -> None:
    track = Track(1)
    add(track, [(0.0, [1.0]), (0.5, [3.0])])
    rows = track.changes()
    add(track, [(1.5, [9.0])])
    track.begin_load()
    track.load(rows, 2.0, again=True)
    assert [row.samples for row in track.changes()] == [1, 3, 3, 3, 3]  # what is newer
    track.begin_load()
    track.load(rows[:1], 2.0, again=True)  # a file that lacks most
    assert len(track.changes()) == 5


def test_rows_of_a_wrong_clock_give_way_and_right_ones_do_not() -> None:
    tier = TIERS[0]
    ahead = float(tier.span_seconds * 1000)
    file, track = Track(1), Track(1)
    add(file, [(ahead, [7.0])])
    add(track, [(0.0, [1.0])])
    track.load(file.changes(), 10.0, again=False)
    assert track.window(0, 0, 0).present == [True]
    # The same moments, once the clock has come there.
    track.load(file_rows := _rows(file), ahead + 1, again=False)
    assert file_rows
    assert track.window(0, int(ahead), int(ahead)).present == [True]


def _rows(track: Track) -> list[Row]:
    track.begin_load()
    return track.changes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda row: row._replace(key=-1),
        lambda row: row._replace(key=ROWS),
        lambda row: row._replace(key=row.key + 1),
        lambda row: row._replace(start=row.start + 1, key=row.key + 1) if row.key > 900 else None,
        lambda row: row._replace(samples=0),
        lambda row: row._replace(samples=-5),
        lambda row: row._replace(bands=row.bands[:-1]),
        lambda row: row._replace(bands=b""),
    ],
)
def test_rows_that_cannot_be_ours_are_passed_over(damage: object) -> None:
    assert callable(damage)
    file, track = Track(1), Track(1)
    add(file, [(AT, [1.0])])
    track.load(filter(None, map(damage, file.changes())), AT, again=False)
    assert _rows(track) == []


def test_rows_are_little_endian_floats_in_the_order_minimum_mean_maximum() -> None:
    track = Track(1)
    add(track, [(0.0, [1.0]), (0.0, [2.0])])
    row = track.changes()[0]
    assert row == Row(0, 0, 2, bytes.fromhex("0000803f 0000c03f 00000040"))


def test_a_ring_is_full_at_its_time_and_then_forgets_the_oldest() -> None:
    track = Track(1)
    for at in range(1000):
        track.add(at, [float(at)])
    window = track.window(0, 0, 999)
    assert len(window.present) == TIERS[0].capacity
    kept = track.window(0, 100, 999)
    assert all(kept.present)
    assert list(kept.column(0, 1)) == [float(at) for at in range(100, 1000)]


def test_what_could_not_be_written_comes_again() -> None:
    history = History()
    taken = gpus_of(sample(gpus=(WHOLE,)))
    history.add(AT, figures_of(sample()), taken)
    changes = history.changes()
    assert history.changes().figures == []
    history.put_back(changes)
    again = history.changes()
    assert again.figures == changes.figures
    assert again.gpus == changes.gpus


# What is recorded of a sample.


def test_a_sample_is_told_by_its_series() -> None:
    figures = dict(zip(SERIES, figures_of(sample(used_gib=4.0)), strict=True))
    assert figures["cpu_used_cores"] == 0.4
    assert figures["memory_anon_shmem_bytes"] == int(4 * 2**30 * 0.9)
    assert figures["home_limit_bytes"] == 100 * 2**30
    assert math.isnan(figures["tmp_used_bytes"])
    assert figures["network_sent_bytes_per_second"] == 500.0


@pytest.mark.parametrize("nonsense", [-1.0, math.nan, math.inf, 1e300])
def test_nonsense_is_unknown(nonsense: float) -> None:
    told = sample()
    told = msgspec.structs.replace(told, cpu=msgspec.structs.replace(told.cpu, used_cores=nonsense))
    assert math.isnan(figures_of(told)[0])


def test_gpus_unseen_longest_make_room() -> None:
    history = History()
    for i in range(MOST_GPUS + 3):
        history.add(AT + i, figures_of(sample()), [(_device(f"GPU-{i}", AT + i), (0.5, 1.0))])
    assert set(history.gpus) == {f"GPU-{i}" for i in range(3, MOST_GPUS + 3)}
    # One from a file is let in only if it was seen later than some here.
    history.load_gpu(_device("old", AT), [], AT, again=False)
    assert "old" not in history.gpus
    history.load_gpu(_device("new", AT + 99), [], AT, again=False)
    assert "new" in history.gpus
    assert len(history.gpus) == MOST_GPUS


def _device(uuid: str, seen: float, index: int = 0) -> Device:
    return Device(
        uuid=uuid, index=index, name="GPU", scope="gpu", memory_total_bytes=None, seen=seen
    )


# Which part of the history answers.


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


@pytest.mark.parametrize(
    ("query", "step"),
    [
        (HistoryQuery(), 1),
        (HistoryQuery(since=ago(minutes=15)), 1),
        (HistoryQuery(since=ago(minutes=15, seconds=5)), 1),
        (HistoryQuery(since=ago(minutes=20)), 10),
        (HistoryQuery(since=ago(hours=6, seconds=3)), 10),
        (HistoryQuery(since=ago(hours=7)), 60),
        (HistoryQuery(since=ago(days=7)), 600),
        (HistoryQuery(since=ago(days=8)), 3600),
        (HistoryQuery(since=ago(days=90)), 3600),
        (HistoryQuery(since=ago(days=3650)), 3600),
        (HistoryQuery(since=ago(minutes=5), resolution=1), 1),
        (HistoryQuery(since=ago(minutes=5), resolution=2), 10),
        (HistoryQuery(since=ago(hours=36), resolution=1), 60),
        (HistoryQuery(since=ago(seconds=60 * 2200 - 1)), 600),
        (HistoryQuery(since=ago(days=7), resolution=1), 600),
        (HistoryQuery(since=ago(days=7), resolution=60), 600),
        (HistoryQuery(since=ago(days=7), resolution=600), 600),
        (HistoryQuery(since=ago(days=6), resolution=86400), 3600),
        (HistoryQuery(since=ago(days=30), resolution=1), 3600),
        # An old quarter of an hour is there in minutes only.
        (HistoryQuery(since=ago(days=2), until=ago(days=2, minutes=-15)), 60),
    ],
)
def test_the_finest_tier_that_covers_the_time_answers(query: HistoryQuery, step: int) -> None:
    assert selection.span(query, NOW).step_seconds == step


@pytest.mark.parametrize(("resolution", "step"), [(1, 60), (60, 60), (600, 600), (None, 600)])
def test_every_point_is_told_only_to_who_asks_for_it(resolution: float | None, step: int) -> None:
    query = HistoryQuery(since=ago(days=7), resolution=resolution)
    assert selection.span(query, NOW, every_point=True).step_seconds == step


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        (HistoryQuery(since=NOW, until=ago(seconds=1)), "since"),
        (HistoryQuery(since=ago(days=-2)), "since"),
        (HistoryQuery(until=ago(days=-2)), "until"),
        (HistoryQuery(since=datetime.min.replace(tzinfo=timezone.utc)), "since"),
        (HistoryQuery(until=datetime.max.replace(tzinfo=timezone.utc)), "until"),
        (HistoryQuery(until=datetime.min.replace(tzinfo=timezone.utc)), "until"),
    ],
)
def test_a_time_that_makes_no_sense_is_refused_by_name(query: HistoryQuery, parameter: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        selection.span(query, NOW)
    assert caught.value.params == {"parameter": parameter}


moments = st.none() | st.datetimes(
    datetime(1900, 1, 1),
    datetime(2200, 1, 1),
    timezones=st.just(timezone.utc),
)


@given(moments, moments, st.none() | st.floats(1, 86400))
def test_every_query_is_refused_or_answered_within_bounds(
    since: datetime | None, until: datetime | None, resolution: float | None
) -> None:
    query = HistoryQuery(since=since, until=until, resolution=resolution)
    with suppress(InvalidParameter):
        answer = told(History(), query)
        assert answer.since <= answer.until
        assert answer.offsets_seconds == []
        msgspec.json.encode(answer)


def told(
    history: History,
    query: HistoryQuery,
    events: Iterable[UsageEvent] = (),
    gap_seconds: float = 25.0,
    now: datetime = NOW,
) -> UsageHistory:
    where = selection.span(query, now)
    return selection.told(
        where,
        selection.cut(history, where),
        now=now,
        gap_seconds=gap_seconds,
        events=events,
        runs=[],
        reason=None,
    )


def recorded(*offsets: float, gpus: tuple[int, ...] = ()) -> History:
    """A history with samples at so many seconds before NOW; of them some with a GPU."""
    history = History()
    for number, offset in enumerate(offsets):
        devices = [(_device("GPU-0", AT - offset), (0.5, 2.0**30))] if number in gpus else []
        history.add(AT - offset, figures_of(sample()), devices)
    return history


def test_points_are_told_by_their_distance_and_gaps_are_left_out() -> None:
    answer = told(recorded(100, 99, 50, 0), HistoryQuery(since=ago(seconds=100)))
    assert answer.offsets_seconds == [0.0, 1.0, 50.0, 100.0]
    assert answer.gap_seconds == 25.0
    assert answer.resolution_seconds == 1.0
    assert answer.cpu_used_cores.mean == [0.4] * 4
    assert answer.memory_limit_bytes.maximum == [16 * 2**30] * 4
    assert answer.tmp_used_bytes.mean == [None] * 4


def test_a_coarse_tier_has_its_own_gap() -> None:
    answer = told(recorded(100), HistoryQuery(since=ago(days=7)))
    assert answer.gap_seconds == 900.0


def test_the_unfinished_bucket_is_told_and_the_one_that_since_cuts() -> None:
    answer = told(recorded(65, 0), HistoryQuery(since=ago(seconds=60), resolution=60))
    # 05:05:00 and 05:06:00, counted from 05:05:07.
    assert answer.offsets_seconds == [-7.0, 53.0]


def test_what_a_wrong_clock_put_into_the_future_is_not_told() -> None:
    answer = told(recorded(5, -3600, -(365 * 86400)), HistoryQuery(until=ago(hours=-2)))
    assert answer.offsets_seconds == []
    answer = told(recorded(5, -3600), HistoryQuery(since=ago(hours=1), until=ago(hours=-2)))
    assert len(answer.offsets_seconds) == 1


def test_a_gpu_has_as_many_points_as_the_server_and_holes_where_it_was_not() -> None:
    history = recorded(30, 20, 10, 0, gpus=(1, 2))
    answer = told(history, HistoryQuery(since=ago(minutes=1)))
    (gpu,) = answer.gpus
    assert gpu.utilization.mean == [None, 0.5, 0.5, None]
    assert gpu.memory_used_bytes.maximum == [None, 2**30, 2**30, None]
    assert told(history, HistoryQuery(since=ago(seconds=5))).gpus == []


def test_figures_are_short_and_bytes_whole() -> None:
    history = History()
    values = [1 / 3 if "bytes" not in name else 1e9 / 3 for name in SERIES]
    history.add(AT, values)
    answer = told(history, HistoryQuery())
    assert answer.cpu_used_cores.mean == [0.3333]
    assert b'"memory_cache_bytes":{"minimum":[333333344],' in msgspec.json.encode(answer)


def test_damaged_figures_are_unknown() -> None:
    history = History()
    history.server.add(AT, [math.nan] * len(SERIES))
    rows = [
        row._replace(bands=array("f", [math.inf, -math.inf, -1.0] * len(SERIES)).tobytes())
        for row in history.server.changes()
    ]
    fresh = History()
    fresh.server.load(rows, AT, again=False)
    answer = told(fresh, HistoryQuery())
    assert {value for name in SERIES for value in getattr(answer, name).mean} == {None}


def test_events_of_the_time_are_told_in_order() -> None:
    events = [
        UsageEvent(time=ago(minutes=m), code=f"e{m}", message="", params={})
        for m in (3, 1, 20, -30, 2)
    ]
    answer = told(History(), HistoryQuery(), events)
    assert [event.code for event in answer.events] == ["e3", "e2", "e1"]


# The table.


def test_the_table_has_a_line_per_point_and_units_in_its_header() -> None:
    answer = told(recorded(30, 0, gpus=(0,)), HistoryQuery(since=ago(minutes=1)))
    header, *lines = csv.reader(io.StringIO("".join(table(answer))))
    assert header[:4] == ["time", "cpu_used_cores_min", "cpu_used_cores_mean", "cpu_used_cores_max"]
    assert header[-6:-3] == [f"gpu_0_GPU-0_utilization_share_{k}" for k in ("min", "mean", "max")]
    assert len(header) == 1 + 3 * (len(SERIES) + 2)
    assert [line[0] for line in lines] == ["2026-03-04T05:05:37.000Z", "2026-03-04T05:06:07.000Z"]
    assert lines[0][header.index("memory_limit_bytes_max")] == str(16 * 2**30)
    assert lines[0][header.index("tmp_used_bytes_mean")] == ""
    assert (lines[0][-1], lines[1][-1]) == (str(2**30), "")


def test_a_long_table_comes_in_pieces_that_hold_nobody_up() -> None:
    pieces = list(table(told(recorded(*range(800)), HistoryQuery())))
    assert sum(piece.count("\r\n") for piece in pieces) == 801
    assert max(piece.count("\r\n") for piece in pieces) <= 50


@pytest.mark.parametrize("uuid", ['=cmd|"/c calc"!A0', "+1", "@x", "a\r\n=1+1", '",=1,"'])
def test_a_hostile_name_stays_a_name_in_the_table(uuid: str) -> None:
    history = History()
    gpu = msgspec.structs.replace(SLICE, uuid=uuid)
    taken = msgspec.structs.replace(sample(gpus=(gpu,)), time=NOW)
    history.add(AT, figures_of(taken), gpus_of(taken))
    rows = list(csv.reader(io.StringIO("".join(table(told(history, HistoryQuery()))))))
    assert len(rows) == 2
    assert len(rows[0]) == len(rows[1])
    assert all(cell[0].isalpha() for cell in rows[0])


def test_no_range_has_more_points_than_a_chart_shows() -> None:
    history = History()
    rng = random.Random(7)
    for _ in range(300):
        history.add(AT - rng.uniform(0, 90 * 86400), figures_of(sample()))
    for days in (0.01, 0.25, 1, 7, 30, 90):
        answer = told(history, HistoryQuery(since=ago(days=days)))
        assert len(answer.offsets_seconds) <= selection.MOST_POINTS
