"""Kernels of notebooks on a real server, given cells as a page would give them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, final

import psutil
import zmq
from jupyter_client.session import Session

from .lab import LabServer
from .process import wait_until

#: How long a kernel may take to start, or a cell to run.
_PATIENCE_MS = 60_000

#: A cell after which others can take memory, step by step, and give it back.
HOLDING = """
held = []
def hold(mib):
    held.append(b"x" * (mib << 20))
"""


def write_kernelspec(
    lab: LabServer, name: str, *argv: str, env: Mapping[str, str] | None = None
) -> None:
    """Let a server know a kind of kernel."""
    folder = lab.home / ".local/share/jupyter/kernels" / name
    folder.mkdir(parents=True, exist_ok=True)
    spec = {"argv": argv, "display_name": name, "language": name, "env": dict(env or {})}
    (folder / "kernel.json").write_text(json.dumps(spec))


@final
class NotebookKernel:
    """A notebook's session, as a page begins one.

    Parameters
    ----------
    lab:
        The server.
    path:
        Of the notebook, which need not exist.
    """

    def __init__(self, lab: LabServer, path: str) -> None:
        self._lab = lab
        self.path = path
        body = {
            "path": path,
            "name": path.rpartition("/")[2],
            "type": "notebook",
            "kernel": {"name": "python3"},
        }
        reply = lab.api("POST", "api/sessions", json=body).raise_for_status()
        self.id = str(reply.json()["kernel"]["id"])
        self.do("pass")  # it runs

    def process(self) -> psutil.Process | None:
        """Its process, which is another one after a restart."""
        for child in psutil.Process(self._lab.pid).children():
            with suppress(psutil.Error):  # one that is just ending
                if any(self.id in word for word in child.cmdline()):
                    return child
        return None

    def run(self, code: str) -> None:
        """Begin a cell, and leave it alone."""
        with self._shell() as (session, shell):
            _send(session, shell, code)

    def do(self, code: str) -> None:
        """Run a cell to its end."""
        with self._shell() as (session, shell):
            request = _send(session, shell, code)
            content = self._reply(session, shell, request)
        if content["status"] != "ok":
            raise RuntimeError("\n".join(content["traceback"]))

    def ask(self, action: str) -> None:
        """Have the server restart or interrupt it, as its user would."""
        self._lab.api("POST", f"api/kernels/{self.id}/{action}").raise_for_status()

    @contextmanager
    def _shell(self) -> Iterator[tuple[Session, zmq.Socket[bytes]]]:
        file = wait_until(
            "the kernel could be reached",
            lambda: next(self._lab.home.rglob(f"kernel-{self.id}.json"), None),
        )
        told = json.loads(file.read_text())  # anew each time: a restart changes it
        session = Session(key=told["key"].encode(), signature_scheme=told["signature_scheme"])
        shell: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        with shell:
            shell.linger = _PATIENCE_MS  # what was sent arrives, though nobody waits here
            shell.connect(f"{told['transport']}://{told['ip']}:{told['shell_port']}")
            yield session, shell

    def _reply(self, session: Session, shell: zmq.Socket[bytes], request: str) -> dict[str, Any]:
        while shell.poll(_PATIENCE_MS):
            _, frames = session.feed_identities(shell.recv_multipart())
            message = session.deserialize(frames)
            if message["parent_header"].get("msg_id") == request:
                content: dict[str, Any] = message["content"]
                return content
        raise TimeoutError(f"The kernel of {self.path} did not answer.")


def _send(session: Session, shell: zmq.Socket[bytes], code: str) -> str:
    # One that fails or is interrupted takes none with it that was sent after it.
    content = {"code": code, "stop_on_error": False, "allow_stdin": False}
    message = session.msg("execute_request", content)
    session.send(shell, message)
    return str(message["header"]["msg_id"])
