"""One more ear on each kernel's IOPub channel, which hears as little as it can.

No kernel is ever sent a message. Of kernels made with ipykernel or xeus only the topics are
subscribed to that tell of executions: what they print then never leaves their process for
us, be it a gigabyte. Others have to be heard in full.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..kernels.watch import read as read_attribute
from .messages import WITHOUT_TOPIC, Frame, Message, enough, may_lack_topics, read

#: Messages that wait for us; more are dropped.
_MOST_WAITING = 1000

#: A kernel that starts can be heard some time after it is connected to; what it says before
#: we have found it, which a page may have done by then, is lost.
_RETRY_MILLISECONDS = 20

#: Of two connections to one kernel, the one is no further behind the other.
_OVERTAKEN_SECONDS = 0.1

#: How ipykernel itself is started.
_PYTHON = frozenset({"ipykernel_launcher", "ipykernel"})

#: Topics of kernels that are known here are no longer.
_MOST_TOPIC = 100


class Ear:
    """Hears one kernel until `close`. Used on the server's event loop.

    Parameters
    ----------
    manager:
        The kernel's own manager, of any make.
    on_message:
        Called with what the kernel says of its executions.
    log:
        For what should not happen.
    """

    def __init__(
        self, manager: Any, on_message: Callable[[Message], None], log: logging.Logger
    ) -> None:
        self._manager = manager
        self._on_message = on_message
        self._log = log
        self._stream: Any | None = None
        self._errors: Any | None = None
        """Hears what has no topic, where errors may be among it. It has its own queue, so that
        whatever floods it, nothing else is lost."""
        self._hears_all = True

    @property
    def is_open(self) -> bool:
        """Whether the kernel is heard at all."""
        return self._stream is not None

    @property
    def hears_all(self) -> bool:
        """Whether all that it says has to be listened to, of which a part may be lost."""
        return self._hears_all

    def open(self) -> None:
        """Listen, or listen anew: a kernel that was started again may be found elsewhere.

        A kernel that runs elsewhere, or of which nobody knows where, is not heard.
        """
        self.close()
        self._stream = self._connect()
        self._hears_all = True

    def close(self) -> None:
        """Listen no more."""
        streams, self._stream, self._errors = (self._stream, self._errors), None, None
        for stream in streams:
            if stream is not None:
                with suppress(Exception):
                    stream.on_recv(None)
                    stream.close(linger=0)

    def _connect(self) -> Any | None:
        try:
            stream = _connected(self._manager)
        except Exception as error:  # noqa: BLE001 - managers come in many makes
            self._log.debug("A kernel cannot be listened to: %s", error)
            return None
        stream.on_recv(self._on_recv, copy=False)
        return stream

    def _on_recv(self, frames: Sequence[Frame]) -> None:
        try:
            if self._hears_all and len(frames) > 1:
                self._hear_less(frames[0])
            message = read(frames, self._is_genuine)
            if message is None:
                return
            if self._errors is not None and message.kind == "idle":
                # It may have overtaken an error, which comes another way.
                asyncio.get_running_loop().call_later(_OVERTAKEN_SECONDS, self._on_message, message)
            else:
                self._on_message(message)
        except Exception:  # noqa: BLE001 - one that is not understood must not end the hearing
            self._log.exception("What a kernel said could not be recorded")

    def _hear_less(self, topic: Frame) -> None:
        topics = enough(topic.bytes) if len(topic) <= _MOST_TOPIC else None
        if self._stream is None or topics is None:
            return
        self._hears_all = False
        _subscribe(self._stream, topics)
        if may_lack_topics(topic.bytes) and not _is_python(self._manager):
            self._errors = self._connect()
            if self._errors is not None:
                _subscribe(self._errors, (WITHOUT_TOPIC,))

    def _is_genuine(self, parts: Sequence[bytes]) -> bool:
        """Whether it is the kernel that speaks, and not who took its port when it was dead."""
        session = self._manager.session
        if not session.key:
            return True
        return hmac.compare_digest(parts[0], session.sign(list(parts[1:])))


def _subscribe(stream: Any, topics: Sequence[bytes]) -> None:
    """Hear these topics instead of all."""
    import zmq  # noqa: PLC0415 - the server has it; a test of other parts need not

    for topic in topics:
        stream.setsockopt(zmq.SUBSCRIBE, topic)
    stream.setsockopt(zmq.UNSUBSCRIBE, b"")


def _is_python(manager: Any) -> bool:
    """Whether it is ipykernel itself, whose errors have a topic."""
    words = read_attribute(read_attribute(manager, "kernel_spec"), "argv", ())
    return isinstance(words, (list, tuple)) and not _PYTHON.isdisjoint(map(str, words))


def _connected(manager: Any) -> Any:
    import zmq  # noqa: PLC0415 - as above
    from zmq.eventloop.zmqstream import ZMQStream  # noqa: PLC0415 - as above

    stream = manager.connect_iopub()
    if not hasattr(stream, "on_recv"):
        stream = ZMQStream(stream)
    address = stream.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode()
    if address.endswith(":0"):
        stream.close(linger=0)
        raise ConnectionError("it runs elsewhere")  # as a gateway's do
    stream.setsockopt(zmq.RCVHWM, _MOST_WAITING)
    stream.setsockopt(zmq.RECONNECT_IVL, _RETRY_MILLISECONDS)
    # Both hold for connections that are made from now on.
    stream.socket.disconnect(address)
    stream.socket.connect(address)
    return stream
