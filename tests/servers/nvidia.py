"""The NVIDIA driver: a stand-in for it, strict about how it is called, and a real one if any.

A library compiled from C answers in the place of ``libnvidia-ml.so.1``, through the real
bindings. `README.md` says what else is played by a stand-in.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

import jupyter_einfra
from jupyter_einfra.usage.probes.driver import LIBRARY, GpuReading

#: Reads when it is told to, at the time that it is told, in a thread as the server does.
PROGRAM = """
import json, sys, threading, time
from pathlib import Path
import msgspec
from jupyter_einfra.usage.probes.driver import Driver

options = json.loads(sys.argv[1])
if options["forget"]:
    import pynvml
    for name in options["forget"]:
        delattr(pynvml, name)
now = 0.0

def run():
    global now
    driver = Driver(shared=options["shared"], clock=lambda: now, proc=Path(options["proc"]))
    for line in sys.stdin:
        order = json.loads(line)
        begun = time.perf_counter()
        for _ in range(order["times"]):
            now = order["at"] = order["at"] + order["step"]
            reading = driver.read(processes=order["processes"])
        spent = (time.perf_counter() - begun) / order["times"]
        print(json.dumps(spent), msgspec.json.encode(reading).decode(), sep="\\t", flush=True)
    driver.close()

thread = threading.Thread(target=run)
thread.start()
thread.join()
"""


#: Holds ``mib`` of memory on the first GPU for as long as the process lives; needs only the
#: driver.
CUDA = """
import ctypes
cuda, context, address = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p(), ctypes.c_uint64()
for name, *arguments in (
    ("cuInit", 0),
    ("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0),
    ("cuCtxSetCurrent", context),
    ("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(mib << 20)),
):
    status = getattr(cuda, name)(*arguments)
    if status:
        raise RuntimeError(f"{name} failed with {status}")
"""


class NoCompilerError(RuntimeError):
    """The stand-in cannot be built here; the message says why."""


def build_libraries(folder: Path) -> None:
    """Compile the driver into ``new`` and, without later functions, ``middle`` and ``old``."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompilerError("there is no C compiler to build the stand-in driver with")
    source = Path(__file__).with_name("nvml_stand_in.c")
    for name, flags in (
        ("new", []),
        ("middle", ["-DMIDDLE_DRIVER"]),
        ("old", ["-DOLD_DRIVER"]),
    ):
        target = folder / name / "libnvidia-ml.so.1"
        target.parent.mkdir()
        warnings = ["-Wall", "-Wextra", "-Werror"]
        files = ["-o", str(target), str(source)]
        command = [compiler, *warnings, *flags, "-shared", "-fPIC", *files]
        subprocess.run(command, check=True)


class StandInDriver:
    """The stand-in as a test sees it.

    Parameters
    ----------
    folder:
        For what the test tells the driver, and what the driver notes.
    library:
        Folder of the compiled library.
    """

    def __init__(self, folder: Path, library: Path) -> None:
        self._control = folder / "control"
        self._log = folder / "log"
        self.environ = {
            "LD_LIBRARY_PATH": str(library),
            "STAND_IN_CONTROL": str(self._control),
            "STAND_IN_LOG": str(self._log),
        }

    def behave(self, words: str) -> None:
        """Say how the driver behaves from now on."""
        ready = self._control.with_suffix(".new")
        ready.write_text(words + "\n")
        ready.replace(self._control)

    @property
    def log(self) -> list[str]:
        """What the driver noted."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    @property
    def calls(self) -> set[str]:
        """Functions that were called while the driver was told to ``log_calls``."""
        return {line.split()[1] for line in self.log if line.startswith("call ")}


class Reader:
    """A process that reads the driver; the bindings keep it per process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._at = 0.0
        self.seconds = 0.0  #: that the last reading took

    def read(self, *, after: float = 1.0, processes: bool = False, times: int = 1) -> GpuReading:
        """Read some ``times``, each so many seconds ``after`` the one before; return the last."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"at": self._at, "step": after, "times": times, "processes": processes}
        self._at += after * times
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        seconds, _, reading = self._process.stdout.readline().partition("\t")
        self.seconds = json.loads(seconds)
        return msgspec.json.decode(reading, type=GpuReading)


@contextmanager
def read_driver(
    environ: dict[str, str],
    *,
    shared: bool = False,
    proc: Path = Path("/proc"),
    forget: tuple[str, ...] = (),
) -> Iterator[Reader]:
    """Run a `Reader` and let it close the driver in the end.

    Parameters
    ----------
    environ:
        Where the driver is.
    shared, proc:
        As of `jupyter_einfra.usage.probes.driver.Driver`.
    forget:
        Names that the bindings lack, as old ones do.
    """
    package = str(Path(jupyter_einfra.__file__).parents[1])
    options = json.dumps({"shared": shared, "proc": str(proc), "forget": forget})
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, options],
        env={**os.environ, "PYTHONPATH": package, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Reader(process)
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(20) == 0
        finally:
            process.kill()


def has_library() -> bool:
    """Whether there is an NVIDIA driver here, working or not."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


def why_no_gpu() -> str | None:
    """Say why no real GPU can be computed on here; None if one can. Asked in another process."""
    if not has_library():
        return "there is no NVIDIA driver here"
    ask = "import pynvml; pynvml.nvmlInit(); pynvml.nvmlDeviceGetHandleByIndex(0); mib = 1\n"
    command = [sys.executable, "-c", ask + CUDA]
    done = subprocess.run(command, check=False, timeout=60, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    return f"the NVIDIA driver has no GPU for us: {done.stderr.strip().rpartition(chr(10))[2]}"
