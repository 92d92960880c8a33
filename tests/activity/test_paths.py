"""Whatever became of a notebook's name, it is found under the one that it has now."""

from __future__ import annotations

import pytest

from jupyter_einfra.activity.models import FileEvent
from jupyter_einfra.activity.paths import Paths

from .made import at, file


@pytest.mark.parametrize(
    ("changes", "now"),
    [
        ([], "a.ipynb"),
        ([file(5, "renamed", "b.ipynb", "a.ipynb")], "b.ipynb"),
        (
            [file(5, "renamed", "b.ipynb", "a.ipynb"), file(6, "renamed", "c.ipynb", "b.ipynb")],
            "c.ipynb",
        ),
        ([file(-5, "renamed", "b.ipynb", "a.ipynb")], "a.ipynb"),  # it was another one
        ([file(5, "deleted", "a.ipynb")], None),
        ([file(5, "renamed", "b.ipynb", "a.ipynb"), file(6, "deleted", "b.ipynb")], None),
        ([file(5, "deleted", "a.ipynb"), file(6, "saved", "a.ipynb")], "a.ipynb"),
        ([file(5, "saved", "a.ipynb"), file(6, "deleted", "a.ipynb")], None),
        ([file(5, "copied", "b.ipynb", "a.ipynb")], "a.ipynb"),
        (
            [  # two that change places
                file(5, "renamed", "x.ipynb", "a.ipynb"),
                file(6, "renamed", "a.ipynb", "b.ipynb"),
                file(7, "renamed", "b.ipynb", "x.ipynb"),
            ],
            "b.ipynb",
        ),
        ([file(5, "renamed", "a.ipynb", "a.ipynb")], "a.ipynb"),
    ],
)
def test_a_notebook_is_followed(changes: list[FileEvent], now: str | None) -> None:
    assert Paths(changes).now("a.ipynb", at(0)) == now
    assert Paths(reversed(changes)).now("a.ipynb", at(0)) == now


def test_a_notebook_moves_with_its_folder() -> None:
    paths = Paths([file(5, "renamed", "new/deep", "old"), file(6, "renamed", "top", "new")])
    assert paths.now("old/sub/a.ipynb", at(0)) == "top/deep/sub/a.ipynb"
    assert paths.now("older/a.ipynb", at(0)) == "older/a.ipynb"


def test_a_notebook_goes_with_its_folder() -> None:
    assert Paths([file(5, "deleted", "old")]).now("old/a.ipynb", at(0)) is None


def test_of_a_folder_and_a_file_the_one_that_moved_first_is_followed_first() -> None:
    changes = [
        file(5, "renamed", "d/b.ipynb", "d/a.ipynb"),
        file(6, "renamed", "e", "d"),
    ]
    assert Paths(changes).now("d/a.ipynb", at(0)) == "e/b.ipynb"
    changes = [file(5, "renamed", "e", "d"), file(6, "renamed", "e/b.ipynb", "e/a.ipynb")]
    assert Paths(changes).now("d/a.ipynb", at(0)) == "e/b.ipynb"


def test_a_name_is_followed_from_each_time_by_itself() -> None:
    paths = Paths(
        [
            file(5, "renamed", "b.ipynb", "a.ipynb"),
            file(10, "saved", "a.ipynb"),
            file(15, "renamed", "c.ipynb", "a.ipynb"),
        ]
    )
    for _ in range(2):  # what was found once is remembered
        assert paths.now("a.ipynb", at(0)) == "b.ipynb"
        assert paths.now("a.ipynb", at(10)) == "c.ipynb"
        assert paths.now("a.ipynb", at(20)) == "a.ipynb"


def test_names_without_end_take_no_time_without_end() -> None:
    deep = "/".join(["d"] * 2000)
    there = [file(n, "renamed", "b", "a") for n in range(0, 20_000, 2)]
    back = [file(n, "renamed", "a", "b") for n in range(1, 20_000, 2)]
    paths = Paths([*there, *back, file(0, "deleted", "x")])
    for minute in range(5000):
        assert paths.now("a", at(minute)) in {"a", "b"}
        paths.now(f"{deep}/{minute}", at(minute))


def test_a_circle_ends() -> None:
    ring = [
        file(minute, "renamed", f"{(minute + 1) % 3}", f"{minute % 3}") for minute in range(500)
    ]
    assert Paths(ring).now("0", at(0)) in {"0", "1", "2"}
