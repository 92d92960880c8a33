"""When the owner was here, and of which absence they were not told yet.

Somebody is here while a page of theirs is open and seen. A short absence is none, and one
that was interrupted only for a moment, as by a reload, goes on.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

#: Whoever was here for so long has seen what there is.
SETTLED_SECONDS = 600.0

Seconds = Annotated[float, Meta(description="In seconds since 1970.")]


class Presence(Struct, frozen=True, kw_only=True):
    """Comings and goings; times in seconds since 1970."""

    came_at: float | None = None
    """When the owner came; None while nobody is here."""
    left_at: float | None = None
    """When they were last seen here; None if they never were."""
    away_since: float | None = None
    """Begin of the absence that they were not told of."""
    back_at: float | None = None
    """Its end."""
    stayed_seconds: float = 0.0
    """How long they were here since."""
    told_at: float | None = None
    """When they were last shown what happened; None if they never were."""

    def come(self, now: float, least_absence_seconds: float) -> Presence:
        """Know that the owner is here again; an absence that is shorter is none."""
        if self.came_at is not None:
            return self
        here = replace(self, came_at=now)
        if self.left_at is None or now - self.left_at < least_absence_seconds:
            return here
        if self.away_since is not None and self.stayed_seconds < SETTLED_SECONDS:
            # The earlier of both: the clock may have been set back in between.
            return replace(here, away_since=min(self.away_since, self.left_at), back_at=now)
        return replace(here, away_since=self.left_at, back_at=now, stayed_seconds=0.0)

    def see(self, now: float) -> Presence:
        """Know that the owner, if here, still is."""
        if self.came_at is None:
            return self
        return replace(self, left_at=now)

    def leave(self, now: float) -> Presence:
        """Know that the owner has gone."""
        if self.came_at is None:
            return self
        stayed = self.stayed_seconds + max(now - self.came_at, 0.0)
        return replace(self, came_at=None, left_at=now, stayed_seconds=stayed).settled(now)

    def settled(self, now: float) -> Presence:
        """Forget an absence after which the owner was here for long enough."""
        here = 0.0 if self.came_at is None else max(now - self.came_at, 0.0)
        return self if self.stayed_seconds + here < SETTLED_SECONDS else self._over()

    def told(self, now: float) -> Presence:
        """Know that the owner was shown what happened, and so was told of an absence."""
        return replace(self._over(), told_at=now)

    def _over(self) -> Presence:
        return replace(self, away_since=None, back_at=None)

    def woken(self) -> Presence:
        """Return what is known of it to the next life of the server, in which nobody is here."""
        return replace(self, came_at=None)
