"""What keeps a warning calm: it neither flaps nor chatters.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from ...models import Notice

#: A warning is over once all was well for so long.
CLEAR_SECONDS = 10.0

#: Figures in a standing notice are renewed no more often: each change goes to every page.
REFRESH_SECONDS = 10.0

_SEVERITIES = ("info", "warning", "error")


class Latch:
    """Closes at once when something is bad, opens when all was well for a while.

    Parameters
    ----------
    clear_seconds:
        For how long all must be well without a break.
    """

    def __init__(self, clear_seconds: float = CLEAR_SECONDS) -> None:
        self.closed = False
        self._clear_seconds = clear_seconds
        self._well_since: float | None = None

    def update(self, now: float, *, bad: bool, well: bool) -> bool:
        """Return whether it is closed. Neither bad nor well leaves it as it is."""
        if bad:
            self.closed = True
        if not well:
            self._well_since = None
        elif self._well_since is None:
            self._well_since = now
        if self._well_since is not None and now - self._well_since >= self._clear_seconds:
            self.closed = False
        return self.closed


class Standing:
    """A notice while it holds."""

    def __init__(self) -> None:
        self.notice: Notice | None = None
        self._shown_at = 0.0

    def show(self, notice: Notice, now: float) -> None:
        """Put a notice up, or renew it where the difference shows and is due.

        One that got worse, or says something else, does not wait.
        """
        shown = self.notice
        if (
            shown is None
            or shown.code != notice.code
            or _SEVERITIES.index(notice.severity) > _SEVERITIES.index(shown.severity)
            or (now - self._shown_at >= REFRESH_SECONDS and notice.message != shown.message)
        ):
            self.notice = notice
            self._shown_at = now

    def clear(self) -> None:
        """Take it down."""
        self.notice = None
