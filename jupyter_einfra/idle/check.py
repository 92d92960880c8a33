"""What ``jupyter einfra check`` says of the policy: which one is set, and who tells more."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import timezone
from pathlib import Path

from ..check.models import Finding
from .client import hub_of
from .models import StopGrant
from .policies import NoPolicy, load, presets
from .published import doubt
from .sources import Controller, Source, StateFile
from .starts import server_name

_DAY_SECONDS = 86400

_PREFIX = "JUPYTER_EINFRA_IDLE_"


def check() -> Iterator[Finding]:
    """Look at what the environment sets; the server's own configuration is not known here."""
    environ = os.environ
    yield _policy(environ.get(f"{_PREFIX}POLICY", ""))
    file = environ.get(f"{_PREFIX}STATE_FILE", "")
    if file:
        yield _told("file of the controller", StateFile(Path(file)))
    url = environ.get(f"{_PREFIX}CONTROLLER_URL", "")
    if url:
        token = environ.get("JUPYTERHUB_API_TOKEN", "")
        yield _told("controller", Controller(url, token, 1.0))
    hub = hub_of(environ)
    if hub is not None:
        yield _grant(hub.may_stop())


def _policy(name: str) -> Finding:
    if not name:
        return Finding(
            subject="idle policy",
            status="note",
            found="unknown in the environment: nothing is said of a server's deletion",
            advice=f"set {_PREFIX}POLICY (or c.IdleManager.policy) to the path of a file, or to "
            f"one of: {', '.join(presets())}.",
        )
    try:
        policy = load(name)
    except NoPolicy as error:
        return Finding(
            subject="idle policy", status="error", found=str(error), advice=f"set {_PREFIX}POLICY."
        )
    rules = "; ".join(
        f"{rule.metric} {'at most' if rule.idle_at_threshold else 'below'} {rule.threshold:g}, "
        f"{rule.counter_limit} times"
        for rule in policy.rules
    )
    return Finding(subject="idle policy", status="ok", found=f"{policy.revision}: {rules}")


def _told(subject: str, source: Source) -> Finding:
    now = time.time()
    source.look(now)
    state = source.state
    problem = source.problem
    if state is not None:
        server = server_name(os.environ)
        problem = problem or doubt(
            state, server=server, started_at=None, period_seconds=_DAY_SECONDS, now=now
        )
    if problem is None and state is not None:
        when = state.evaluated_at.astimezone(timezone.utc)
        found = f"counter {state.counter}, policy {state.policy}, of {when:%F %H:%M} UTC"
        return Finding(subject=subject, status="ok", found=found)
    found = "says nothing" if problem is None else problem.message
    return Finding(subject=subject, status="warning", found=found)


def _grant(grant: StopGrant) -> Finding:
    if grant.reason is None:
        return Finding(subject="stop by its user", status="ok", found="the server may stop itself")
    return Finding(
        subject="stop by its user",
        status="note" if grant.may_stop is False else "warning",
        found=grant.reason.message,
        advice="add the scope `delete:servers!server` to c.Spawner.server_token_scopes."
        if grant.may_stop is False
        else None,
    )
