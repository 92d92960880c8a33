"""Signals that end programs, and what they usually mean.

Pure: standard library only.
"""

from __future__ import annotations

import signal

#: What a signal usually means, for those that programs end by.
_USUALLY = {
    "SIGSEGV": "a fault in compiled code",
    "SIGBUS": "a fault in compiled code, or /dev/shm or a disk is full",
    "SIGFPE": "a fault in compiled code",
    "SIGILL": "compiled code made for another processor",
    "SIGABRT": "compiled code that found a fault and gave up",
    "SIGTERM": "some program asked it to end",
    "SIGINT": "it was interrupted before it could handle that",
    "SIGHUP": "some program asked it to end",
    "SIGXCPU": "its limit of CPU time was met",
    "SIGXFSZ": "a file grew beyond the limit",
}


def signal_of(exit_code: int | None) -> int | None:
    """Return the signal that ended a process, or the one inside a shell that ran it."""
    if exit_code is None:
        return None
    number = -exit_code if exit_code < 0 else exit_code - 128
    known = 0 < number < signal.NSIG
    return number if exit_code < 0 or known else None


def signal_name(number: int) -> str:
    """Return a signal's name, such as SIGSEGV."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def usual_reason(name: str) -> str | None:
    """Return what usually sends a signal, given its name."""
    return _USUALLY.get(name)
