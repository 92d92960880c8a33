"""VS Code's command line, and what its home holds when it starts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import filesystems

from jupyter_einfra.apps.application import Launch
from jupyter_einfra.apps.vscode import VSCode
from jupyter_einfra.apps.vscode_home import SETTINGS, seed


class Home:
    """A home, and an image that brings something."""

    def __init__(self, directory: Path) -> None:
        self.environ = {"HOME": str(directory / "home")}
        self.data = directory / "home/.local/share/code-server"
        self.image = directory / "image"
        self.image.mkdir()

    def brings(self, ident: str, version: str = "1.0.0") -> Path:
        """Put an extension into the image, as ``code-server --install-extension`` does."""
        folder = self.image / "extensions"
        made = folder / f"{ident.lower()}-{version}"
        made.mkdir(parents=True)
        (made / "package.json").write_text("{}")
        index = folder / "extensions.json"
        entries = json.loads(index.read_text()) if index.exists() else []
        location = {"$mid": 1, "path": str(made), "scheme": "file"}
        entry = {"identifier": {"id": ident}, "version": version, "location": location}
        index.write_text(json.dumps([*entries, {**entry, "relativeLocation": made.name}]))
        return made

    def takes_away(self) -> None:
        """Begin with another image."""
        shutil.rmtree(self.image)
        self.image.mkdir()

    def seed(self) -> None:
        seed(self.environ, [str(self.image), "/nonexistent"])

    @property
    def index(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = json.loads(
            (self.data / "extensions/extensions.json").read_text()
        )
        return entries

    @property
    def versions(self) -> dict[str, str]:
        return {entry["identifier"]["id"]: entry["version"] for entry in self.index}

    def keep(self, entries: list[dict[str, Any]]) -> None:
        """Change the index, as code-server does when its user installs or removes something."""
        (self.data / "extensions").mkdir(parents=True, exist_ok=True)
        (self.data / "extensions/extensions.json").write_text(json.dumps(entries))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


class TestSettings:
    def test_a_first_user_finds_ours(self, home: Home) -> None:
        home.seed()
        assert json.loads((home.data / "User/settings.json").read_text()) == SETTINGS

    def test_those_of_the_image_weigh_more(self, home: Home) -> None:
        (home.image / "settings.json").write_text(
            '{"editor.fontSize": 15, "telemetry.telemetryLevel": "all"}'
        )
        home.seed()
        kept = json.loads((home.data / "User/settings.json").read_text())
        assert kept == {**SETTINGS, "editor.fontSize": 15, "telemetry.telemetryLevel": "all"}

    def test_those_of_the_user_stay(self, home: Home) -> None:
        (home.data / "User").mkdir(parents=True)
        mine = home.data / "User/settings.json"
        mine.write_text("// mine\n{}")
        home.seed()
        assert mine.read_text() == "// mine\n{}"

    def test_a_home_elsewhere_is_respected(self, home: Home, tmp_path: Path) -> None:
        home.environ["XDG_DATA_HOME"] = str(tmp_path / "data")
        home.seed()
        assert (tmp_path / "data/code-server/User/settings.json").exists()

    @pytest.mark.parametrize("text", ["{", "null", "[1]", "// why\n{}"])
    def test_a_broken_file_of_the_image_is_passed_over_and_told(
        self, home: Home, text: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        (home.image / "settings.json").write_text(text)
        home.seed()
        assert "settings.json is left out" in caplog.text
        assert json.loads((home.data / "User/settings.json").read_text()) == SETTINGS


class TestExtensions:
    def test_those_of_the_image_are_there_without_a_copy(self, home: Home) -> None:
        there = home.brings("Ms.Python")
        home.seed()
        (entry,) = home.index
        link = home.data / "extensions" / entry["relativeLocation"]
        assert entry["location"]["path"] == str(link)
        assert link.resolve() == there

    def test_nothing_is_written_where_nothing_is_brought(self, home: Home) -> None:
        home.seed()
        assert not (home.data / "extensions").exists()

    def test_those_of_the_user_stay(self, home: Home) -> None:
        mine = {"identifier": {"id": "me.own"}, "version": "9", "relativeLocation": "me.own-9"}
        (home.data / "extensions/me.own-9").mkdir(parents=True)
        home.keep([mine])
        home.brings("me.own", "1.0.0")
        home.brings("ms.python")
        home.seed()
        assert home.versions == {"me.own": "9", "ms.python": "1.0.0"}

    def test_one_that_the_user_removed_does_not_come_back(self, home: Home) -> None:
        home.brings("ms.python")
        home.seed()
        home.keep([])
        home.seed()
        assert home.index == []
        home.takes_away()
        home.brings("ms.python", "2.0.0")
        home.seed()
        assert home.index == []

    def test_a_new_image_brings_new_versions(self, home: Home) -> None:
        home.brings("ms.python", "1.0.0")
        home.seed()
        home.takes_away()
        there = home.brings("ms.python", "2.0.0")
        home.seed()
        assert home.versions == {"ms.python": "2.0.0"}
        (entry,) = home.index
        assert (home.data / "extensions" / entry["relativeLocation"]).resolve() == there

    def test_what_an_image_no_longer_brings_goes(self, home: Home) -> None:
        home.brings("ms.python")
        home.seed()
        home.takes_away()
        home.seed()
        assert home.index == []

    def test_nothing_changes_where_nothing_changed(self, home: Home) -> None:
        home.brings("ms.python")
        home.seed()
        before = {p: p.lstat().st_mtime_ns for p in home.data.rglob("*")}
        home.seed()
        assert {p: p.lstat().st_mtime_ns for p in home.data.rglob("*")} == before

    @pytest.mark.parametrize("text", ["{", "{}", "null", '"x"'])
    def test_an_index_that_is_not_understood_is_not_touched(self, home: Home, text: str) -> None:
        home.brings("ms.python")
        (home.data / "extensions").mkdir(parents=True)
        index = home.data / "extensions/extensions.json"
        index.write_text(text)
        home.seed()
        assert index.read_text() == text

    @pytest.mark.parametrize(
        "entry",
        [
            {},
            {"identifier": {"id": "x"}},
            {"identifier": {"id": "x"}, "relativeLocation": "../../etc"},
            {"identifier": {"id": "x"}, "relativeLocation": ""},
            {"identifier": {"id": "x"}, "relativeLocation": "gone-1.0.0"},
            7,
        ],
    )
    def test_odd_entries_of_an_image_are_passed_over(self, home: Home, entry: object) -> None:
        home.brings("ms.python")
        index = home.image / "extensions/extensions.json"
        index.write_text(json.dumps([entry, *json.loads(index.read_text())]))
        home.seed()
        assert home.versions == {"ms.python": "1.0.0"}

    def test_odd_entries_of_a_user_stay(self, home: Home) -> None:
        home.keep([{"odd": True}])
        home.brings("ms.python")
        home.seed()
        assert home.index[0] == {"odd": True}


@pytest.mark.parametrize("fault", ["full", "read-only"])
def test_a_disk_that_takes_nothing_keeps_nobody_from_an_editor(
    home: Home, tmp_path: Path, fault: str
) -> None:
    home.brings("ms.python")
    try:
        with filesystems.small(tmp_path / "home", 64 * 1024) as disk:
            if fault == "full":
                ballast = filesystems.fill(disk)
            else:
                filesystems.set_read_only(disk, read_only=True)
            home.seed()
            assert not (home.data / "User/settings.json").exists()
            if fault == "full":
                ballast.unlink()
            else:
                filesystems.set_read_only(disk, read_only=False)
            home.seed()
            assert json.loads((home.data / "User/settings.json").read_text()) == SETTINGS
            assert home.versions == {"ms.python": "1.0.0"}
    except filesystems.NoFilesystemError as reason:
        pytest.skip(str(reason))


def test_a_home_that_cannot_be_written_is_an_error(home: Home, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(OSError, match="home"):
        home.seed()


@pytest.fixture
def launch(tmp_path: Path, home: Home) -> Launch:
    return Launch(
        program="/bin/code-server",
        socket=f"{tmp_path}/socket",
        port=0,
        directory=tmp_path,
        base_url="/user/a%40b/",
        url="/user/a%40b/vscode/",
        folder="/home/a b",
        environ={**home.environ, "VSCODE_IPC_HOOK_CLI": "/tmp/hook", "PASSWORD": "x"},
    )


def test_it_listens_on_its_socket_and_nowhere_else(launch: Launch) -> None:
    app = VSCode()
    app.prepare(launch)
    command = list(app.command(launch))
    assert f"--socket={launch.socket}" in command
    assert "--socket-mode=0600" in command
    assert not any("bind" in word or "port" in word or "host" in word for word in command)
    (config,) = [word for word in command if word.startswith("--config=")]
    assert Path(config.removeprefix("--config=")).exists()  # not the user's own
    assert command[-1] == "/home/a b"


def test_nothing_of_an_editor_around_the_server_reaches_it(launch: Launch) -> None:
    environment = VSCode().environment(launch)
    assert environment["VSCODE_IPC_HOOK_CLI"] is None
    assert environment["PASSWORD"] is None
    assert environment["VSCODE_PROXY_URI"] == "/user/a%40b/proxy/{{port}}/"


PATHS = st.lists(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1),
    min_size=1,
).map(lambda parts: "/" + "/".join(parts))


@given(path=PATHS)
def test_any_folder_can_be_named_in_its_address(path: str) -> None:
    assert parse_qs(VSCode().query(path, is_folder=True)) == {"folder": [path]}


@given(path=PATHS)
def test_any_file_can_be_named_in_its_address(path: str) -> None:
    query = parse_qs(VSCode().query(path, is_folder=False))
    assert query["folder"] == [path.rpartition("/")[0] or "/"]
    ((name, address),) = json.loads(query["payload"][0])
    assert name == "openFile"
    assert urlsplit(address).scheme == "vscode-remote"
    assert unquote(urlsplit(address).path) == path
