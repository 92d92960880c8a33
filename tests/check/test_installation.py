"""What `jupyter einfra check` finds of a good, a missing and a damaged installation."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from jupyter_einfra import __version__
from jupyter_einfra.check import installation
from jupyter_einfra.check.models import Finding


class NoFiles:
    """A distribution whose wheel says nothing of the page."""

    files: tuple[()] = ()


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Jupyter that looks for everything in one empty directory."""
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        monkeypatch.setenv(f"JUPYTER_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.setattr("jupyter_core.paths.ENV_JUPYTER_PATH", [])
    monkeypatch.setattr("jupyter_core.paths.SYSTEM_JUPYTER_PATH", [])
    monkeypatch.setattr("jupyter_core.paths.ENV_CONFIG_PATH", [])
    monkeypatch.setattr("jupyter_core.paths.SYSTEM_CONFIG_PATH", [])
    monkeypatch.setattr(installation, "distribution", lambda name: NoFiles)
    return tmp_path


def found(subject: str) -> Finding:
    [finding] = [f for f in installation.check() if f.subject == subject]
    return finding


def install_page(paths: Path, version: str = __version__) -> Path:
    folder = paths / "data_dir/labextensions/@e-infra/jupyter-einfra"
    (folder / "static").mkdir(parents=True)
    (folder / "static/entry.js").write_text("")
    package = {
        "name": "@e-infra/jupyter-einfra",
        "version": version,
        "jupyterlab": {"_build": {"load": "static/entry.js"}},
    }
    (folder / "package.json").write_text(json.dumps(package))
    return folder


def enable(paths: Path, *, enabled: bool = True) -> None:
    folder = paths / "config_dir/jupyter_server_config.d"
    folder.mkdir(parents=True)
    extensions = {"ServerApp": {"jpserver_extensions": {"jupyter_einfra": enabled}}}
    (folder / "jupyter_einfra.json").write_text(json.dumps(extensions))


def test_a_good_installation_is_all_ok(paths: Path) -> None:
    install_page(paths)
    enable(paths)
    assert {f.status for f in installation.check()} == {"ok"}


def test_an_extension_nobody_enabled_is_an_error_with_its_cure(paths: Path) -> None:
    finding = found("server extension")
    assert (finding.status, finding.found) == ("error", "not enabled")
    assert finding.advice == "jupyter server extension enable jupyter_einfra"


def test_an_extension_that_was_disabled_is_told_apart(paths: Path) -> None:
    enable(paths, enabled=False)
    assert found("server extension").found == "disabled by a config file"


def test_a_missing_page_is_an_error(paths: Path) -> None:
    assert found("lab extension").found == "not installed"


def test_a_page_of_another_version_is_named_with_its_place(paths: Path) -> None:
    folder = install_page(paths, "0.0.1")
    finding = found("lab extension")
    assert finding.status == "error"
    assert "0.0.1" in finding.found
    assert str(folder) in finding.found


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '"text"', "null"])
def test_a_damaged_package_file_is_an_error_and_not_a_trace(paths: Path, content: str) -> None:
    (install_page(paths) / "package.json").write_text(content)
    finding = found("lab extension")
    assert finding.status == "error"
    assert "damaged" in finding.found


def test_a_damaged_extension_that_breaks_labs_list_is_told(paths: Path) -> None:
    (install_page(paths) / "package.json").write_text("{")
    assert found("lab extension enabled").status == "error"


def test_a_missing_entry_file_is_an_error(paths: Path) -> None:
    (install_page(paths) / "static/entry.js").unlink()
    assert "entry.js" in found("lab extension").found


def test_files_that_differ_from_the_wheel_are_named(
    paths: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = install_page(paths)

    class Entry:
        def __init__(self, path: str, value: str) -> None:
            self.path = path
            self.hash = type("Hash", (), {"mode": "sha256", "value": value})()

        def locate(self) -> Path:
            return Path("/prefix/share/jupyter/labextensions/@e-infra/jupyter-einfra") / self.path

    # sha256 of nothing, as RECORD writes it
    nothing = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

    class Wheel:
        files = [Entry("static/entry.js", nothing)]  # noqa: RUF012

    monkeypatch.setattr(installation, "distribution", lambda name: Wheel())
    assert found("lab extension").status == "ok"
    (folder / "static/entry.js").write_text("tampered")
    assert "entry.js" in found("lab extension").found
    (folder / "static/entry.js").write_text("")
    Wheel.files.append(Entry("static/gone.js", nothing))
    assert "gone.js" in found("lab extension").found


def test_a_disabled_page_is_a_warning_with_its_cure(paths: Path) -> None:
    settings = paths / "config_dir/labconfig"
    settings.mkdir(parents=True)
    disabled = {"disabledExtensions": {"@e-infra/jupyter-einfra:usage": True}}
    (settings / "page_config.json").write_text(json.dumps(disabled))
    finding = found("lab extension enabled")
    assert finding.status == "warning"
    assert finding.advice == "jupyter labextension enable @e-infra/jupyter-einfra:usage"


@pytest.mark.parametrize(
    ("version", "status"),
    [("4.3.9", "error"), ("4.4.0", "ok"), ("4.4.0rc1", "ok"), ("4.12.1", "ok"), ("5.0.0", "error")],
)
def test_lab_must_be_of_a_supported_version(
    paths: Path, monkeypatch: pytest.MonkeyPatch, version: str, status: str
) -> None:
    monkeypatch.setattr(installation, "installed_version", lambda package: version)
    assert found("jupyterlab").status == status


def test_a_package_that_is_not_there_is_only_a_note(
    paths: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(installation, "installed_version", missing)
    assert found("jupyterlab").status == "note"


def test_a_place_that_cannot_be_written_is_an_error(
    paths: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(dir: Path) -> Iterator[None]:  # noqa: A002 - tempfile's own word
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    finding = found("data directory")
    assert finding.status == "error"
    assert "Permission denied" in finding.found


def test_little_room_is_a_warning(paths: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1024})
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    assert found("temporary directory").status == "warning"


def test_looking_leaves_nothing_behind(paths: Path) -> None:
    list(installation.check())
    assert list(paths.iterdir()) == []
