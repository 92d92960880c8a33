"""A server extension that has every kernel be heard as one that is not known.

Of kernels by ipykernel or xeus we subscribe to what tells of executions and to no more. Of
others the topics say nothing, and so all that they print comes to us, too.
"""

from __future__ import annotations

from jupyter_server.serverapp import ServerApp

from jupyter_einfra.activity import iopub
from jupyter_einfra.activity.messages import enough


def _never_enough(topic: bytes) -> None:
    enough(topic)  # it is looked at, and looked at again with each message


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(_: ServerApp) -> None:
    vars(iopub)["enough"] = _never_enough
