"""What is asked for is answered for the time that it says."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from jupyter_einfra.activity.answers import Answers
from jupyter_einfra.activity.presence import Presence
from jupyter_einfra.activity.remembered import Remembered

from .kept import LOG, NOON
from .made import at


@pytest.mark.parametrize("came", [True, False])
def test_what_was_used_is_of_the_time_of_the_digest(tmp_path: Path, came: bool) -> None:
    """Whoever is back uses the server, too, but not while they were away."""
    asked: list[tuple[datetime, datetime]] = []
    kept = Remembered(tmp_path, now=lambda: NOON, log=LOG, allowed=False)
    answers = Answers(
        kept,
        standing=list,
        use=lambda since, until: asked.append((since, until)),
        programs=list,
        now=lambda: NOON,
        log=LOG,
    )
    away = Presence(away_since=at(600).timestamp(), back_at=at(711).timestamp())
    if came:
        kept.change(lambda known: replace(known, presence=away))
    digest = asyncio.run(answers.digest(None))
    assert asked == [(digest.since, digest.until)]
    assert digest.until == at(711 if came else 720)
