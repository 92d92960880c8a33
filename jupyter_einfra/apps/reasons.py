"""Why an application cannot be started, in words.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from datetime import datetime

from ..models import Params, Reason

UNKNOWN = Reason(code="app_not_looked_for", message="It is being looked for. Ask again.", params={})


def text(name: str) -> str:
    """Name a file as far as it is text: names are bytes, and JSON is not."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def missing(title: str, programs: Sequence[str], command: str) -> Reason:
    """Say that no program was found, and how it is installed."""
    return _reason(
        "app_not_installed",
        f"{title} is not installed here: the program {' or '.join(programs)} was not found. "
        f"Whoever builds the image installs it with: {command}",
        title,
        programs=", ".join(programs),
        command=command,
    )


def incomplete(title: str, programs: Sequence[str], command: str) -> Reason:
    """Say that something is not installed that a program takes."""
    return _reason(
        "app_incomplete",
        f"{title} is installed here, but not all that it takes: none of the programs "
        f"{', '.join(programs)} was found. Whoever builds the image installs one with: {command}",
        title,
        programs=", ".join(programs),
        command=command,
    )


def not_executable(title: str, path: str) -> Reason:
    """Say that a program has the wrong mode."""
    return _reason(
        "app_not_executable",
        f"{text(path)} is there and may not be executed. Whoever builds the image sets its mode.",
        title,
        path=text(path),
    )


def unusable(title: str, error: object) -> Reason:
    """Word a fault in the description of an application, or around it."""
    said = text(str(error)) or type(error).__name__
    return _reason("app_unusable", f"{title} cannot be used here: {said}", title, error=said)


def unstartable(title: str, error: object) -> Reason:
    """Word what the system says of a program that it does not execute."""
    said = text(str(error))
    return _reason(
        "app_unstartable",
        f"{title} cannot be started: {said}. Whoever builds the image checks its program.",
        title,
        error=said,
    )


def unwritable(title: str, error: OSError) -> Reason:
    """Word a disk that is full or may not be written."""
    where = text(str(error.filename or "the disk"))
    said = text(error.strerror or str(error))
    message = f"{title} cannot be started: {where}: {said}. "
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        message += "Delete what you do not need, then try again."
        return _reason("app_disk_full", message, title, path=where, error=said)
    message += "Look at its permissions, or tell the operator."
    return _reason("app_disk_unwritable", message, title, path=where, error=said)


def not_ready(title: str, seconds: float) -> Reason:
    """Say that a start took longer than it may."""
    return _reason(
        "app_not_ready",
        f"{title} was not ready after {seconds:g} seconds and was stopped. Look at what it "
        "printed, then try again.",
        title,
        seconds=seconds,
    )


def opens_at_start(title: str, path: str) -> Reason:
    """Say that what runs already can only be told by hand what it is to show."""
    return _reason(
        "app_opens_at_start",
        f"{title} runs already. Open {text(path)} there, or stop it and open that again.",
        title,
        path=text(path),
    )


def saving(title: str, seconds: float) -> Reason:
    """Say why a stop takes its time."""
    return _reason(
        "app_saving",
        f"{title} saves what it works on, to go on with it later. This takes at most "
        f"{seconds:g} seconds.",
        title,
        seconds=seconds,
    )


def too_old(title: str, flags: Sequence[str], command: str) -> Reason:
    """Say that a program does not know what we ask of it."""
    return _reason(
        "app_too_old",
        f"{title} is too old here: it does not know {', '.join(flags)}. Whoever builds the "
        f"image installs a newer one: {command}",
        title,
        flags=", ".join(flags),
        command=command,
    )


def broken(title: str, program: str, error: str) -> Reason:
    """Say that a program that helps to start another one does not work."""
    return _reason(
        "app_broken",
        f"{title} cannot be started: {program} does not work ({text(error)}). Whoever builds "
        "the image installs it anew.",
        title,
        program=program,
        error=text(error),
    )


def no_folder(title: str, folder: str) -> Reason:
    """Say that the folder is gone that it was to be opened on."""
    path = text(folder)
    message = f"{title} cannot be started: there is no folder {path}."
    return _reason("app_no_folder", message, title, path=path)


def long_path(title: str, path: str) -> Reason:
    """Say that the temporary folder's path is too long for a socket."""
    return _reason(
        "app_path_too_long",
        f"{title} cannot be started: {path} is too long for a socket. Set TMPDIR to a shorter "
        "path.",
        title,
        path=path,
    )


def idle_soon(title: str, since: datetime, end: datetime) -> Reason:
    """Say that nobody uses it, and what will come of that."""
    return _reason(
        "app_idle",
        f"{title} has not been used since {_minute(since)} and will be stopped at "
        f"{_minute(end)}. Use it, or keep it, if you still need it.",
        title,
        since=since.isoformat(timespec="seconds"),
        end=end.isoformat(timespec="seconds"),
    )


def idle(title: str, since: datetime) -> Reason:
    """Say that it was stopped because nobody used it."""
    return _reason(
        "app_idle_stopped",
        f"{title} was stopped because nobody had used it since {_minute(since)}.",
        title,
        since=since.isoformat(timespec="seconds"),
    )


def _minute(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _reason(code: str, message: str, title: str, **params: str | float) -> Reason:
    given: Params = {"name": title, **params}
    return Reason(code=code, message=message, params=given)
