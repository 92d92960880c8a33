"""Everything that a feature may refuse, and how HTTP says it.

    EinfraError
    +-- InvalidParameter   400  the request cannot be understood
    +-- Forbidden          403  this user may not do this
    +-- FeatureOff         404  the feature is switched off, or could not start
    +-- UnknownTopic       404  no feature publishes this
    +-- TooManyStreams     429  more open pages than the server serves
    +-- NotYet             503  the feature has only just started

Managers raise these; `base.EinfraHandler` turns them into a reply, once. The
``code`` is stable: the browser finds its translation by it.

Pure: standard library only.
"""

from __future__ import annotations

from typing import ClassVar


class EinfraError(Exception):
    """An answer that is not a success, with what to do next in its message.

    Parameters
    ----------
    message:
        What happened and what to do next, in English.
    params:
        The names and figures inside the message, for its translation.
    """

    code: str = "internal_error"
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, **params: str | float) -> None:
        super().__init__(message)
        self.message = message
        self.params = params


class InvalidParameter(EinfraError):
    """A parameter of the request is missing, unknown or out of range."""

    code = "invalid_parameter"
    http_status = 400

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"The parameter {parameter!r} {problem}.", parameter=parameter)


class Forbidden(EinfraError):
    """The user is known and may not do this."""

    code = "forbidden"
    http_status = 403

    def __init__(self) -> None:
        super().__init__("You may not see or do this on this server. Ask its owner for access.")


class FeatureOff(EinfraError):
    """The feature behind this address does not run on this server.

    Parameters
    ----------
    code:
        ``feature_off`` or ``feature_failed``, as the feature's status says.
    """

    http_status = 404

    def __init__(self, code: str, message: str, **params: str | float) -> None:
        super().__init__(message, **params)
        self.code = code


class UnknownTopic(EinfraError):
    """No feature of this version publishes the topic."""

    code = "unknown_topic"
    http_status = 404

    def __init__(self, topic: str) -> None:
        super().__init__(
            f"There is no topic {topic!r}. Reload the page if the server was upgraded.",
            topic=topic,
        )


class NotYet(EinfraError):
    """The feature has only just started and knows nothing so far."""

    code = "not_yet"
    http_status = 503

    def __init__(self, feature: str) -> None:
        super().__init__("The server has only just started. Ask again.", feature=feature)


class TooManyStreams(EinfraError):
    """The server holds as many streams as its operator allows."""

    code = "too_many_streams"
    http_status = 429  # not 503: a page that retries soon makes it worse

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This server already sends live data to {limit} pages. Close some of them.",
            limit=limit,
        )
