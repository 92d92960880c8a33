"""The notice board: what holds now, published once for each change."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.models import Notice
from jupyter_einfra.notices import MOST_NOTICES, NOTICES, NoticeBoard

START = datetime(2026, 11, 20, 3, 12, tzinfo=timezone.utc)


def notice(number: int = 1, *, minute: int | None = None, message: str = "It is so.") -> Notice:
    return Notice(
        id=f"demo:{number}",
        time=START + timedelta(minutes=number if minute is None else minute),
        feature="demo",
        severity="warning",
        code="demo_is_so",
        message=message,
        params={"number": number},
        kernel_id=None,
        path=None,
    )


class Page:
    """Sees what is published."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def publish(self, topic: str, data: bytes) -> None:
        assert topic == NOTICES
        self.events.append(msgspec.json.decode(data))

    @property
    def shown(self) -> list[str]:
        return [shown["id"] for shown in self.events[-1]["notices"]]


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture
def board(page: Page) -> NoticeBoard:
    return NoticeBoard(page.publish)


def test_a_page_learns_even_that_there_is_nothing(board: NoticeBoard, page: Page) -> None:
    board.send()
    assert page.events == [{"type": "notices", "notices": []}]


def test_a_notice_is_there_until_it_is_taken_down(board: NoticeBoard, page: Page) -> None:
    board.post(notice())
    assert page.shown == ["demo:1"]
    assert page.events[-1]["notices"][0]["time"] == "2026-11-20T03:13:00Z"
    board.withdraw("demo:1")
    assert page.shown == []


def test_a_changed_notice_takes_the_place_of_the_old(board: NoticeBoard, page: Page) -> None:
    board.post(notice())
    board.post(notice(message="It is worse."))
    assert page.shown == ["demo:1"]
    assert page.events[-1]["notices"][0]["message"] == "It is worse."


def test_nothing_is_published_where_nothing_changes(board: NoticeBoard, page: Page) -> None:
    board.post(notice())
    board.post(notice())
    board.withdraw("never there")
    assert len(page.events) == 1


def test_notices_are_told_oldest_first(board: NoticeBoard, page: Page) -> None:
    for number, minute in ((1, 3), (2, 1), (3, 2)):
        board.post(notice(number, minute=minute))
    assert page.shown == ["demo:2", "demo:3", "demo:1"]


def test_the_oldest_make_room_for_new_ones(board: NoticeBoard, page: Page) -> None:
    for number in range(MOST_NOTICES + 10):
        board.post(notice(number))
    assert page.shown == [f"demo:{number}" for number in range(10, MOST_NOTICES + 10)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 70), st.text(max_size=2)), max_size=150))
def test_the_last_event_is_always_the_whole_truth(steps: list[tuple[bool, int, str]]) -> None:
    page = Page()
    board = NoticeBoard(page.publish)
    board.send()
    holds: dict[str, Notice] = {}
    for post, number, message in steps:
        known = notice(number, message=message)
        if post:
            board.post(known)
            holds[known.id] = known
            if len(holds) > MOST_NOTICES:
                del holds[min(holds, key=lambda id_: holds[id_].time)]
        else:
            board.withdraw(known.id)
            holds.pop(known.id, None)
    assert set(page.shown) == set(holds)
    before_and_after = zip(page.events, page.events[1:], strict=False)
    assert all(before != after for before, after in before_and_after)


def test_threads_end_with_the_same_truth(board: NoticeBoard, page: Page) -> None:
    def work(first: int) -> None:
        for number in range(first, first + 20):
            board.post(notice(number))
            if number % 2:
                board.withdraw(f"demo:{number}")

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 20, 40, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert page.shown == [f"demo:{number}" for number in range(0, 80, 2)]


def test_a_notice_that_cannot_be_sent_takes_no_other_along(board: NoticeBoard, page: Page) -> None:
    board.post(notice(1))
    with pytest.raises(UnicodeEncodeError):
        board.post(notice(2, message="\ud800"))
    board.post(notice(3))
    assert page.shown == ["demo:1", "demo:3"]
