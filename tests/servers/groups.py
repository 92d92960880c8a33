"""Control groups of the tests' own, with real limits, where the machine allows it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path


class NoGroupsError(RuntimeError):
    """No control group can be made here; the message says why."""


def joining(groups: Iterable[Path], command: Sequence[str]) -> list[str]:
    """Make a command that enters the groups before it runs."""
    enter = 'until [ "$1" = -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'
    return ["sh", "-ec", enter, "sh", *map(str, groups), "--", *command]


def own_group(controller: str) -> tuple[Path, str]:
    """Find our group's folder and the version of its hierarchy, or say why not."""
    awk = shutil.which("awk")
    if awk is None:
        raise NoGroupsError("there is no awk to look for control groups with")

    def ask(script: str, path: str) -> str:
        command = [awk, "-F", "[: ]", "-v", f"c={controller}", script, path]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    if path := ask('("," $2 ",") ~ ("," c ",") {print $3}', "/proc/self/cgroup"):
        find = '$3 == "cgroup" && ("," $4 ",") ~ ("," c ",") {print $2}'
        mount = ask(find, "/proc/mounts")
        version = "v1"
    else:
        path = ask('$2 == "" {print $3}', "/proc/self/cgroup")
        mount = ask('$3 == "cgroup2" {print $2}', "/proc/mounts")
        version = "v2"
    folder = Path(mount) / path.lstrip("/")
    if not mount or not folder.is_dir():
        raise NoGroupsError(f"this machine does not show us our group for {controller}")
    return folder, version


class Groups:
    """Child groups for cpu, cpuacct and memory, with limits."""

    def __init__(self) -> None:
        self._made: list[Path] = []
        self.version = own_group("memory")[1]
        if own_group("cpu")[1] != self.version:
            raise NoGroupsError("cpu and memory are in hierarchies of different versions")
        try:
            # Where a group can be made, its CPU may still not be ours to limit.
            self.make(cores=1.0, memory_bytes=1 << 30)
        finally:
            self.remove()
            self._made.clear()

    def make(self, *, cores: float, memory_bytes: int) -> dict[str, Path]:
        """Make groups; say why where that is not allowed."""
        name = f"einfra-test-{uuid.uuid4().hex[:12]}"
        try:
            if self.version == "v2":
                # Beside our own group, which has processes and so can have no children
                # with controllers.
                group = self._mkdir(own_group("memory")[0].parent / name)
                (group / "memory.max").write_text(str(memory_bytes))
                (group / "cpu.max").write_text(f"{int(cores * 100000)} 100000")
                return {"memory": group, "cpu": group}
            made = {c: self._mkdir(own_group(c)[0] / name) for c in ("memory", "cpu", "cpuacct")}
            (made["memory"] / "memory.limit_in_bytes").write_text(str(memory_bytes))
            (made["cpu"] / "cpu.cfs_quota_us").write_text(str(int(cores * 100000)))
        except OSError as error:
            raise NoGroupsError(f"no control group can be made here: {error}") from error
        return made

    def used_bytes(self, group: Path) -> int:
        """Memory in use that the system cannot take back."""
        name, *reclaimable = (
            ("memory.current", "inactive_file", "active_file")
            if self.version == "v2"
            else ("memory.usage_in_bytes", "total_inactive_file", "total_active_file")
        )
        parts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return int((group / name).read_text()) - sum(int(parts[part]) for part in reclaimable)

    def kill(self, group: Path) -> None:
        """Kill every process at once, as the system does where ``memory.oom.group`` is set."""
        while pids := (group / "cgroup.procs").read_text().split():
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.01)

    def _mkdir(self, group: Path) -> Path:
        if group not in self._made:
            group.mkdir(exist_ok=True)  # cpu and cpuacct may be one
            self._made.append(group)
        return group

    def remove(self) -> None:
        """Remove what was made; a process may take a moment to leave."""
        deadline = time.monotonic() + 10
        for group in self._made:
            while group.is_dir():
                try:
                    group.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
