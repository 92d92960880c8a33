"""Which applications there are, whoever describes them, and however wrongly."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from servers.apps import FakeApp
from traitlets.config import Config

from jupyter_einfra.apps.application import Application, Launch, StopStep
from jupyter_einfra.apps.configured import ConfiguredApplication
from jupyter_einfra.apps.registry import BUILT_IN, Registry

OURS = [kind.name for kind in BUILT_IN]

LOG = logging.getLogger(__name__)


def registry(
    custom: Mapping[str, Any] | None = None,
    *,
    path: str = "/nonexistent",
    disabled: tuple[str, ...] = (),
    others: Mapping[str, Callable[[], Any]] | None = None,
) -> Registry:
    def entry_points(*, group: str) -> list[Any]:
        assert group == "jupyter_einfra.apps"
        return [Point(name, load) for name, load in (others or {}).items()]

    return Registry(
        custom=custom or {},
        disabled=disabled,
        environ={"PATH": path},
        log=LOG,
        entry_points=entry_points,
    )


class Point:
    """An entry point of a package that is not installed."""

    def __init__(self, name: str, load: Callable[[], Any]) -> None:
        self.name = name
        self.load = load


def program(folder: Path, name: str, mode: int = 0o755) -> str:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return str(path)


def launch(**changes: Any) -> Launch:
    given: dict[str, Any] = {
        "program": "/bin/ttyd",
        "socket": "/run/s",
        "port": 4711,
        "directory": Path("/run"),
        "base_url": "/user/a/",
        "url": "/user/a/ttyd/",
        "folder": "/home/a b",
        "environ": {},
    }
    return Launch(**{**given, **changes})


def named(**attributes: Any) -> Callable[[], Application]:
    return lambda: FakeApp("odd", **attributes)


def names(made: Registry) -> list[str]:
    return [app.name for app in made.all()]


class TestPrograms:
    def test_one_on_the_path_is_found(self, tmp_path: Path) -> None:
        there = program(tmp_path, "code-server")
        made = registry(path=str(tmp_path))
        app = made.get("vscode")
        assert app is not None
        assert made.found(app).reason is not None  # nobody has looked yet
        assert made.look()
        assert made.found(app) == (there, None)
        assert not made.look()  # nothing changed

    def test_one_that_is_missing_is_told_with_how_to_get_it(self, tmp_path: Path) -> None:
        made = registry(path=str(tmp_path))
        made.look()
        app = made.get("vscode")
        assert app is not None
        reason = made.found(app).reason
        assert reason is not None
        assert reason.code == "app_not_installed"
        assert "npm install --global code-server" in reason.message

    def test_one_that_may_not_be_executed_is_told_with_its_path(self, tmp_path: Path) -> None:
        there = program(tmp_path, "code-server", 0o644)
        made = registry(path=str(tmp_path))
        made.look()
        app = made.get("vscode")
        assert app is not None
        reason = made.found(app).reason
        assert reason is not None
        assert (reason.code, reason.params["path"]) == ("app_not_executable", there)

    def test_one_that_comes_later_is_found_then(self, tmp_path: Path) -> None:
        made = registry(path=str(tmp_path))
        made.look()
        program(tmp_path, "code-server")
        assert made.look()

    def test_those_beside_the_servers_python_need_no_path(self) -> None:
        """A server that was started by its path has its own programs, too."""
        made = registry({"py": {"command": [Path(sys.executable).name]}})
        made.look()
        app = made.get("py")
        assert app is not None
        assert made.found(app).program == sys.executable

    def test_a_fault_of_one_costs_no_other(self, tmp_path: Path, logged: list[str]) -> None:
        class Faulty(FakeApp):
            def find(self, environ: Mapping[str, str]) -> str | None:
                raise RuntimeError("no way")

        program(tmp_path, "code-server")
        made = registry(path=str(tmp_path), others={"faulty": lambda: lambda: Faulty("faulty")})
        made.look()
        app, vscode = made.get("faulty"), made.get("vscode")
        assert app is not None
        assert vscode is not None
        reason = made.found(app).reason
        assert reason is not None
        assert "no way" in reason.message
        assert made.found(vscode).program
        assert any("faulty is installed cannot be told Traceback" in line for line in logged)


class TestOthers:
    def test_packages_add_theirs(self) -> None:
        made = registry(others={"fake": lambda: FakeApp})
        made.look()
        assert names(made) == [*OURS, "fake"]

    def test_ours_and_the_operators_come_first(self) -> None:
        theirs = {"vscode": lambda: lambda: FakeApp("vscode"), "tty": lambda: FakeApp}
        made = registry({"tty": {"command": "bash"}}, others=theirs)
        made.look()
        assert not isinstance(made.get("vscode"), FakeApp)
        assert isinstance(made.get("tty"), ConfiguredApplication)

    def test_any_can_be_switched_off(self) -> None:
        made = registry(
            {"tty": {"command": "bash"}},
            disabled=("vscode", "tty", "fake"),
            others={"fake": lambda: FakeApp},
        )
        made.look()
        assert names(made) == [name for name in OURS if name != "vscode"]

    @pytest.mark.parametrize(
        ("name", "load", "problem"),
        [
            ("broken", lambda: 1 / 0, "division by zero"),
            ("fake", lambda: lambda: FakeApp("other"), "no application with the name 'fake'"),
            ("fake", lambda: dict, "no application"),
            ("fake", lambda: Application, "no application"),
            ("lab", lambda: lambda: FakeApp("lab"), "Jupyter's own"),
            ("Fake", lambda: lambda: FakeApp("Fake"), "small letters"),
            ("a/b", lambda: lambda: FakeApp("a/b"), "small letters"),
            ("fake", lambda: lambda: FakeApp(icon="missing"), "missing.svg"),
            ("fake", lambda: lambda: FakeApp(icon="<svg onload='x'/>"), "its icon"),
            ("fake", lambda: lambda: FakeApp(title=""), "has no title"),
            ("fake", lambda: lambda: FakeApp(stop_steps=()), "stop_steps"),
        ],
    )
    def test_a_wrong_one_is_logged_and_left_out(
        self, name: str, load: Callable[[], Any], problem: str, logged: list[str]
    ) -> None:
        made = registry(others={name: load})
        made.look()
        assert names(made) == OURS
        (line,) = [line for line in logged if "is left out" in line]
        assert repr(name) in line
        assert problem in line

    def test_real_entry_points_are_read(self) -> None:
        made = Registry(custom={}, disabled=(), environ={}, log=LOG)
        made.look()
        assert names(made) == OURS


class TestConfigured:
    def test_five_lines_are_enough(self) -> None:
        made = registry(
            {
                "ttyd": {
                    "title": "Terminal",
                    "command": "ttyd --interface {socket} --cwd {folder} bash",
                    "environment": {"BASE": "{url}"},
                }
            }
        )
        app = made.get("ttyd")
        assert app is not None
        assert (app.title, app.listens, app.programs) == ("Terminal", "socket", ("ttyd",))
        assert app.command(launch()) == [
            *("/bin/ttyd", "--interface", "/run/s", "--cwd", "/home/a b", "bash")
        ]
        assert app.environment(launch()) == {"BASE": "/user/a/ttyd/"}

    def test_a_port_is_had_by_naming_it(self) -> None:
        made = registry({"shiny": {"command": ["R", "-e", "run({port}, '{base_url}')"]}})
        app = made.get("shiny")
        assert app is not None
        assert app.listens == "port"
        assert app.command(launch())[2] == "run(4711, '/user/a/')"

    @pytest.mark.parametrize(
        ("settings", "problem"),
        [
            ({}, "missing required field `command`"),
            ({"command": ""}, "`command` is empty"),
            ({"command": []}, "`command` is empty"),
            ({"command": 1}, "command"),
            ({"command": [1]}, "command"),
            ({"command": "a 'b"}, "No closing quotation"),
            ({"command": "a {sokcet}"}, "sokcet"),
            ({"command": "a {} b"}, "a blank cannot be filled"),
            ({"command": "a {"}, "a blank cannot be filled"),
            ({"command": "a {socket.x}"}, "a blank cannot be filled"),
            ({"command": "a", "environment": {"X": "{x}"}}, "a blank cannot be filled"),
            ({"command": "a", "titel": "x"}, "titel"),
            ({"command": "a", "per_folder": "yes"}, "per_folder"),
            ({"command": "a", "icon": "nowhere"}, "nowhere.svg"),
            ("ttyd", "object"),
        ],
    )
    def test_what_is_wrong_is_named(
        self, settings: object, problem: str, logged: list[str]
    ) -> None:
        assert names(registry({"ttyd": settings})) == OURS
        (line,) = [line for line in logged if "'ttyd' is left out" in line]
        assert problem in line

    def test_brackets_that_are_meant_are_written_twice(self) -> None:
        made = registry({"x": {"command": ["x", "{{literal}}"]}})
        app = made.get("x")
        assert app is not None
        assert app.command(launch())[1] == "{literal}"


class TestTheReadme:
    """What it shows is read from it, so that nobody copies what does not work."""

    @pytest.fixture
    def blocks(self) -> list[str]:
        text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
        return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)

    def test_its_settings_make_applications(self, blocks: list[str]) -> None:
        (block,) = [block for block in blocks if "custom_apps" in block]
        config = Config()
        exec(block, {"c": config})
        made = registry(config.AppsManager.custom_apps)
        assert names(made)[-2:] == ["ttyd", "explore"]
        assert all(app.listens == "socket" for app in made.all()[-2:])

    def test_its_class_is_an_application_in_less_than_thirty_lines(self, blocks: list[str]) -> None:
        (block,) = [block for block in blocks if "Datasette" in block]
        assert len(block.splitlines()) < 30
        module: dict[str, Any] = {}
        exec(block, module)
        made = registry(others={"datasette": lambda: module["Datasette"]})
        made.look()
        assert names(made)[-1] == "datasette"


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"vendor_names": None}, "vendor_names"),
        ({"vendor_names": ("lab",)}, "'lab' is an address"),
        ({"programs": "odd"}, "programs"),
        ({"programs": ()}, "programs"),
        ({"title": 5}, "title"),
        ({"stop_steps": ((15, 5.0),)}, "stop_steps"),
        ({"stop_steps": (StopStep(99, 5.0),)}, "stop_steps"),
        ({"stop_steps": (StopStep(15, float("nan")),)}, "stop_steps"),
        ({"stop_steps": (StopStep(15, 1.0, "named"),)}, "stop_steps"),
        ({"stop_steps": (StopStep(15, 1.0, "main", "rsession"),)}, "stop_steps"),
        ({"kept_in": "~/state"}, "no reset"),
        ({"start_seconds": float("nan")}, "start_seconds"),
        ({"start_seconds": -1}, "start_seconds"),
    ],
)
def test_nonsense_is_found_before_anything_stumbles_over_it(
    attributes: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = registry(
        others={"odd": lambda: named(**attributes), "zz": lambda: lambda: FakeApp("zz")}
    )
    made.look()
    assert "odd" not in names(made)
    assert "zz" in names(made)
    assert said in caplog.text


def test_a_package_that_wants_to_end_the_program_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Leaving(FakeApp):
        def find(self, environ: Mapping[str, str]) -> str | None:
            sys.exit("no way")

    made = registry(
        others={
            "aa": sys.exit,
            "bb": lambda: lambda: Leaving("bb"),
            "zz": lambda: lambda: FakeApp("zz"),
        }
    )
    made.look()
    assert [name for name in ("aa", "bb", "zz") if name in names(made)] == ["bb", "zz"]
    leaving = made.get("bb")
    assert leaving is not None
    reason = made.found(leaving).reason
    assert reason is not None
    assert reason.code == "app_unusable"
