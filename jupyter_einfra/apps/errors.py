"""What the applications feature may refuse.

    EinfraError
    +-- NoSuchApp           404  there is no application of that name
    +-- NoSuchInstance      404  an instance was never started, or is long forgotten
    +-- NoSuchPath          404  what was to be opened is not there
    +-- NeedsFolder         404  this application opens folders only
    +-- OpensNothing        404  this application opens neither folders nor files
    +-- OpensOthers         404  this application opens files of other kinds
    +-- NotShown            404  a file is outside what JupyterLab shows
    +-- KeepsNothing        404  this application has no state to be reset
    +-- AppUnavailable      409  its program is not installed, or not usable
    +-- AppNotRunning       503  it does not run, and this request starts nothing
    +-- AppNotAnswering     502  it runs and does not answer
    +-- TooManyInstances    429  enough of them run

Pure: standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import EinfraError
from ..models import Reason


class NoSuchApp(EinfraError):
    """There is no application of that name."""

    code = "no_such_app"
    http_status = 404

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"There is no application {name!r}. There are: {', '.join(known)}.",
            app=name,
            known=", ".join(known),
        )


class NoSuchInstance(EinfraError):
    """An instance was never started, or is long forgotten."""

    code = "no_such_instance"
    http_status = 404

    def __init__(self, ident: str) -> None:
        super().__init__(
            f"Nothing is known of {ident!r}. Open the application on its folder anew.", id=ident
        )


class NoSuchPath(EinfraError):
    """What was to be opened is not there."""

    code = "no_such_path"
    http_status = 404

    def __init__(self, path: str) -> None:
        super().__init__(f"There is nothing at {path!r}. Check the path.", path=path)


class NeedsFolder(EinfraError):
    """An application opens folders, and was given none."""

    code = "needs_folder"
    http_status = 404

    def __init__(self, title: str) -> None:
        super().__init__(f"{title} opens a folder. Name one.", name=title)


class OpensNothing(EinfraError):
    """An application opens nothing, and was given something."""

    code = "opens_nothing"
    http_status = 404

    def __init__(self, title: str) -> None:
        super().__init__(
            f"{title} opens neither folders nor files. Open it without one.", name=title
        )


class OpensOthers(EinfraError):
    """An application opens files of some kinds, and was given one of another."""

    code = "opens_others"
    http_status = 404

    def __init__(self, title: str, suffixes: Sequence[str]) -> None:
        known = ", ".join(suffixes)
        super().__init__(
            f"{title} opens files of these kinds: {known}.", name=title, suffixes=known
        )


class NotShown(EinfraError):
    """A file is outside what JupyterLab shows."""

    code = "not_shown"
    http_status = 404

    def __init__(self, path: str, root: str) -> None:
        super().__init__(
            f"JupyterLab shows what is in {root}, and {path} is not.", path=path, root=root
        )


class KeepsNothing(EinfraError):
    """An application was to be reset, and keeps nothing that it would restore."""

    code = "keeps_nothing"
    http_status = 404

    def __init__(self, title: str) -> None:
        super().__init__(f"{title} keeps no session that could be reset. Restart it.", name=title)


class AppUnavailable(EinfraError):
    """Its program is not installed, or not usable."""

    http_status = 409

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message, **reason.params)
        self.code = reason.code


class AppNotRunning(EinfraError):
    """It does not run, and this request starts nothing."""

    code = "app_not_running"
    http_status = 503

    def __init__(self, title: str) -> None:
        super().__init__(
            f"{title} does not run. Open its address in the browser to start it.", name=title
        )


class AppNotAnswering(EinfraError):
    """It runs and does not answer."""

    code = "app_not_answering"
    http_status = 502

    def __init__(self, title: str, error: str) -> None:
        super().__init__(f"{title} does not answer ({error}). Try again.", name=title, error=error)


class TooManyInstances(EinfraError):
    """Enough of them run."""

    code = "too_many_instances"
    http_status = 429

    def __init__(self, title: str, limit: int) -> None:
        super().__init__(
            f"{title} already runs {limit} times. Stop one that you do not need.",
            name=title,
            limit=limit,
        )
