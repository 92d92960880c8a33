"""TensorBoard, https://www.tensorflow.org/tensorboard, one for each folder of events."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from tornado.escape import url_unescape

from .application import Application, Launch, StopStep
from .shebang import python_of

#: Makes it listen on a socket; run by TensorBoard's own Python.
_LAUNCHER = Path(__file__).parent / "launchers" / "tensorboard_on_socket.py"


class TensorBoard(Application):
    """Shows the runs below a folder, new ones as they come."""

    name = "tensorboard"
    title = "TensorBoard"
    icon = "tensorboard"
    programs = ("tensorboard",)
    install = "pip install tensorboard"
    absolute_url = True
    stop_steps = (StopStep(signal.SIGTERM, 5.0),)
    opens_folders = True
    per_folder = True

    def command(self, launch: Launch) -> Sequence[str]:
        """Return the command; its flags: ``tensorboard --helpfull``."""
        return [
            python_of(launch.program),
            str(_LAUNCHER),
            launch.socket,
            f"--logdir={launch.folder}",
            # It compares this with addresses that are decoded.
            f"--path_prefix={url_unescape(launch.url.rstrip('/'), plus=False)}",
            # The fast loader listens on a TCP port.
            "--load_fast=false",
            "--reload_interval=5",
            # Event files of one run may be written by several programs, one after the other.
            "--reload_multifile=true",
        ]

    def environment(self, launch: Launch) -> Mapping[str, str | None]:
        """Keep it from looking for GPUs: it draws charts, and users pay for memory."""
        return {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}

    def version_command(self, program: str) -> Sequence[str]:
        """Return the command that prints the version; without loading TensorFlow."""
        script = "import importlib.metadata as m; print(m.version('tensorboard'))"
        return [python_of(program), "-c", script]
