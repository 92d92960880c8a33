"""Whether jupyter-einfra itself is installed right: both halves, same version, enabled."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.metadata import version as installed_version
from pathlib import Path

from .._version import __version__
from .models import Finding

LAB_EXTENSION = "@e-infra/jupyter-einfra"
REINSTALL = "pip install --force-reinstall jupyter-einfra"

#: Oldest supported and first unsupported version of what we run inside of.
SUPPORTED = {"jupyter-server": ((2, 14), (3,)), "jupyterlab": ((4, 4), (5,))}

#: Less room than this and a notebook can soon not be saved.
LOW_DISK_BYTES = 100 * 2**20


def check() -> Iterator[Finding]:
    """Look at versions, both extensions and the places we write to."""
    yield from _versions()
    yield _server_extension()
    yield _lab_extension()
    yield _lab_enabled()
    yield from _writable_paths()


def _versions() -> Iterator[Finding]:
    for package, (oldest, too_new) in SUPPORTED.items():
        try:
            version = installed_version(package)
        except PackageNotFoundError:
            yield Finding(
                subject=package,
                status="note",
                found="not installed",
                advice=f"pip install {package}, to use it here.",
            )
            continue
        wanted = f"{_dotted(oldest)} or newer, older than {_dotted(too_new)}"
        if oldest <= _numbers(version) < too_new:
            yield Finding(subject=package, status="ok", found=version)
        else:
            yield Finding(
                subject=package,
                status="error",
                found=f"{version}; supported is {wanted}",
                advice=f"pip install '{package}>={_dotted(oldest)},<{_dotted(too_new)}'",
            )


def _server_extension() -> Finding:
    from jupyter_core.paths import jupyter_config_path  # noqa: PLC0415 - `--help` needs none
    from jupyter_server.extension.config import ExtensionConfigManager  # noqa: PLC0415

    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    enabled = manager.get_jpserver_extensions().get("jupyter_einfra")
    if enabled:
        return Finding(subject="server extension", status="ok", found="enabled")
    return Finding(
        subject="server extension",
        status="error",
        found="not enabled" if enabled is None else "disabled by a config file",
        advice="jupyter server extension enable jupyter_einfra",
    )


def _lab_extension() -> Finding:
    from jupyter_core.paths import jupyter_path  # noqa: PLC0415 - as above

    subject = "lab extension"
    places = [Path(place) / LAB_EXTENSION for place in jupyter_path("labextensions")]
    folder = next((place for place in places if (place / "package.json").is_file()), None)
    if folder is None:
        return Finding(subject=subject, status="error", found="not installed", advice=REINSTALL)
    try:
        package = json.loads((folder / "package.json").read_text("utf-8"))
        version = str(package["version"])
        entry = folder / package["jupyterlab"]["_build"]["load"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"{folder}: package.json is damaged ({type(error).__name__})"
        return Finding(subject=subject, status="error", found=found, advice=REINSTALL)
    if version != __version__:
        return Finding(
            subject=subject,
            status="error",
            found=f"version {version} in {folder}, but the server's is {__version__}",
            advice=f"Remove {folder} if it is left over; otherwise {REINSTALL}",
        )
    broken = [entry] if not entry.is_file() else _damaged(folder)
    if broken:
        names = ", ".join(path.name for path in broken[:3])
        found = f"{len(broken)} damaged or missing in {folder}: {names}"
        return Finding(subject=subject, status="error", found=found, advice=REINSTALL)
    return Finding(subject=subject, status="ok", found=f"version {version}, intact")


def _damaged(folder: Path) -> list[Path]:
    """List files of the page that differ from what the wheel brought."""
    if folder.is_symlink():
        return []  # a development install, rebuilt at will
    broken = []
    for entry in distribution("jupyter-einfra").files or []:
        path = Path(str(entry.locate())).as_posix()
        # The package has a copy of the page beside the one that Lab reads.
        _, found, below = path.partition(f"/labextensions/{LAB_EXTENSION}/")
        if not found or entry.hash is None:
            continue
        installed = folder / below
        try:
            digest = hashlib.new(entry.hash.mode, installed.read_bytes()).digest()
        except OSError:
            broken.append(installed)
            continue
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != entry.hash.value:
            broken.append(installed)
    return broken


def _lab_enabled() -> Finding:
    subject = "lab extension enabled"
    try:
        from jupyterlab.commands import get_app_dir  # noqa: PLC0415 - Lab may be missing
        from jupyterlab_server.config import get_page_config  # noqa: PLC0415
    except ImportError:
        return Finding(subject=subject, status="note", found="JupyterLab is not installed")
    from jupyter_core.paths import jupyter_path  # noqa: PLC0415 - as above

    settings = Path(get_app_dir()) / "settings"
    try:
        page = get_page_config(jupyter_path("labextensions"), app_settings_dir=str(settings))
    except Exception as error:  # noqa: BLE001 - one damaged extension of anybody's breaks it
        found = f"JupyterLab cannot list its extensions: {type(error).__name__}: {error}"
        return Finding(subject=subject, status="error", found=found)
    disabled = [
        name for name in page.get("disabledExtensions", ()) if name.startswith(LAB_EXTENSION)
    ]
    if not disabled:
        return Finding(subject=subject, status="ok", found="yes")
    names = ", ".join(sorted(disabled))
    return Finding(
        subject=subject,
        status="warning",
        found=f"disabled: {names}",
        advice="; ".join(f"jupyter labextension enable {name}" for name in sorted(disabled)),
    )


def _writable_paths() -> Iterator[Finding]:
    from jupyter_core.paths import jupyter_data_dir, jupyter_runtime_dir  # noqa: PLC0415

    places = {
        "data directory": jupyter_data_dir(),
        "runtime directory": jupyter_runtime_dir(),
        "temporary directory": tempfile.gettempdir(),
    }
    for subject, name in places.items():
        # The server makes what is missing, so the nearest place that exists counts.
        place = Path(name)
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
            free = shutil.disk_usage(place).free
        except OSError as error:
            yield Finding(
                subject=subject,
                status="error",
                found=f"{name} is not writable: {error.strerror or error}",
                advice=f"Give the server's user write access to {place}.",
            )
            continue
        low = free < LOW_DISK_BYTES
        yield Finding(
            subject=subject,
            status="warning" if low else "ok",
            found=f"{name}, {free / 2**30:.1f} GiB free",
            advice="Make room: notebooks may soon not be saved." if low else None,
        )


def _numbers(version: str) -> tuple[int, ...]:
    """Compare by the leading numbers: 4.4.0rc1 counts as 4.4.0."""
    numbers = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
        if digits != part:
            break
    return tuple(numbers)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
