"""Control groups of every layout that a server may find itself in, from fixture trees."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jupyter_einfra.usage.figures import CpuReading, Limit, MemoryReading, cpu_usage, memory_usage
from jupyter_einfra.usage.probes import machine
from jupyter_einfra.usage.probes.cgroup import CgroupProbe
from jupyter_einfra.usage.probes.disks import DiskProbe
from jupyter_einfra.usage.probes.system import SystemProbes

GIB = 1 << 30
MACHINE_CORES = 64.0
MACHINE_BYTES = 512 * GIB
NO_LIMIT_V1 = 9223372036854771712
NO_LIMIT_V1_64K_PAGES = 9223372036854710272

CGROUP = "/sys/fs/cgroup"
POD = "/kubepods.slice/kubepods-pod1b4c.slice"
CONTAINER = f"{POD}/cri-containerd-9f2e.scope"
SCOPE = "/user.slice/user-1000.slice/user@1000.service/app.slice/app-term.scope"
KUBERNETES = {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}

#: value, limit, what sets the limit, scope, source
Figures = tuple[float, float, str, str, str]


@dataclass
class Tree:
    """Builds the files that a kernel would show."""

    root: Path
    memberships: dict[str, str] = field(default_factory=dict)
    mounts: list[str] = field(default_factory=list)

    def write(self, path: str, text: str) -> None:
        """Write a file below the tree's root."""
        target = self.root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8", "surrogateescape")

    def remove(self, path: str) -> None:
        """Take away a folder, or put one in the place of a file that cannot be read."""
        target = self.root / path.lstrip("/")
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink()
            target.mkdir()

    def member(self, **paths: str) -> None:
        """Say which groups the process is in; ``v2`` or the controllers, with _ for a comma."""
        self.memberships.update(paths)
        lines = [
            f"{number}:{'' if name == 'v2' else name.replace('_', ',')}:{path}\n"
            for number, (name, path) in enumerate(self.memberships.items())
        ]
        self.write("/proc/self/cgroup", "".join(lines))

    def mount(self, point: str, root: str = "/", controllers: str = "") -> None:
        """Mount a hierarchy: version 1 with controllers, else 2."""
        kind = f"cgroup cgroup rw,{controllers}" if controllers else "cgroup2 cgroup2 rw,nsdelegate"
        place = f"{40 + len(self.mounts)} 23 0:31 {root} {point} ro,nosuid master:9"
        self.mounts.append(f"{place} - {kind}\n")
        others = "22 27 0:21 / /proc rw - proc proc rw\n23 27 0:22 / /sys ro - sysfs sysfs ro\n"
        self.write("/proc/self/mountinfo", others + "".join(self.mounts))

    def v2(
        self,
        path: str,
        *,
        seconds: float,
        cores: str | None = "max 100000",
        memory: float | None = 0,
        most: str = "max",
    ) -> None:
        """Make a group; ``memory`` is GiB in use besides 1 GiB of old file cache."""
        self.write(f"{path}/cgroup.type", "domain\n")
        used = round(seconds * 1e6)
        stat = f"usage_usec {used}\nuser_usec {used}\nsystem_usec 0\nnr_periods 10\n"
        self.write(f"{path}/cpu.stat", f"{stat}nr_throttled 4\nthrottled_usec 1500000\n")
        if cores is not None:
            self.write(f"{path}/cpu.max", f"{cores}\n")
        if memory is not None:
            self.write(f"{path}/memory.current", f"{round((memory + 1) * GIB)}\n")
            self.write(f"{path}/memory.max", f"{most}\n")
            stat = f"anon {round(memory * GIB)}\nfile {GIB}\nshmem 0\nanon_thp 7\n"
            self.write(f"{path}/memory.stat", f"{stat}inactive_file {GIB}\nactive_file 0\n")
            self.write(f"{path}/memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n")

    def v2_root(self, path: str, *, seconds: float) -> None:
        """Make the root of all groups, which has no limits, no type, no memory.current."""
        self.write(f"{path}/cpu.stat", f"usage_usec {round(seconds * 1e6)}\nuser_usec 1\n")
        self.write(f"{path}/memory.stat", "anon 4096\ninactive_file 0\n")

    def v1_cpu(self, path: str, *, quota: int = -1) -> None:
        """Make a group of the cpu controller; ``quota`` in microseconds of 100,000."""
        self.write(f"{path}/cpu.cfs_quota_us", f"{quota}\n")
        self.write(f"{path}/cpu.cfs_period_us", "100000\n")
        stat = "nr_periods 10\nnr_throttled 4\nthrottled_time 1500000000\n"
        self.write(f"{path}/cpu.stat", stat)

    def v1_cpuacct(self, path: str, *, seconds: float) -> None:
        """Make a group of the cpuacct controller."""
        self.write(f"{path}/cpuacct.usage", f"{round(seconds * 1e9)}\n")

    def v1_memory(
        self, path: str, *, memory: float, most: int = NO_LIMIT_V1, hidden: int = NO_LIMIT_V1
    ) -> None:
        """Make a group of the memory controller; ``hidden`` is a limit further up."""
        self.write(f"{path}/memory.usage_in_bytes", f"{round((memory + 1) * GIB)}\n")
        self.write(f"{path}/memory.limit_in_bytes", f"{most}\n")
        stat = f"cache 0\ninactive_file 7\nhierarchical_memory_limit {min(most, hidden)}\n"
        stat += f"total_cache {GIB}\ntotal_rss {round(memory * GIB)}\ntotal_shmem 0\n"
        stat += f"total_inactive_file {GIB}\ntotal_active_file 0\n"
        self.write(f"{path}/memory.stat", stat)
        self.write(f"{path}/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n")
        self.write(f"{path}/memory.failcnt", "0\n")

    def probe(self, environ: Mapping[str, str] | None = None) -> CgroupProbe:
        """Look at the tree as a server in it would."""
        return CgroupProbe(self.root, environ or {})


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture(autouse=True)
def known_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every machine that runs the tests has the same size."""
    monkeypatch.setattr(machine, "cpu_limit", lambda: Limit(MACHINE_CORES, "machine"))
    monkeypatch.setattr(machine, "memory_limit", lambda: Limit(MACHINE_BYTES, "machine"))


def v2_private(tree: Tree) -> None:
    tree.member(v2="/")
    tree.mount(CGROUP)
    tree.v2(CGROUP, seconds=12.5, cores="200000 100000", memory=2, most=str(4 * GIB))


def v2_docker(tree: Tree) -> None:
    v2_private(tree)
    tree.write("/.dockerenv", "")


def v2_podman(tree: Tree) -> None:
    v2_private(tree)
    tree.write("/run/.containerenv", "")


def v2_nested(
    tree: Tree,
    *,
    own: tuple[str, str] = ("max 100000", "max"),
    pod: tuple[str, str] = ("max 100000", "max"),
    slice_: tuple[str, str] = ("max 100000", "max"),
) -> None:
    tree.member(v2=CONTAINER)
    tree.mount(CGROUP)
    tree.v2_root(CGROUP, seconds=9000)
    tree.v2(f"{CGROUP}/kubepods.slice", seconds=500, cores=slice_[0], memory=50, most=slice_[1])
    tree.v2(f"{CGROUP}{POD}", seconds=40, cores=pod[0], memory=3, most=pod[1])
    tree.v2(f"{CGROUP}{CONTAINER}", seconds=10, cores=own[0], memory=2, most=own[1])


def v2_own_limit(tree: Tree) -> None:
    own, pod = ("200000 100000", str(4 * GIB)), ("200000 100000", str(4 * GIB))
    v2_nested(tree, own=own, pod=pod)


def v2_pod_limit(tree: Tree) -> None:
    v2_nested(tree, pod=("300000 100000", str(6 * GIB)))


def v2_ancestor_limit(tree: Tree) -> None:
    own, above = ("400000 100000", str(8 * GIB)), ("50000 100000", str(7 * GIB))
    v2_nested(tree, own=own, slice_=above)


def v2_two_mounts(tree: Tree) -> None:
    """A container that is also shown the host's hierarchy."""
    tree.mount("/host/cgroup", "/../../..")
    tree.v2_root("/host/cgroup", seconds=9000)
    v2_private(tree)


def v2_host_mount_only(tree: Tree) -> None:
    """A container that is shown the host's hierarchy in the place of its own."""
    tree.member(v2="/")
    tree.mount(CGROUP, "/../../..")
    tree.v2_root(CGROUP, seconds=9000)


def v2_laptop(tree: Tree) -> None:
    """A login session: no limits; memory is counted per user only."""
    tree.member(v2=SCOPE)
    tree.mount(CGROUP)
    tree.v2_root(CGROUP, seconds=9000)
    group = ""
    for number, part in enumerate(SCOPE.strip("/").split("/")):
        group += f"/{part}"
        memory = 5 if group == "/user.slice" else None
        tree.v2(f"{CGROUP}{group}", seconds=100 - number, cores=None, memory=memory)


def v2_real_root(tree: Tree) -> None:
    tree.member(v2="/")
    tree.mount(CGROUP)
    tree.v2_root(CGROUP, seconds=9000)


def v2_outside(tree: Tree) -> None:
    """A process that was put into a group beside its own namespace."""
    v2_private(tree)
    tree.member(v2="/../other")


def v2_dotted_name(tree: Tree) -> None:
    """A group whose name only looks like a way out of the namespace."""
    tree.member(v2="/..mine")
    tree.mount(CGROUP)
    tree.v2(CGROUP, seconds=100, memory=9)
    tree.v2(f"{CGROUP}/..mine", seconds=3, cores="100000 100000", memory=1, most=str(2 * GIB))


def v2_odd_names(tree: Tree) -> None:
    tree.member(v2="/system-a\\x2db.slice/has space:#\x0b\x85.scope")
    tree.mount("/sys/fs/c\\040group", "/system-a\\134x2db.slice")
    tree.v2("/sys/fs/c group", seconds=100, memory=9)
    odd = "/sys/fs/c group/has space:#\x0b\x85.scope"
    tree.v2(odd, seconds=3, cores="100000 100000", memory=1, most=str(2 * GIB))


def v2_not_utf8(tree: Tree) -> None:
    group = os.fsdecode(b"/r\xe9sum\xe9.scope")
    tree.member(v2=group)
    tree.mount(CGROUP)
    tree.v2(CGROUP + group, seconds=3, cores="100000 100000", memory=1, most=str(2 * GIB))


def v2_without_memory(tree: Tree) -> None:
    """A container for which nobody enabled the memory controller."""
    tree.member(v2="/")
    tree.mount(CGROUP)
    tree.v2(CGROUP, seconds=3, cores="100000 100000", memory=None)


def v1_separate(tree: Tree, group: str = "/kubepods/pod1/c1", root: str = "/") -> None:
    """Every controller at its own mount, with limits on our group."""
    tree.member(memory=group, cpuacct=group, cpu=group)
    inside = "" if root == group else group
    for controller in ("cpuset", "cpu", "cpuacct", "memory"):
        tree.mount(f"{CGROUP}/{controller}", root, controller)
    if inside:
        tree.v1_cpu(f"{CGROUP}/cpu")
        tree.v1_cpuacct(f"{CGROUP}/cpuacct", seconds=9000)
        tree.v1_memory(f"{CGROUP}/memory", memory=90)
    tree.v1_cpu(f"{CGROUP}/cpu{inside}", quota=150000)
    tree.v1_cpuacct(f"{CGROUP}/cpuacct{inside}", seconds=7)
    tree.v1_memory(f"{CGROUP}/memory{inside}", memory=2, most=3 * GIB)


def v1_docker(tree: Tree) -> None:
    """A private mount whose root is the host's path."""
    v1_separate(tree, "/docker/4f1c", "/docker/4f1c")


def v1_unseen(tree: Tree) -> None:
    """A path of the host that is not there in the container."""
    v1_separate(tree, "/", "/")
    tree.member(memory="/kubepods/p/c", cpuacct="/kubepods/p/c", cpu="/kubepods/p/c")


def v1_combined(tree: Tree, quota: int = 250000) -> None:
    tree.member(cpu_cpuacct="/lxc/one", memory="/lxc/one")
    tree.mount(f"{CGROUP}/cpu,cpuacct", controllers="cpu,cpuacct")
    tree.mount(f"{CGROUP}/memory", controllers="memory")
    for group, seconds in (("", 9000), ("/lxc", 30), ("/lxc/one", 7)):
        tree.v1_cpu(f"{CGROUP}/cpu,cpuacct{group}", quota=quota if group == "/lxc" else -1)
        tree.v1_cpuacct(f"{CGROUP}/cpu,cpuacct{group}", seconds=seconds)
        tree.v1_memory(f"{CGROUP}/memory{group}", memory=seconds / 10, most=NO_LIMIT_V1_64K_PAGES)


def v1_combined_unlimited(tree: Tree) -> None:
    v1_combined(tree, quota=-1)


def v1_twin(tree: Tree) -> None:
    """A limit above our group, with use counted at another mount."""
    v1_separate(tree)
    tree.v1_cpu(f"{CGROUP}/cpu/kubepods/pod1", quota=100000)
    tree.v1_cpuacct(f"{CGROUP}/cpuacct/kubepods/pod1", seconds=20)
    tree.v1_memory(f"{CGROUP}/memory/kubepods/pod1", memory=2.5, most=3 * GIB - 1)


def v1_apart(tree: Tree) -> None:
    """Only cpuacct and memory have us in a group; cpu, without a limit, has us in its root."""
    v1_separate(tree, "/batch/job7")
    tree.member(cpu="/")


def v1_hidden(tree: Tree) -> None:
    """A memory limit above the container, seen only in memory.stat."""
    v1_docker(tree)
    tree.v1_memory(f"{CGROUP}/memory", memory=2, hidden=5 * GIB)


def v1_private(tree: Tree) -> None:
    """A private namespace with nothing about it that tells of a container."""
    v1_separate(tree, "/", "/")


def v1_real_root(tree: Tree, no_limit: int = NO_LIMIT_V1) -> None:
    tree.member(cpu="/", cpuacct="/", memory="/", v2="/")
    for controller in ("cpu", "cpuacct", "memory"):
        tree.mount(f"{CGROUP}/{controller}", controllers=controller)
    tree.v1_cpu(f"{CGROUP}/cpu")
    tree.v1_cpuacct(f"{CGROUP}/cpuacct", seconds=9000)
    tree.v1_memory(f"{CGROUP}/memory", memory=90, most=no_limit)


def v1_real_root_64k_pages(tree: Tree) -> None:
    v1_real_root(tree, NO_LIMIT_V1_64K_PAGES)


def hybrid(tree: Tree) -> None:
    """Version 1 with a version 2 hierarchy beside it that has no controllers."""
    tree.mount(f"{CGROUP}/unified")
    tree.v2(f"{CGROUP}/unified/kubepods/pod1/c1", seconds=1, cores=None, memory=None)
    tree.v2_root(f"{CGROUP}/unified", seconds=9000)
    tree.member(v2="/kubepods/pod1/c1")
    v1_separate(tree)


def name_too_long(tree: Tree) -> None:
    """A name that no file system takes, so that even to look for it fails."""
    v1_separate(tree, "/", "/")
    tree.member(memory="/docker" + "x" * 300, cpuacct="/docker" + "x" * 300)


def no_sys(tree: Tree) -> None:
    """Mounts are listed but none is visible."""
    v1_separate(tree)
    tree.remove("/sys")


def no_mounts(tree: Tree) -> None:
    tree.member(v2="/")
    tree.write("/proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n")


def nothing(_: Tree) -> None:
    """No /proc, no /sys."""


NO_ENVIRON: dict[str, str] = {}

LAYOUTS: list[tuple[Callable[[Tree], None], dict[str, str], Figures | None, Figures | None]] = [
    (
        v2_private,
        KUBERNETES,
        (12.5, 2, "cgroup", "container", "cgroup-v2"),
        (2 * GIB, 4 * GIB, "cgroup", "container", "cgroup-v2"),
    ),
    (
        v2_private,  # of a batch system, say
        NO_ENVIRON,
        (12.5, 2, "cgroup", "cgroup", "cgroup-v2"),
        (2 * GIB, 4 * GIB, "cgroup", "cgroup", "cgroup-v2"),
    ),
    (
        v2_docker,
        NO_ENVIRON,
        (12.5, 2, "cgroup", "container", "cgroup-v2"),
        (2 * GIB, 4 * GIB, "cgroup", "container", "cgroup-v2"),
    ),
    (
        v2_podman,
        NO_ENVIRON,
        (12.5, 2, "cgroup", "container", "cgroup-v2"),
        (2 * GIB, 4 * GIB, "cgroup", "container", "cgroup-v2"),
    ),
    (
        v2_own_limit,
        NO_ENVIRON,
        (10, 2, "cgroup", "container", "cgroup-v2"),
        (2 * GIB, 4 * GIB, "cgroup", "container", "cgroup-v2"),
    ),
    (
        v2_pod_limit,
        NO_ENVIRON,
        (40, 3, "cgroup", "container", "cgroup-v2"),
        (3 * GIB, 6 * GIB, "cgroup", "container", "cgroup-v2"),
    ),
    (
        v2_ancestor_limit,
        NO_ENVIRON,
        (500, 0.5, "cgroup", "container", "cgroup-v2"),
        (50 * GIB, 7 * GIB, "cgroup", "container", "cgroup-v2"),
    ),
    (
        v2_nested,
        NO_ENVIRON,
        (10, MACHINE_CORES, "machine", "container", "cgroup-v2"),
        (2 * GIB, MACHINE_BYTES, "machine", "container", "cgroup-v2"),
    ),
    (
        v2_two_mounts,
        KUBERNETES,
        (12.5, 2, "cgroup", "container", "cgroup-v2"),
        (2 * GIB, 4 * GIB, "cgroup", "container", "cgroup-v2"),
    ),
    (
        v2_host_mount_only,
        KUBERNETES,
        (9000, MACHINE_CORES, "machine", "machine", "cgroup-v2"),
        None,
    ),
    (
        v2_laptop,
        NO_ENVIRON,
        (96, MACHINE_CORES, "machine", "cgroup", "cgroup-v2"),
        (5 * GIB, MACHINE_BYTES, "machine", "cgroup", "cgroup-v2"),
    ),
    (v2_real_root, NO_ENVIRON, (9000, MACHINE_CORES, "machine", "machine", "cgroup-v2"), None),
    (
        v2_outside,
        {"container": "podman"},
        (12.5, 2, "cgroup", "container", "cgroup-v2"),
        (2 * GIB, 4 * GIB, "cgroup", "container", "cgroup-v2"),
    ),
    (
        v2_dotted_name,
        NO_ENVIRON,
        (3, 1, "cgroup", "cgroup", "cgroup-v2"),
        (GIB, 2 * GIB, "cgroup", "cgroup", "cgroup-v2"),
    ),
    (
        v2_odd_names,
        NO_ENVIRON,
        (3, 1, "cgroup", "cgroup", "cgroup-v2"),
        (GIB, 2 * GIB, "cgroup", "cgroup", "cgroup-v2"),
    ),
    (
        v2_not_utf8,
        NO_ENVIRON,
        (3, 1, "cgroup", "cgroup", "cgroup-v2"),
        (GIB, 2 * GIB, "cgroup", "cgroup", "cgroup-v2"),
    ),
    (v2_without_memory, KUBERNETES, (3, 1, "cgroup", "container", "cgroup-v2"), None),
    (
        v1_separate,
        NO_ENVIRON,
        (7, 1.5, "cgroup", "container", "cgroup-v1"),
        (2 * GIB, 3 * GIB, "cgroup", "container", "cgroup-v1"),
    ),
    (
        v1_docker,
        NO_ENVIRON,
        (7, 1.5, "cgroup", "container", "cgroup-v1"),
        (2 * GIB, 3 * GIB, "cgroup", "container", "cgroup-v1"),
    ),
    (
        v1_unseen,
        NO_ENVIRON,
        (7, 1.5, "cgroup", "container", "cgroup-v1"),
        (2 * GIB, 3 * GIB, "cgroup", "container", "cgroup-v1"),
    ),
    (
        v1_combined,
        NO_ENVIRON,
        (30, 2.5, "cgroup", "container", "cgroup-v1"),
        (round(0.7 * GIB), MACHINE_BYTES, "machine", "container", "cgroup-v1"),
    ),
    (
        v1_combined_unlimited,
        NO_ENVIRON,
        (7, MACHINE_CORES, "machine", "container", "cgroup-v1"),
        (round(0.7 * GIB), MACHINE_BYTES, "machine", "container", "cgroup-v1"),
    ),
    (
        v1_twin,
        NO_ENVIRON,
        (20, 1, "cgroup", "container", "cgroup-v1"),
        (round(2.5 * GIB), 3 * GIB - 1, "cgroup", "container", "cgroup-v1"),
    ),
    (
        v1_apart,
        NO_ENVIRON,
        (7, MACHINE_CORES, "machine", "cgroup", "cgroup-v1"),
        (2 * GIB, 3 * GIB, "cgroup", "cgroup", "cgroup-v1"),
    ),
    (
        v1_hidden,
        NO_ENVIRON,
        (7, 1.5, "cgroup", "container", "cgroup-v1"),
        (2 * GIB, 5 * GIB, "cgroup", "container", "cgroup-v1"),
    ),
    (
        v1_private,
        NO_ENVIRON,
        (7, 1.5, "cgroup", "cgroup", "cgroup-v1"),
        (2 * GIB, 3 * GIB, "cgroup", "cgroup", "cgroup-v1"),
    ),
    (
        v1_real_root_64k_pages,
        NO_ENVIRON,
        (9000, MACHINE_CORES, "machine", "machine", "cgroup-v1"),
        (90 * GIB, MACHINE_BYTES, "machine", "machine", "cgroup-v1"),
    ),
    (
        v1_real_root,
        NO_ENVIRON,
        (9000, MACHINE_CORES, "machine", "machine", "cgroup-v1"),
        (90 * GIB, MACHINE_BYTES, "machine", "machine", "cgroup-v1"),
    ),
    (
        hybrid,
        NO_ENVIRON,
        (7, 1.5, "cgroup", "container", "cgroup-v1"),
        (2 * GIB, 3 * GIB, "cgroup", "container", "cgroup-v1"),
    ),
    (
        name_too_long,
        NO_ENVIRON,
        (7, 1.5, "cgroup", "container", "cgroup-v1"),
        (2 * GIB, 3 * GIB, "cgroup", "container", "cgroup-v1"),
    ),
    (no_sys, NO_ENVIRON, None, None),
    (no_mounts, KUBERNETES, None, None),
    (nothing, NO_ENVIRON, None, None),
]


def cpu_figures(reading: CpuReading | None) -> tuple[object, ...] | None:
    if reading is None:
        return None
    limit = reading.limit
    return reading.cpu_seconds, limit.value, limit.source, reading.scope, reading.source


def memory_figures(reading: MemoryReading | None) -> tuple[object, ...] | None:
    if reading is None:
        return None
    limit = reading.limit
    return reading.working_set_bytes, limit.value, limit.source, reading.scope, reading.source


@pytest.mark.parametrize(
    ("build", "environ", "cpu", "memory"),
    LAYOUTS,
    ids=[f"{number}-{layout[0].__name__}" for number, layout in enumerate(LAYOUTS)],
)
def test_each_layout_gives_the_groups_own_figures(
    tree: Tree,
    build: Callable[[Tree], None],
    environ: dict[str, str],
    cpu: Figures | None,
    memory: Figures | None,
) -> None:
    build(tree)
    probe = tree.probe(environ)
    for _ in range(2):
        read_cpu, read_memory = probe.read_cpu(), probe.read_memory()
        assert cpu_figures(read_cpu) == cpu
        assert memory_figures(read_memory) == memory
        assert read_cpu is None or read_cpu.reason is None
        assert read_memory is None or read_memory.reason is None
        probe.resolve()  # again, as the server does: nothing may change


def test_fewer_cpus_than_the_quota_are_the_limit(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "cpu_limit", lambda: Limit(1, "affinity"))
    v2_private(tree)
    assert cpu_figures(tree.probe().read_cpu()) == (12.5, 1, "affinity", "cgroup", "cgroup-v2")


def test_more_cache_than_use_is_not_negative(tree: Tree) -> None:
    v2_private(tree)
    tree.write(f"{CGROUP}/memory.current", "4096\n")
    reading = tree.probe().read_memory()
    assert reading is not None
    assert reading.working_set_bytes == 0


def test_without_control_groups_the_machine_is_read(tree: Tree) -> None:
    probes = SystemProbes(tree.probe(), DiskProbe([]), None)
    cpu, memory = probes.read_cpu(), probes.read_memory()
    assert (cpu.source, cpu.scope, cpu.limit.source) == ("psutil", "machine", "machine")
    assert (memory.source, memory.scope, memory.limit.source) == ("psutil", "machine", "machine")
    assert cpu.reason is None
    assert memory.reason is None


# What cannot be read becomes null with a reason.

FILES: list[tuple[Callable[[Tree], None], str, str, bool]] = [
    (v2_private, f"{CGROUP}/cpu.stat", "cpu", False),
    (v2_private, f"{CGROUP}/cpu.max", "cpu", True),
    (v2_private, f"{CGROUP}/memory.current", "memory", False),
    (v2_private, f"{CGROUP}/memory.stat", "memory", False),
    (v2_private, f"{CGROUP}/memory.max", "memory", True),
    (v2_pod_limit, f"{CGROUP}{POD}/cpu.max", "cpu", True),
    (v2_pod_limit, f"{CGROUP}{POD}/memory.max", "memory", True),
    (v1_docker, f"{CGROUP}/cpuacct/cpuacct.usage", "cpu", False),
    (v1_docker, f"{CGROUP}/cpu/cpu.cfs_quota_us", "cpu", True),
    (v1_docker, f"{CGROUP}/cpu/cpu.cfs_period_us", "cpu", True),
    (v1_docker, f"{CGROUP}/memory/memory.usage_in_bytes", "memory", False),
    (v1_docker, f"{CGROUP}/memory/memory.limit_in_bytes", "memory", True),
    (v1_hidden, f"{CGROUP}/memory/memory.stat", "memory", True),
]
file_ids = [f"{build.__name__}-{Path(path).name}" for build, path, _, _ in FILES]


def wire(probe: CgroupProbe) -> dict[str, dict[str, Any]]:
    """Say what the browser would be told, used cores standing for the seconds used."""
    cpu, memory = probe.read_cpu(), probe.read_memory()
    assert cpu is not None
    assert memory is not None
    told = cpu_usage(None, cpu)
    if cpu.cpu_seconds is not None:
        told = msgspec.structs.replace(told, used_cores=cpu.cpu_seconds, reason=None)
    encoded = msgspec.json.encode({"cpu": told, "memory": memory_usage(memory)})
    decoded: dict[str, dict[str, Any]] = msgspec.json.decode(encoded)
    return decoded


USED = {"cpu": "used_cores", "memory": "working_set_bytes"}
LIMIT = {"cpu": "limit_cores", "memory": "limit_bytes"}


@pytest.mark.parametrize(("build", "path", "kind", "sets_limit"), FILES, ids=file_ids)
def test_a_file_that_cannot_be_read_leaves_null_and_a_reason(
    tree: Tree, build: Callable[[Tree], None], path: str, kind: str, sets_limit: bool
) -> None:
    build(tree)
    probe = tree.probe()
    whole = wire(probe)
    tree.remove(path)
    told = wire(probe)
    other = "memory" if kind == "cpu" else "cpu"
    assert told[other] == whole[other]
    assert told[kind][USED[kind]] is None
    assert told[kind][LIMIT[kind]] == (None if sets_limit else whole[kind][LIMIT[kind]])
    assert told[kind]["limit_source"] == "cgroup"
    assert told[kind]["reason"]["code"] == "cgroup_unreadable"
    assert told[kind]["reason"]["params"]["path"] == str(tree.root) + path
    assert told[kind]["reason"]["params"]["error"] == "Is a directory"


@pytest.mark.parametrize(("build", "path", "kind", "sets_limit"), FILES, ids=file_ids)
def test_a_half_written_file_never_becomes_a_wrong_figure(
    tree: Tree, build: Callable[[Tree], None], path: str, kind: str, sets_limit: bool
) -> None:
    build(tree)
    probe = tree.probe()
    whole = wire(probe)
    text = (tree.root / path.lstrip("/")).read_text()
    refused = 0
    for end in range(len(text)):
        tree.write(path, text[:end])
        told = wire(probe)
        if told == whole:
            continue  # what matters was there
        refused += 1
        known = {name: value for name, value in told[kind].items() if value is not None}
        known.pop("reason", None)
        assert known.items() <= whole[kind].items()
        if not {USED[kind], LIMIT[kind]} <= known.keys():
            assert told[kind]["reason"]["code"] == "cgroup_unreadable"
    assert refused > 0
    tree.write(path, text)
    assert wire(probe) == whole


@pytest.mark.parametrize("build", [v2_private, v2_pod_limit, v1_docker, v1_separate, hybrid])
@pytest.mark.parametrize("path", ["/proc/self/cgroup", "/proc/self/mountinfo"])
def test_a_half_written_proc_file_changes_nothing_that_is_known(
    tree: Tree, build: Callable[[Tree], None], path: str
) -> None:
    build(tree)
    probe = tree.probe()
    whole = wire(probe)
    text = (tree.root / path.lstrip("/")).read_text()
    for end in range(len(text)):
        tree.write(path, text[:end])
        probe.resolve()
        assert wire(probe) == whole


def test_a_file_in_the_place_of_proc_is_survived(tree: Tree) -> None:
    v2_private(tree)
    probe = tree.probe()
    whole = wire(probe)
    tree.remove("/proc/self/cgroup")
    probe.resolve()
    assert wire(probe) == whole
    assert tree.probe().read_cpu() is None


def test_a_reason_about_a_path_of_any_bytes_can_be_sent(tree: Tree) -> None:
    v2_not_utf8(tree)
    probe = tree.probe()
    tree.remove(CGROUP + os.fsdecode(b"/r\xe9sum\xe9.scope") + "/cpu.stat")
    assert "r\ufffdsum\ufffd.scope" in wire(probe)["cpu"]["reason"]["params"]["path"]


# Parts of memory, throttling and counts.

MIB = 1 << 20

V2_STAT = {
    "anon": 300 * MIB,
    "file": 220 * MIB,
    "shmem": 20 * MIB,
    "inactive_file": 100 * MIB,
    "active_file": 80 * MIB,
}
V1_STAT = {
    "total_rss": 300 * MIB,
    "total_cache": 220 * MIB,
    "total_shmem": 20 * MIB,
    "total_inactive_file": 100 * MIB,
    "total_active_file": 80 * MIB,
}
PARTS = {
    "anon_bytes": 300 * MIB,
    "cache_bytes": 200 * MIB,
    "shmem_bytes": 20 * MIB,
    "working_set_bytes": 440 * MIB,
    "unreclaimable_bytes": 360 * MIB,
}

#: What is not known without each line of ``memory.stat``.
NEEDS = {
    "anon": {"anon_bytes"},
    "file": {"cache_bytes"},
    "shmem": {"shmem_bytes", "cache_bytes"},
    "inactive_file": {"working_set_bytes", "unreclaimable_bytes"},
    "active_file": {"unreclaimable_bytes"},
}


def memory_stat(tree: Tree, version: int, **changes: int | None) -> CgroupProbe:
    """Make a group with the memory of `PARTS`; a line that is None is left out."""
    values: dict[str, int | None] = {**(V2_STAT if version == 2 else V1_STAT), **changes}
    text = "".join(f"{name} {value}\n" for name, value in values.items() if value is not None)
    if version == 2:
        v2_private(tree)
        tree.write(f"{CGROUP}/memory.current", f"{540 * MIB}\n")
        tree.write(f"{CGROUP}/memory.stat", text)
    else:
        v1_docker(tree)
        tree.write(f"{CGROUP}/memory/memory.usage_in_bytes", f"{540 * MIB}\n")
        limit = f"hierarchical_memory_limit {NO_LIMIT_V1}\n"
        tree.write(f"{CGROUP}/memory/memory.stat", limit + text)
    return tree.probe()


def parts(reading: MemoryReading | None) -> dict[str, int | None]:
    assert reading is not None
    return {name: getattr(reading, name) for name in PARTS}


@pytest.mark.parametrize("version", [1, 2])
def test_memory_is_told_by_its_parts(tree: Tree, version: int) -> None:
    reading = memory_stat(tree, version).read_memory()
    assert parts(reading) == PARTS
    assert reading is not None
    assert reading.reason is None
    told = memory_usage(reading)
    assert {name: getattr(told, name) for name in PARTS} == PARTS


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("number", range(5))
def test_a_part_that_is_missing_takes_nothing_else_down(
    tree: Tree, version: int, number: int
) -> None:
    lost = list(NEEDS)[number]
    line = list(V2_STAT if version == 2 else V1_STAT)[list(V2_STAT).index(lost)]
    reading = memory_stat(tree, version, **{line: None}).read_memory()
    assert parts(reading) == {n: None if n in NEEDS[lost] else v for n, v in PARTS.items()}
    assert reading is not None
    assert (reading.reason is not None) == (lost == "inactive_file")
    assert reading.oom_kills == 0


def test_what_cannot_be_taken_back_is_never_negative(tree: Tree) -> None:
    reading = memory_stat(tree, 2, active_file=10 * GIB, shmem=10 * GIB).read_memory()
    assert reading is not None
    assert (reading.unreclaimable_bytes, reading.cache_bytes) == (0, 0)


def test_without_its_stat_file_memory_still_tells_what_was_killed(tree: Tree) -> None:
    v2_private(tree)
    tree.write(f"{CGROUP}/memory.events", "max 12\noom 3\noom_kill 2\n")
    tree.remove(f"{CGROUP}/memory.stat")
    reading = tree.probe().read_memory()
    assert reading is not None
    assert set(parts(reading).values()) == {None}
    assert (reading.oom_kills, reading.limit_hits) == (2, 12)
    assert reading.reason is not None
    assert str(reading.reason.params["path"]).endswith("/memory.stat")


@pytest.mark.parametrize("build", [v2_pod_limit, v1_twin])
def test_kills_are_our_groups_and_hits_the_limits(
    tree: Tree, build: Callable[[Tree], None]
) -> None:
    build(tree)
    if build is v2_pod_limit:
        tree.write(f"{CGROUP}{CONTAINER}/memory.events", "max 1\noom 1\noom_kill 2\n")
        tree.write(f"{CGROUP}{POD}/memory.events", "max 33\noom 4\noom_kill 5\n")
    else:
        group = f"{CGROUP}/memory/kubepods/pod1"
        tree.write(f"{group}/c1/memory.oom_control", "oom_kill_disable 0\noom_kill 2\n")
        tree.write(f"{group}/memory.oom_control", "oom_kill_disable 0\noom_kill 0\n")
        tree.write(f"{group}/memory.failcnt", "33\n")
    reading = tree.probe().read_memory()
    assert reading is not None
    assert (reading.oom_kills, reading.limit_hits) == (2, 33)
    assert memory_usage(reading).oom_kills == 2


@pytest.mark.parametrize(
    ("build", "path"),
    [(v2_private, f"{CGROUP}/memory.events"), (v1_docker, f"{CGROUP}/memory/memory.oom_control")],
)
def test_kills_that_nothing_counts_are_unknown_and_no_fault(
    tree: Tree, build: Callable[[Tree], None], path: str
) -> None:
    build(tree)
    (tree.root / path.lstrip("/")).unlink()
    reading = tree.probe().read_memory()
    assert reading is not None
    assert reading.oom_kills is None
    assert reading.working_set_bytes == 2 * GIB
    assert reading.reason is None


@pytest.mark.parametrize(
    "build", [v2_private, v2_pod_limit, v1_separate, v1_docker, v1_combined, v1_twin, hybrid]
)
def test_throttling_is_read_where_the_limit_is(tree: Tree, build: Callable[[Tree], None]) -> None:
    build(tree)
    reading = tree.probe().read_cpu()
    assert reading is not None
    assert (reading.periods, reading.throttled_periods) == (10, 4)
    assert reading.throttled_seconds == 1.5


@pytest.mark.parametrize(
    "build", [v2_nested, v2_laptop, v2_real_root, v1_combined_unlimited, v1_real_root, v1_apart]
)
def test_without_a_limit_nothing_is_throttled_or_not(
    tree: Tree, build: Callable[[Tree], None]
) -> None:
    build(tree)
    reading = tree.probe().read_cpu()
    assert reading is not None
    counts = reading.periods, reading.throttled_periods, reading.throttled_seconds
    assert counts == (None, None, None)


def test_throttling_that_cannot_be_read_takes_no_seconds_down(tree: Tree) -> None:
    v1_docker(tree)
    tree.remove(f"{CGROUP}/cpu/cpu.stat")
    reading = tree.probe().read_cpu()
    assert reading is not None
    assert (reading.cpu_seconds, reading.periods) == (7, None)
    assert reading.reason is not None


@pytest.mark.parametrize("build", [v2_private, v2_pod_limit, v1_separate])
def test_a_sample_reads_each_file_once(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, build: Callable[[Tree], None]
) -> None:
    build(tree)
    probe = CgroupProbe(tree.root, {}, limits_seconds=3600)
    probe.read_cpu(), probe.read_memory()
    opened: list[str] = []
    real = os.open

    def noting(path: str | Path, flags: int) -> int:
        opened.append(str(path))
        return real(path, flags)

    monkeypatch.setattr("os.open", noting)
    probe.read_cpu(), probe.read_memory()
    assert len(opened) == len(set(opened)) <= 6


@pytest.mark.parametrize(
    ("build", "environ", "expected"),
    [
        (v2_private, KUBERNETES, True),
        (v2_docker, NO_ENVIRON, True),
        (v1_docker, NO_ENVIRON, True),
        (v2_laptop, NO_ENVIRON, False),
        (nothing, NO_ENVIRON, False),
        (nothing, {"container": "podman"}, True),
        (no_mounts, KUBERNETES, True),
    ],
)
def test_a_container_is_told_from_a_machine(
    tree: Tree, build: Callable[[Tree], None], environ: dict[str, str], expected: bool
) -> None:
    build(tree)
    assert tree.probe(environ).in_container is expected


# Groups come and go.


@pytest.mark.parametrize(
    ("build", "gone"),
    [
        (v2_own_limit, [f"{CGROUP}{CONTAINER}"]),
        (v2_pod_limit, [f"{CGROUP}{CONTAINER}"]),
        (v2_laptop, [f"{CGROUP}/user.slice"]),
        (v2_own_limit, ["/sys"]),
        (v1_separate, [f"{CGROUP}/{c}/kubepods/pod1/c1" for c in ("cpu", "cpuacct", "memory")]),
        (v1_docker, [f"{CGROUP}/{c}" for c in ("cpu", "cpuacct", "memory")]),
    ],
)
def test_a_group_that_is_gone_is_unknown_and_not_the_machine(
    tree: Tree, build: Callable[[Tree], None], gone: list[str]
) -> None:
    build(tree)
    probe = tree.probe()
    whole = wire(probe)
    for path in gone:
        tree.remove(path)
    for _ in range(3):
        told = wire(probe)
        for kind in ("cpu", "memory"):
            assert told[kind][USED[kind]] is None
            assert told[kind]["reason"]["code"] == "cgroup_unreadable"
            assert told[kind]["source"] == whole[kind]["source"]
            assert told[kind]["scope"] == whole[kind]["scope"]
        probe.resolve()
    build(tree)  # and back again
    probe.resolve()
    assert wire(probe) == whole


def test_a_process_moved_out_of_sight_is_not_told_its_old_groups_figures(tree: Tree) -> None:
    v2_own_limit(tree)
    probe = tree.probe()
    tree.member(v2="/../elsewhere")
    probe.resolve()
    assert wire(probe)["cpu"]["used_cores"] is None
    assert wire(probe)["memory"]["working_set_bytes"] is None


def test_a_moved_process_is_followed(tree: Tree) -> None:
    v2_own_limit(tree)
    other = f"{POD}/cri-containerd-77aa.scope"
    tree.v2(f"{CGROUP}{other}", seconds=1, cores="100000 100000", memory=1, most=str(GIB))
    probe = tree.probe()
    before = probe.read_cpu()
    tree.member(v2=other)
    assert cpu_figures(probe.read_cpu()) == cpu_figures(before)
    probe.resolve()
    after = probe.read_cpu()
    assert cpu_figures(after) == (1, 1, "cgroup", "container", "cgroup-v2")
    expected = (GIB, GIB, "cgroup", "container", "cgroup-v2")
    assert memory_figures(probe.read_memory()) == expected
    assert after is not None
    told = cpu_usage(before, after)
    assert told.used_cores is None
    assert told.reason is not None
    assert told.reason.code == "cpu_first_sample"


def test_a_process_moved_to_the_root_of_all_groups_has_the_machines_memory(tree: Tree) -> None:
    v2_laptop(tree)
    probe = tree.probe()
    tree.member(v2="/")
    probe.resolve()
    assert probe.read_memory() is None
    cpu = probe.read_cpu()
    assert cpu is not None
    assert (cpu.cpu_seconds, cpu.scope) == (9000, "machine")


def test_a_counter_that_fell_begins_anew(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter((100.0, 101.0, 102.0, 104.0))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    v1_docker(tree)
    probe = tree.probe()
    readings = []
    for seconds in (7, 7.5, 1, 4):
        tree.v1_cpuacct(f"{CGROUP}/cpuacct", seconds=seconds)
        reading = probe.read_cpu()
        assert reading is not None
        readings.append(reading)
    told = [cpu_usage(a, b) for a, b in zip([None, *readings], readings, strict=False)]
    assert [usage.used_cores for usage in told] == [None, 0.5, None, 1.5]
    codes = [usage.reason and usage.reason.code for usage in told]
    assert codes == ["cpu_first_sample", None, "cpu_first_sample", None]


def test_limits_are_kept_for_as_long_as_they_are_good(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.member(v2="/")
    tree.mount("/sys/fs/cgroup")
    tree.v2("/sys/fs/cgroup", seconds=1, memory=1, most=str(8 * GIB))
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    probe = CgroupProbe(tree.root, {}, limits_seconds=10)

    def limit() -> float | None:
        reading = probe.read_memory()
        assert reading is not None
        return reading.limit.value

    assert limit() == 8 * GIB
    tree.write("/sys/fs/cgroup/memory.max", f"{4 * GIB}\n")
    now = 109.9
    assert limit() == 8 * GIB
    now = 110.0
    assert limit() == 4 * GIB
    tree.write("/sys/fs/cgroup/memory.max", f"{2 * GIB}\n")
    probe.resolve()  # a process that was moved has other limits at once
    assert limit() == 2 * GIB
