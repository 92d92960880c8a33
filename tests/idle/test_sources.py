"""Whatever becomes of the file or the controller, one knows at once and nothing hangs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from servers.controller import StandInController

from jupyter_einfra.idle import client
from jupyter_einfra.idle.models import TimeWanted
from jupyter_einfra.idle.sources import Controller, Source, StateFile

from .made import NOW, at, state


def code(source: Source) -> str | None:
    return None if source.problem is None else source.problem.code


class TestFile:
    def test_it_is_read_anew_when_it_is_another(self, tmp_path: Path) -> None:
        path = tmp_path / "state.json"
        source = StateFile(path)
        assert not source.look(NOW)
        assert code(source) == "idle_file_missing"
        path.write_text(json.dumps(state(counter=1)))
        assert source.look(NOW)
        assert source.state is not None
        assert source.state.counter == 1
        assert not source.look(NOW)
        # As Kubernetes does it: a link leads to another folder.
        new = tmp_path / "new.json"
        new.write_text(json.dumps(state(counter=3)))
        new.replace(path)
        assert source.look(NOW)
        assert source.state.counter == 3
        path.unlink()
        assert source.look(NOW)
        assert code(source) == "idle_file_missing"

    def test_an_annotation_that_is_not_there_is_an_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "state.json"
        path.write_text("\n")
        source = StateFile(path)
        source.look(NOW)
        assert code(source) == "idle_file_missing"

    @pytest.mark.parametrize("content", [b"{", b"<html>", b"\xff", b"[" * 90_000, b"x" * 200_000])
    def test_what_makes_no_sense_is_told_and_got_over(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "state.json"
        path.write_bytes(content)
        source = StateFile(path)
        assert source.look(NOW)
        assert (source.state, code(source)) == (None, "idle_file_malformed")
        path.write_text(json.dumps(state()))
        assert source.look(NOW)
        assert code(source) is None

    def test_what_is_no_file_is_told(self, tmp_path: Path) -> None:
        source = StateFile(tmp_path)
        source.look(NOW)
        assert code(source) == "idle_file_unreadable"
        os.mkfifo(tmp_path / "pipe")
        source = StateFile(tmp_path / "pipe")
        source.look(NOW)  # does not wait for somebody to write
        assert source.state is None
        source = StateFile(tmp_path / "pipe/below")
        source.look(NOW)
        assert code(source) == "idle_file_missing"


class TestController:
    def test_it_is_asked_once_in_a_while(self) -> None:
        with StandInController() as controller:
            controller.state = state()
            source = Controller(controller.url, "secret", 300.0)
            assert source.look(NOW)
            assert source.state is not None
            assert not source.look(NOW + 299)
            assert len(controller.asked) == 1
            assert not source.look(NOW + 301)
            source.forget()
            source.look(NOW + 302)
            source.look(NOW - 1000)  # the clock was set back
            assert len(controller.asked) == 4

    def test_its_last_word_stands_while_it_is_silent(self) -> None:
        with StandInController() as controller:
            controller.state = state(counter=1)
            source = Controller(controller.url, "secret", 1.0)
            source.look(NOW)
            controller.state = b"<!doctype html><title>Bad Gateway</title>"
            assert source.look(NOW + 2)
            assert source.state is not None
            assert code(source) == "idle_controller_malformed"
            controller.status = 502
            source.look(NOW + 4)
            assert code(source) == "idle_controller_unreachable"
        source.look(NOW + 6)
        assert code(source) == "idle_controller_unreachable"
        assert source.state.counter == 1

    @pytest.mark.parametrize(
        "url",
        ["http://127.0.0.1:1/", "http://[bad", "ftp://host/", "file:///etc/passwd", "http://", ""],
    )
    def test_one_that_cannot_be_reached_is_told(self, url: str) -> None:
        source = Controller(url, "secret", 1.0)
        source.look(NOW)
        assert code(source) == "idle_controller_unreachable"
        assert source.problem is not None
        assert "secret" not in source.problem.message

    def test_an_answer_without_end_is_cut(self) -> None:
        with StandInController() as controller:
            controller.state = b" " * 1_000_000
            source = Controller(controller.url, "secret", 1.0)
            source.look(NOW)
            assert source.problem is not None
            assert "too long" in source.problem.message

    def test_one_that_drips_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(client, "_PATIENCE_SECONDS", 0.5)
        with StandInController() as controller:
            controller.state = b" " * 60_000
            controller.pause_seconds = 0.1
            source = Controller(controller.url, "secret", 1.0)
            begin = time.monotonic()
            source.look(NOW)
            assert time.monotonic() - begin < 5
            assert code(source) == "idle_controller_unreachable"

    def test_nor_does_one_that_drips_by_the_byte_hold_anybody(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "_PATIENCE_SECONDS", 0.5)
        with StandInController() as controller:
            controller.state = b" " * 200
            controller.piece_bytes = 1
            controller.pause_seconds = 0.1
            source = Controller(controller.url, "secret", 1.0)
            begin = time.monotonic()
            source.look(NOW)
            assert time.monotonic() - begin < 5
            assert code(source) == "idle_controller_unreachable"

    def test_a_redirect_does_not_lead_the_token_elsewhere(self) -> None:
        with StandInController() as controller:
            controller.status = 302
            source = Controller(controller.url, "secret", 1.0)
            source.look(NOW)
            assert code(source) == "idle_controller_unreachable"

    def test_more_time_is_asked_for_and_the_answer_passed_on(self) -> None:
        with StandInController() as controller:
            source = Controller(controller.url, "secret", 1.0)
            controller.answer = {"granted": True, "until": at(NOW), "text": "Good luck."}
            answer = source.more_time(TimeWanted(seconds=3600, why="a long run"))
            assert (answer.granted, answer.text) == (True, "Good luck.")
            assert controller.asked == [("POST", {"seconds": 3600, "why": "a long run"})]
            # One that says no may say so with its status, too.
            controller.status = 409
            controller.answer = {"granted": False, "until": None, "text": "Twice a year."}
            assert source.more_time(TimeWanted(seconds=60, why="x")).text == "Twice a year."
            controller.answer = {"detail": "no"}
            with pytest.raises(client.Unanswered):
                source.more_time(TimeWanted(seconds=60, why="x"))
