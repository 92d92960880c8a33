"""What became of something is said as far as it is known, and no further."""

from __future__ import annotations

import pytest

from jupyter_einfra.activity.words import cause_of_death, died, failed, lost, name_of, stopped

from .made import failed as failure
from .made import kernel, run


@pytest.mark.parametrize(
    ("exit_code", "code", "message", "params"),
    [
        (None, "kernel_died", "died; why is not known", {}),
        (0, "kernel_exited", "ended by itself, with exit status 0", {"exit_code": 0}),
        (3, "kernel_exited", "ended by itself, with exit status 3", {"exit_code": 3}),
        (
            -9,
            "kernel_killed",
            "was killed by SIGKILL; whether for want of memory is not known",
            {"memory_known": 0},
        ),
        (-10, "kernel_crashed", "crashed: SIGUSR1", {"signal": 10, "signal_name": "SIGUSR1"}),
        (
            -11,
            "kernel_crashed",
            "crashed: SIGSEGV, usually a fault in compiled code",
            {"signal": 11, "signal_name": "SIGSEGV"},
        ),
    ],
)
def test_of_an_exit_status_only_what_it_tells_is_said(
    exit_code: int | None, code: str, message: str, params: dict[str, object]
) -> None:
    cause = cause_of_death(exit_code)
    assert (cause.code, cause.params) == (code, params)
    assert cause.message == message


@pytest.mark.parametrize("restarted", [True, False])
def test_who_reads_of_a_death_knows_what_to_do(restarted: bool) -> None:
    death = kernel(192, restarted=restarted, cause=None, execution_count=None)
    told = died(death, 1)
    then = "It was started anew; its variables are lost." if restarted else "Restart it."
    assert told.message == (f"The kernel of train.ipynb died; why is not known (03:12 UTC). {then}")
    assert told.params["restarted"] == int(restarted)
    assert died(death, 2).message == f"{told.message} It died 2 times."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "train.ipynb stopped at cell [14] with KeyError: 'station_id'."),
        ({"error_text": ""}, "train.ipynb stopped at cell [14] with KeyError."),
        (
            {"error_name": None, "error_text": None},
            "train.ipynb stopped at cell [14] with an error.",
        ),
        ({"execution_count": None}, "train.ipynb stopped with KeyError: 'station_id'."),
    ],
)
def test_an_error_is_told_with_what_there_is_of_it(change: dict[str, None], said: str) -> None:
    told = failed(failure(0, 2, **change), 1, 0)
    assert told.message == said
    assert told.params["seconds"] == 120
    assert failed(failure(0, 2, **change), 2, 0).message == f"{said[:-1]} (2 times)."


@pytest.mark.parametrize("text", ["Out of memory (0 bytes).", "CUDA out of memory. Of the …"])
def test_an_errors_own_words_may_end_the_sentence(text: str) -> None:
    run_out = failure(0, 2, error_name="OutOfMemoryError", error_text=text)
    begin = f"train.ipynb stopped at cell [14] with OutOfMemoryError: {text}"
    assert failed(run_out, 1, 0).message == begin
    assert failed(run_out, 2, 0).message == f"{begin} (2 times)."
    assert failed(run_out, 1, 2).message == f"{begin} 2 other errors followed."


def test_of_what_did_not_end_by_itself_is_told_how_long_it_ran() -> None:
    ran = run(0, 2, outcome="restarted")
    assert (lost(ran).params["seconds"], stopped(ran).params["seconds"]) == (120, 120)
    assert stopped(run(0, 2, outcome="unheard-of")).params["why"] == "unknown"


def test_what_has_no_name_is_told_by_the_beginning_of_its_id() -> None:
    assert name_of(None, "0123456789abcdef").startswith("kernel 0123456")
    assert name_of("data/a.ipynb", "k1") == "a.ipynb"
    assert name_of("data/", "k1") == "data/"
