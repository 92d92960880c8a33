"""What somebody wants to open: in which instance, and how that is told of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..models import Reason
from ..threads import in_thread
from . import paths, reasons
from .application import FAILURES, Application
from .errors import AppUnavailable, NeedsFolder, OpensNothing, OpensOthers
from .supervision.instance import Instance
from .supervision.supervisor import Supervisor


@dataclass(frozen=True, kw_only=True)
class Target:
    """An instance, and what it is to show."""

    instance: Instance
    query: str = ""
    """What names a folder or file in its address; may be empty."""
    opened: str = ""
    """The folder or file itself, of an application that opens at its start."""

    @property
    def url(self) -> str:
        """Its address, relative to the server's base URL."""
        return self.instance.url + (f"?{self.query}" if self.query else "")

    @property
    def note(self) -> Reason | None:
        """Why it does not show that as it runs now; None if it does, or will."""
        instance = self.instance
        is_late = instance.state in ("starting", "running") and instance.opened != self.opened
        if self.opened and is_late:
            return reasons.opens_at_start(instance.title, self.opened)
        return None


async def target_of(
    app: Application, path: str | None, supervisor: Supervisor, log: logging.Logger
) -> Target:
    """Find out what is to be started for a folder or file.

    Parameters
    ----------
    app, supervisor:
        What is to be opened, and where its instances are.
    path:
        As a person or a page names it; None for none.
    log:
        Takes what is wrong with the application's own description.

    Raises
    ------
    NoSuchPath, NeedsFolder, OpensNothing, OpensOthers, AppUnavailable
    """
    if path is None:
        if app.per_folder:
            raise NeedsFolder(app.title)
        return Target(instance=supervisor.only(app))
    full, is_folder = await in_thread(paths.resolve, supervisor.around.root, path)
    if not app.opens(full, is_folder=is_folder):
        if app.opens_files and not is_folder:
            raise OpensOthers(app.title, app.file_suffixes)
        raise NeedsFolder(app.title) if app.opens_folders else OpensNothing(app.title)
    return Target(
        instance=supervisor.on(app, full) if app.per_folder else supervisor.only(app),
        query=_query(app, full, is_folder=is_folder, log=log),
        opened=full if app.opens_at_start else "",
    )


def _query(app: Application, path: str, *, is_folder: bool, log: logging.Logger) -> str:
    """Ask an application how a folder or file is named in its address.

    Raises
    ------
    AppUnavailable
    """
    try:
        return app.query(path, is_folder=is_folder)
    except FAILURES as error:
        log.exception("The application %r describes itself wrongly", app.name)
        raise AppUnavailable(reasons.unusable(app.title, error)) from error
