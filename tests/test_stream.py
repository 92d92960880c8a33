"""The stream's promises, without a network: states skip, events never, memory is bounded."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traitlets import TraitError

from jupyter_einfra.errors import TooManyStreams
from jupyter_einfra.stream import EinfraStream, Topic, frame
from jupyter_einfra.stream_reader import HEARTBEAT, Reader


def a_stream(**traits: float) -> EinfraStream:
    stream = EinfraStream(**traits)
    stream.add_topic(Topic("state", "demo"))
    stream.add_topic(Topic("news", "demo", kind="event"))
    stream.open(asyncio.get_running_loop())
    return stream


async def settle() -> None:
    """Let what was handed to the loop be done."""
    for _ in range(3):
        await asyncio.sleep(0)


def test_a_frame_is_what_the_html_standard_calls_an_event() -> None:
    assert frame("usage", b"{}") == b"event: usage\ndata: {}\n\n"
    assert frame("news", b"{}", 7) == b"event: news\nid: 7\ndata: {}\n\n"


async def test_a_slow_reader_of_a_state_gets_only_the_latest() -> None:
    stream = a_stream()
    with stream.reader(["state"]) as reader:
        for number in range(1000):
            stream.publish("state", b"%d" % number)
        await settle()
        assert await reader.take(1) == frame("state", b"999")


async def test_a_new_reader_gets_the_latest_state_at_once() -> None:
    stream = a_stream()
    stream.publish("state", b"1")
    await settle()
    with stream.reader(["state"]) as reader:
        assert await reader.take(1) == frame("state", b"1")


async def test_a_state_that_nobody_keeps_fresh_is_forgotten_with_its_last_reader() -> None:
    stream = a_stream()
    stream.add_topic(Topic("fading", "demo", fades=True))
    with stream.reader(["fading"]) as first:
        stream.publish("fading", b"1")
        await settle()
        assert await first.take(1) == frame("fading", b"1")
        with stream.reader(["fading"]) as second:
            assert await second.take(1) == frame("fading", b"1")
    stream.publish("fading", b"2")  # was under way when the reader left
    await settle()
    with stream.reader(["fading"]) as later:
        assert await later.take(0.01) == HEARTBEAT


async def test_a_reader_gets_only_the_topics_it_asked_for() -> None:
    stream = a_stream()
    with stream.reader(["news"]) as reader:
        stream.publish("state", b"1")
        stream.publish("news", b"2")
        await settle()
        assert await reader.take(1) == frame("news", b"2", 1)


async def test_no_event_is_skipped_and_ids_rise() -> None:
    stream = a_stream()
    with stream.reader(["news"]) as reader:
        for number in range(50):
            stream.publish("news", b"%d" % number)
        await settle()
        got = await reader.take(1)
    assert got == b"".join(frame("news", b"%d" % n, n + 1) for n in range(50))


async def test_a_reader_too_slow_for_events_is_dropped_and_holds_nothing() -> None:
    stream = a_stream(backlog_bytes=1000)
    with stream.reader(["news"]) as slow, stream.reader(["news"]) as quick:
        for _ in range(100):
            stream.publish("news", b"x" * 50)
            await settle()
            assert await quick.take(1) is not None
        assert await slow.take(1) is None
        assert slow.ended
        assert not slow._events


async def test_missed_events_are_sent_again_to_a_reader_that_comes_back() -> None:
    stream = a_stream()
    for number in range(5):
        stream.publish("news", b"%d" % number)
    await settle()
    assert stream.can_resume(3)
    with stream.reader(["news"], last_event_id=3) as reader:
        assert await reader.take(1) == frame("news", b"3", 4) + frame("news", b"4", 5)


async def test_what_is_kept_for_those_who_come_back_is_bounded_and_loss_is_known() -> None:
    stream = a_stream(backlog_bytes=1000)
    for _ in range(200):
        stream.publish("news", b"x" * 100)
        await settle()
    assert stream._history_bytes <= 1000
    assert not stream.can_resume(1)
    assert stream.can_resume(200)
    assert not stream.can_resume(201)  # an id of an earlier run of the server


async def test_a_flood_while_the_loop_is_held_up_stays_bounded_and_its_loss_is_told() -> None:
    stream = a_stream(backlog_bytes=1000)
    with stream.reader(["news"]) as reader, stream.reader(["state"]) as other:
        seen = stream._last_id
        for number in range(500):
            stream.publish("news", b"x" * 100)
            stream.publish("state", b"%d" % number)
        assert stream._incoming_bytes <= 1000
        await settle()
        assert await reader.take(1) is None
        assert not stream.can_resume(seen)
        # A page that follows no events has lost none.
        assert await other.take(1) == frame("state", b"499")
    stream.publish("news", b"1")
    await settle()
    assert stream.can_resume(stream._last_id)


async def test_the_history_of_a_quiet_server_can_be_resumed_from_its_last_id() -> None:
    stream = a_stream()
    assert stream.can_resume(0)
    assert not stream.can_resume(1)


async def test_silence_becomes_a_heartbeat() -> None:
    stream = a_stream()
    with stream.reader(["state"]) as reader:
        assert await reader.take(0.01) == HEARTBEAT


async def test_closing_ends_readers_now_and_those_that_still_come() -> None:
    stream = a_stream()
    with stream.reader(["state"]) as reader:
        stream.close()
        assert await reader.take(1) is None
    with stream.reader(["state"]) as late:
        assert await late.take(1) is None
    stream.publish("state", b"1")  # nobody to tell, and no error


async def test_publishing_before_the_server_runs_is_harmless() -> None:
    stream = EinfraStream()
    stream.add_topic(Topic("state", "demo"))
    stream.publish("state", b"1")
    stream.open(asyncio.get_running_loop())
    with stream.reader(["state"]) as reader:
        assert await reader.take(0.01) == HEARTBEAT


def test_publishing_after_the_loop_closed_is_harmless() -> None:
    stream = EinfraStream()
    stream.add_topic(Topic("state", "demo"))
    loop = asyncio.new_event_loop()
    stream.open(loop)
    loop.close()
    stream.publish("state", b"1")
    stream.publish("state", b"2")


async def test_any_thread_may_publish() -> None:
    stream = a_stream()
    with stream.reader(["news"]) as reader:
        threads = [
            threading.Thread(target=stream.publish, args=("news", b"%d" % n)) for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await settle()
        got = await reader.take(1)
    assert got is not None
    data = [int(line[6:]) for line in got.decode().splitlines() if line.startswith("data")]
    assert sorted(data) == list(range(20))


async def test_watchers_are_counted_as_readers_come_and_go() -> None:
    seen: list[int] = []
    stream = EinfraStream()
    stream.add_topic(Topic("state", "demo", on_watchers=seen.append))
    stream.add_topic(Topic("other", "demo"))
    with stream.reader(["state"]), stream.reader(["state"]), stream.reader(["other"]):
        pass
    assert seen == [1, 2, 1, 0]


async def test_more_readers_than_allowed_are_refused_and_forgotten() -> None:
    stream = a_stream(max_readers=2)
    with (
        stream.reader(["state"]),
        stream.reader(["state"]),
        pytest.raises(TooManyStreams),
        stream.reader(["state"]),
    ):
        pass
    with stream.reader(["state"]), stream.reader(["state"]):
        pass  # the places are free again


async def test_guests_leave_half_of_the_places_to_the_owner() -> None:
    stream = a_stream(max_readers=2)
    with stream.reader(["state"], is_guest=True):
        with pytest.raises(TooManyStreams), stream.reader(["state"], is_guest=True):
            pass
        with stream.reader(["state"]):
            pass


async def test_a_feature_that_breaks_when_told_of_watchers_costs_nobody_the_stream() -> None:
    def broken(count: int) -> None:
        raise RuntimeError("not my day")

    stream = EinfraStream()
    stream.add_topic(Topic("state", "demo", on_watchers=broken))
    with stream.reader(["state"]):
        assert len(stream._readers) == 1
    assert not stream._readers


async def test_a_topic_that_was_taken_back_is_gone() -> None:
    stream = a_stream()
    stream.remove_topics("demo")
    assert stream.topics == {}
    stream.publish("state", b"1")  # its feature may not have heard
    await settle()


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers()), max_size=60))
def test_what_waits_for_a_state_reader_never_grows_beyond_its_topics(
    values: list[tuple[str, int]],
) -> None:
    async def run() -> None:
        reader = Reader(frozenset({"a", "b"}), backlog_bytes=1000)
        for topic, value in values:
            reader.put_state(topic, frame(topic, json.dumps(value).encode()))
        if values:
            got = await reader.take(1)
            assert got is not None
            latest = dict(values)
            assert got == b"".join(frame(t, json.dumps(v).encode()) for t, v in latest.items())

    asyncio.run(run())


@pytest.mark.parametrize("trait", ["heartbeat_seconds", "stall_seconds", "reauthorize_seconds"])
def test_times_must_be_positive(trait: str) -> None:
    with pytest.raises(TraitError):
        EinfraStream(**{trait: 0.0})


async def test_a_topic_taken_back_in_the_midst_of_a_flood_costs_the_others_nothing() -> None:
    stream = a_stream(backlog_bytes=1000)
    stream.add_topic(Topic("kept", "other"))
    with stream.reader(["news"]), stream.reader(["kept"]) as reader:
        for _ in range(50):
            stream.publish("news", b"x" * 100)
        stream.publish("kept", b"1")
        stream.remove_topics("demo")
        await settle()
        assert await reader.take(1) == frame("kept", b"1")
