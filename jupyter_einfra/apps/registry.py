"""Which applications there are: ours, those of other packages, the operator's own."""

from __future__ import annotations

import logging
import math
import signal
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import metadata
from typing import Any, NamedTuple

from ..models import Reason
from . import reasons
from .application import FAILURES, NAME, Application, NotExecutable, PartMissing, StopStep
from .configured import ConfiguredApplication
from .desktop import Desktop
from .matlab import MATLAB
from .rstudio import RStudio
from .tensorboard import TensorBoard
from .vscode import VSCode

#: Where other packages add theirs.
GROUP = "jupyter_einfra.apps"

#: Ours, in the order in which they are shown.
BUILT_IN: tuple[type[Application], ...] = (
    VSCode,
    RStudio,
    MATLAB,
    Desktop,
    TensorBoard,
)

#: First parts of addresses that Jupyter's own pages and extensions have.
RESERVED = frozenset(
    [
        "api",
        "custom",
        "doc",
        "edit",
        "favicon",
        "files",
        "hub",
        "jupyter-einfra",
        "lab",
        "kernels",
        "kernelspecs",
        "login",
        "logout",
        "lsp",
        "metrics",
        "nbclassic",
        "nbconvert",
        "nbextensions",
        "notebooks",
        "oauth_callback",
        "proxy",
        "services",
        "server-proxy",
        "shutdown",
        "static",
        "terminals",
        "tree",
        "user",
        "view",
    ]
)


class Found(NamedTuple):
    """Whether an application can be started here."""

    program: str | None
    reason: Reason | None


class Registry:
    """All applications by name, and where their programs are.

    Parameters
    ----------
    custom:
        What the operator describes, by name; a wrong one is logged and left out.
    disabled:
        Names that are left out.
    environ:
        Tells where programs are.
    entry_points:
        Finds what other packages add.
    """

    def __init__(
        self,
        *,
        custom: Mapping[str, Any],
        disabled: Iterable[str],
        environ: Mapping[str, str],
        log: logging.Logger,
        entry_points: Callable[..., Iterable[metadata.EntryPoint]] = metadata.entry_points,
    ) -> None:
        self._environ = environ
        self._log = log
        self._entry_points = entry_points
        self._disabled = frozenset(disabled)
        self._apps: dict[str, Application] = {}
        self._icons: dict[str, str] = {}
        self._found: dict[str, Found] = {}
        self._looking = threading.Lock()
        self._has_others = False
        for kind in BUILT_IN:
            self._add(kind.name, kind)
        for name, settings in custom.items():
            self._add(name, partial(ConfiguredApplication, name, settings))

    def get(self, name: str) -> Application | None:
        """Return one by its name."""
        return self._apps.get(name)

    def icon(self, app: Application) -> str:
        """Return its drawing, fit to be put into a page."""
        return self._icons[app.name]

    def all(self) -> list[Application]:
        """Return every one, whether its program is there or not."""
        return list(self._apps.values())

    def found(self, app: Application) -> Found:
        """Return whether a program was there when `look` was last called."""
        return self._found.get(app.name, Found(None, reasons.UNKNOWN))

    def look(self) -> bool:
        """Look for everything; return whether something changed. Reads disks: not on the loop."""
        with self._looking:
            if not self._has_others:
                self._add_others()
                self._has_others = True
            found = {app.name: self._find(app) for app in self.all()}
            changed = found != self._found
            self._found = found
            return changed

    def _find(self, app: Application) -> Found:
        try:
            program = app.find(self._environ)
        except NotExecutable as error:
            return Found(None, reasons.not_executable(app.title, str(error)))
        except PartMissing as error:
            return Found(None, reasons.incomplete(app.title, error.programs, error.install))
        except FAILURES as error:
            self._log.exception("Whether %s is installed cannot be told", app.name)
            return Found(None, reasons.unusable(app.title, error))
        if program is None:
            return Found(None, reasons.missing(app.title, app.programs, app.install))
        return Found(program, None)

    def _add_others(self) -> None:
        for point in sorted(self._entry_points(group=GROUP), key=lambda point: point.name):
            if point.name not in self._apps:
                self._add(point.name, partial(_load, point))

    def _add(self, name: str, make: Callable[[], Any]) -> None:
        """Add one, unless it is switched off; whatever is wrong with it costs no other."""
        if name in self._disabled:
            return
        try:
            app, icon = _checked(name, make)
        except FAILURES as error:
            self._log.error("The application %r is left out: %s", name, error)
        else:
            self._icons[name] = icon  # first: whoever finds it asks for its drawing
            self._apps[name] = app


def _load(point: metadata.EntryPoint) -> Any:
    return point.load()()


def _checked(name: Any, make: Callable[[], Any]) -> tuple[Application, str]:
    """Make an application and see that whoever described it forgot nothing.

    Returns
    -------
    The application and its drawing.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("its name has to be of small letters, digits and hyphens")
    if name in RESERVED:
        raise ValueError("its name is that of an address of Jupyter's own")
    app = make()
    if not isinstance(app, Application) or getattr(app, "name", None) != name:
        raise ValueError(f"it is no application with the name {name!r}")
    for attribute in ("title", "install"):
        if not isinstance(value := getattr(app, attribute, None), str) or not value:
            raise ValueError(f"it has no {attribute}")
    for attribute in ("programs", "vendor_names"):
        names = getattr(app, attribute, None)
        if not isinstance(names, (tuple, list)) or not all(isinstance(n, str) for n in names):
            raise ValueError(f"its {attribute} are no tuple of names")
    if not app.programs:
        raise ValueError("it has no programs")
    if taken := RESERVED & set(app.vendor_names):
        raise ValueError(f"{min(taken)!r} is an address of Jupyter's own")
    _check_times(app)
    if app.kept_in and type(app).reset is Application.reset:
        raise ValueError("it has kept_in and no reset")
    if type(app).command is Application.command:
        raise ValueError("it has no command")
    return app, app.icon_svg()


def _check_times(app: Application) -> None:
    if not app.stop_steps or not all(map(_is_step, app.stop_steps)):
        raise ValueError("its stop_steps are no tuple of StopStep(signal, seconds)")
    if app.start_seconds is not None and not 0 < app.start_seconds < math.inf:
        raise ValueError("its start_seconds are no number above 0")


def _is_step(step: Any) -> bool:
    return (
        isinstance(step, StopStep)
        and step.signal in signal.valid_signals()
        and step.whom in ("main", "group", "all", "named")
        and (step.whom == "named") == bool(step.named)
        and 0 <= step.seconds < math.inf
    )
