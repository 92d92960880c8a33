"""Folders have short names that differ where the folders do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_einfra.apps.folders import short_names


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["/home/a/runs"], ["runs"]),
        (["/home/a/runs", "/home/b/logs"], ["runs", "logs"]),
        (["/home/a/runs", "/home/b/runs"], ["a/runs", "b/runs"]),
        (["/x/a/runs", "/y/a/runs", "/y/b/runs"], ["x/a/runs", "y/a/runs", "b/runs"]),
        (["/runs", "/home/runs"], ["/runs", "home/runs"]),
        (["/", "/home"], ["/", "home"]),
        ([], []),
    ],
)
def test_as_short_as_can_be(folders: list[str], names: list[str]) -> None:
    assert [short_names(folders)[folder] for folder in folders] == names


@given(
    st.sets(st.lists(st.sampled_from("abc"), max_size=4).map(lambda parts: "/" + "/".join(parts)))
)
def test_no_two_have_the_same(folders: set[str]) -> None:
    named = short_names(folders)
    assert named.keys() == folders
    assert len(set(named.values())) == len(folders)
    assert all(folder.endswith(name) for folder, name in named.items())
