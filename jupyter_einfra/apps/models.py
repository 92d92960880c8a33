"""What the applications feature says to the browser.

An *application* is a program that can be shown in a browser; an *instance* is one that
runs or ran. Most applications have one instance with the application's own name as its
id; those that work on a folder have one for each folder, ``<name>/<folder>-<hash>``.

Pure: standard library and msgspec only.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ..models import Reason, UtcTime

State = Annotated[
    Literal["stopped", "starting", "running", "stopping", "failed"],
    Meta(
        description="stopped: asked for, or ended by itself without an error; failed: it could "
        "not start, or ended with an error too often."
    ),
]


class AppInstance(Struct, frozen=True, kw_only=True):
    """One application as it runs, or as it ended."""

    id: Annotated[str, Meta(description="Stays the same from start to start.")]
    app: Annotated[str, Meta(description="Name of the application.")]
    title: Annotated[str, Meta(description="For people; with the folder where there is one.")]
    folder: Annotated[
        str | None, Meta(description="The folder that it works on, as an absolute path.")
    ]
    url: Annotated[str, Meta(description="Its address, relative to the server's base URL.")]
    state: State
    since: Annotated[UtcTime, Meta(description="When this state began, RFC 3339 UTC.")]
    started: Annotated[
        UtcTime | None, Meta(description="When its program was last started, RFC 3339 UTC.")
    ]
    last_start_seconds: Annotated[
        float | None, Meta(description="How long the application's last start took.")
    ]
    restarts: Annotated[
        int, Meta(description="How often it was started again by itself since it last ran well.")
    ]
    exit_code: Annotated[
        int | None,
        Meta(description="Exit status of its last end; below zero, the signal; null if unknown."),
    ]
    reason: Annotated[
        Reason | None, Meta(description="Why it stopped or failed, or what it waits for.")
    ]
    last_used: Annotated[
        UtcTime | None,
        Meta(
            description="When a person last started it or did something in it, RFC 3339 UTC, to "
            "the minute; null if nobody has since the server began."
        ),
    ]
    last_busy: Annotated[
        UtcTime | None,
        Meta(
            description="When it last computed so much that it counts as use, RFC 3339 UTC; "
            "null if it never did, or that does not count here."
        ),
    ]
    hides_use: Annotated[
        bool,
        Meta(
            description="Whether its pages do not allow that their use is seen, but in tabs of "
            "JupyterLab."
        ),
    ]


class App(Struct, frozen=True, kw_only=True):
    """One application that this server offers, or would if it were installed."""

    name: Annotated[str, Meta(description="Its one name: in addresses, commands and settings.")]
    title: Annotated[str, Meta(description="Its name for people.")]
    icon_svg: Annotated[
        str, Meta(description="A drawing of 16 by 16 pixels in the colours of the theme.")
    ]
    url: Annotated[str, Meta(description="Its address, relative to the server's base URL.")]
    installed: Annotated[bool, Meta(description="Whether its program was found.")]
    reason: Annotated[
        Reason | None, Meta(description="Why it cannot be started; null when it can.")
    ]
    opens_folders: Annotated[bool, Meta(description="Whether a folder can be opened in it.")]
    opens_files: Annotated[bool, Meta(description="Whether a file can be opened in it.")]
    file_suffixes: Annotated[
        list[str],
        Meta(description="Of the files that it opens, in lower case; empty: whatever the file."),
    ]
    per_folder: Annotated[
        bool, Meta(description="Whether there is an instance for each folder, and none without.")
    ]
    kept_in: Annotated[
        str | None,
        Meta(description="Where the state is that a reset sets aside; null if it keeps none."),
    ]
    instances: Annotated[list[AppInstance], Meta(description="Oldest first.")]
    recent_folders: Annotated[
        list[str], Meta(description="Folders it was last opened on, the latest first.")
    ]


class OpenWish(Struct, frozen=True, kw_only=True):
    """Somebody asked, in a terminal or on the desktop, that a page of JupyterLab shows something.

    That is an application, by `id` and `url`, or a folder or file, by `path`.
    """

    number: Annotated[str, Meta(description="Tells one wish from another.")]
    id: Annotated[str | None, Meta(description="The instance to show.")]
    url: Annotated[str | None, Meta(description="Its address, relative to the server's base URL.")]
    path: Annotated[str | None, Meta(description="Relative to the folder that the server shows.")]


class AppsEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="apps"):
    """All applications, and what each of them does."""

    apps: Annotated[list[App], Meta(description="In the order in which they are shown.")]
    wishes: Annotated[
        list[OpenWish], Meta(description="Of the last seconds; one page sees to each.")
    ]


class LaunchEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="launch"):
    """Where the start of one instance stands."""

    instance: AppInstance
    elapsed_seconds: Annotated[
        float | None, Meta(description="Since its start or stop began, null while it does neither.")
    ]


class LogEvent(Struct, frozen=True, kw_only=True, tag_field="type", tag="log"):
    """What an instance has printed since the event before."""

    begins: Annotated[
        bool, Meta(description="Whether a start begins here: what was told is of one before.")
    ]
    lines: Annotated[list[str], Meta(description="Without control characters.")]
    skipped_bytes: Annotated[
        int, Meta(description="Left out before these lines: it prints faster than can be shown.")
    ]


class AppLog(Struct, frozen=True, kw_only=True):
    """The end of what an instance printed."""

    lines: Annotated[list[str], Meta(description="Without control characters, oldest first.")]


class AppAddress(Struct, frozen=True, kw_only=True):
    """Where something that was opened is shown."""

    instance: AppInstance
    url: Annotated[
        str, Meta(description="Relative to the server's base URL; names what was opened, too.")
    ]
    note: Annotated[
        Reason | None,
        Meta(description="Why it does not show what was to be opened; null when it does."),
    ]


class OpenRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open an application, maybe on a folder or file; it is started if need be."""

    app: Annotated[str, Meta(description="Name of the application.")]
    path: Annotated[
        str | None,
        Meta(
            description="Folder or file: absolute, or relative to the folder that the server shows."
        ),
    ]
    show: Annotated[
        bool, Meta(description="Whether an open page of JupyterLab is to show it by itself.")
    ]


class ShowRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have an open page of JupyterLab show a folder or file."""

    path: Annotated[
        str,
        Meta(description="Absolute, or relative to the folder that the server shows."),
    ]


class ShownPath(Struct, frozen=True, kw_only=True):
    """Where JupyterLab shows a folder or file."""

    path: Annotated[str, Meta(description="Relative to the folder that the server shows.")]
    url: Annotated[str, Meta(description="Relative to the server's base URL.")]


class InstanceRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Do something to one instance."""

    id: Annotated[str, Meta(description="Of the instance.")]


class UseNote(Struct, frozen=True, kw_only=True):
    """What became of a report that somebody uses an instance."""

    counted: Annotated[bool, Meta(description="False for one that does not run.")]


class InstanceQuery(Struct, frozen=True, kw_only=True):
    """Which instance is asked about."""

    id: Annotated[str, Meta(description="Of the instance.")]


class LogQuery(Struct, frozen=True, kw_only=True):
    """How much of which log."""

    id: Annotated[str, Meta(description="Of the instance.")]
    lines: Annotated[
        int, Meta(ge=1, le=5000, description="At most so many, the newest ones; 50 if left out.")
    ] = 50


class ForgetRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Remember a folder no more."""

    app: Annotated[str, Meta(description="Name of the application.")]
    folder: Annotated[str, Meta(description="One of its recent folders.")]
