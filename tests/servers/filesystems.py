"""Small file systems of the tests' own that are full, read-only or do not answer."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class NoFilesystemError(RuntimeError):
    """No file system can be mounted here; the message says why."""


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except OSError as error:
        raise NoFilesystemError(f"{command[0]} cannot be run: {error}") from error
    if done.returncode:
        raise NoFilesystemError(f"{' '.join(command)} failed: {done.stderr.strip()}")


@contextmanager
def _mounted(folder: Path, *options: str) -> Iterator[Path]:
    if os.getuid() != 0:
        raise NoFilesystemError("only root may mount a file system")
    folder.mkdir()
    _run("mount", *options, str(folder))
    try:
        yield folder
    finally:
        # Lazily: what a test left open must not keep it from being taken away.
        subprocess.run(["umount", "-l", str(folder)], check=True, timeout=60)


@contextmanager
def small(folder: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a file system in memory that is soon full."""
    with _mounted(folder, "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs") as mounted:
        yield mounted


def fill(folder: Path) -> Path:
    """Take all space that there is; return the file to remove for it to be there again."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return ballast


def set_read_only(folder: Path, read_only: bool) -> None:
    """Remount so that nothing can be written, or that it can again."""
    _run("mount", "-o", f"remount,{'ro' if read_only else 'rw'}", str(folder))


@contextmanager
def on_a_disk(folder: Path) -> Iterator[Path]:
    """Mount a small disk of its own, which can then be `frozen`."""
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(16 * 2**20)
    _run("mkfs.ext4", "-q", "-F", str(image))
    with _mounted(folder, "-o", "loop", str(image)) as mounted:
        yield mounted


@contextmanager
def frozen(folder: Path) -> Iterator[None]:
    """Let every write to a disk hang, uninterruptibly, as a dead NFS server does."""
    _run("fsfreeze", "-f", str(folder))
    try:
        yield
    finally:
        subprocess.run(["fsfreeze", "-u", str(folder)], check=True, timeout=60)
