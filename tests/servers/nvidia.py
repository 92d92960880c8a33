"""A stand-in for the NVIDIA driver, which is strict about how it is called.

A library compiled from C answers in the place of ``libnvidia-ml.so.1``, through the real
bindings. `README.md` says what else is played by a stand-in.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


class NoCompilerError(RuntimeError):
    """The stand-in cannot be built here; the message says why."""


def build_libraries(folder: Path) -> None:
    """Compile the driver into ``new`` and, without later functions, into ``old``."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoCompilerError("there is no C compiler to build the stand-in driver with")
    source = Path(__file__).with_name("nvml_stand_in.c")
    for name, flags in (("new", []), ("old", ["-DOLD_DRIVER"])):
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
