"""`jupyter einfra apps ...` as it is typed, with real servers to ask."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from servers import rstudio
from servers.apps import SCRIPT
from servers.kernels import NotebookKernel
from servers.lab import LabServer
from servers.process import wait_until

from jupyter_einfra.cli import main
from jupyter_einfra.cli.client import NoServer, Server, find_server

Command = Callable[..., tuple[int, str, str]]


def command(*words: str) -> list[str]:
    return [sys.executable, "-S", "-E", SCRIPT, "{socket}", *words]


def make(directory: Path, **options: object) -> LabServer:
    apps = {
        "fake": {"command": command("print=hello", "print=world"), "title": "Fake"},
        "broken": {"command": command("print=oh no", "exit=3"), "title": "Broken"},
        "many": {"command": command(), "title": "Many", "per_folder": True},
        "missing": {"command": "no-such-program-at-all {socket}", "title": "Missing"},
    }
    arguments = [
        f"--AppsManager.custom_apps={apps}",
        "--ServerApp.jpserver_extensions={'jupyter_einfra': True, 'jupyter_lsp': False}",
    ]
    folder = rstudio.install(directory / "bin").parent
    env = {"PATH": os.pathsep.join((str(folder), os.environ["PATH"]))}
    options = {"env": env, **options}
    return LabServer(directory, app="server", args=arguments, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    with make(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture
def at_home(lab: LabServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same user as the server's."""
    monkeypatch.setenv("HOME", str(lab.home))
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "XDG_RUNTIME_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def apps(at_home: None, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command; return its status and what it printed."""

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["apps", *words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_an_application_from_its_start_to_its_end(apps: Command, lab: LabServer) -> None:
    assert apps("start", "fake") == (0, f"{lab.url}fake/\n", "")
    assert lab.api("GET", "fake/x").json()["path"] == "/x"
    status, out, _ = apps("list")
    assert status == 0
    assert re.search(r"^fake +running for \d+ s, last used \d+ s ago$", out, re.MULTILINE)
    assert apps("logs", "fake") == (0, "hello\nworld\n", "")
    assert apps("logs", "fake", "-n", "1") == (0, "world\n", "")
    assert apps("restart", "fake") == (0, f"{lab.url}fake/\n", "")
    assert apps("stop", "fake") == (0, "Fake is stopped\n", "")
    assert re.search(r"^fake +stopped for .*Fake was stopped\.$", apps("list")[1], re.MULTILINE)
    assert apps("stop", "fake")[0] == 0  # it is


def test_a_stuck_session_is_reset_once_that_is_meant(
    apps: Command, lab: LabServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = lab.home / ".local/share/rstudio/sessions"
    (sessions / "active").mkdir(parents=True)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    status, out, _ = apps("reset", "rstudio")
    assert status == 1
    assert "set aside in ~/.local/share/rstudio/sessions, not deleted" in out
    assert (sessions / "active").exists()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    status, out, _ = apps("reset", "rstudio")
    assert (status, out.endswith(f"{lab.url}rstudio/\n")) == (0, True)
    (aside,) = sessions.glob("aside-*")
    assert (aside / "active").exists()
    assert apps("reset", "rstudio", "--yes") == (0, f"{lab.url}rstudio/\n", "")
    assert apps("stop", "rstudio")[0] == 0
    status, _, err = apps("reset", "fake")
    assert (status, "no session that could be reset" in err) == (1, True)


def test_what_fails_says_why_and_what_it_printed(apps: Command) -> None:
    status, out, err = apps("start", "broken")
    assert (status, out) == (1, "")
    assert "exit status 3" in err
    assert "  oh no\n" in err


def test_a_folder_is_opened_wherever_one_stands(
    apps: Command, lab: LabServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my runs").mkdir()
    monkeypatch.chdir(tmp_path)
    status, out, _ = apps("start", "many", "my runs", "--no-show")
    assert status == 0
    url = out.strip()
    assert url.startswith(f"{lab.url}many/my-runs-")
    _, listed, _ = apps("list")
    assert str(tmp_path / "my runs") in listed
    ident = url.removeprefix(lab.url).rstrip("/")
    assert apps("stop", ident)[0] == 0


@pytest.mark.parametrize("as_address", [False, True])
def test_a_file_is_shown_wherever_one_stands(
    at_home: None,
    lab: LabServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    as_address: bool,
) -> None:
    file = lab.notebooks / "50% done.ipynb"
    file.touch()
    monkeypatch.chdir(lab.notebooks)
    assert main(["open", file.as_uri() if as_address else file.name]) == 0
    address = f"{lab.url}lab/tree/50%25%20done.ipynb\n"
    assert capsys.readouterr() == (address, "")
    wishes = lab.api("GET", "jupyter-einfra/apps").json()["wishes"]
    assert file.name in [wish["path"] for wish in wishes]


def test_a_file_that_is_not_shown_is_told_so(
    at_home: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["open", str(tmp_path)]) == 1
    assert "JupyterLab shows what is in" in capsys.readouterr().err
    assert main(["open", str(tmp_path / "nope")]) == 1
    assert "There is nothing at" in capsys.readouterr().err


def test_the_list_says_how_to_get_what_is_missing(apps: Command) -> None:
    _, out, _ = apps("list")
    assert re.search(r"^missing +not installed; .*no-such-program-at-all", out, re.MULTILINE)
    told = json.loads(apps("list", "--json")[1])
    assert {app["name"] for app in told["apps"]} >= {"vscode", "tensorboard", "fake"}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("start", "nope"), "There is no application 'nope'"),
        (("start", "many"), "Many opens a folder"),
        (("start", "many", "/no/such/folder"), "nothing at '/no/such/folder'"),
        (("start", "missing"), "is not installed here"),
        (("stop", "nope"), "Nothing is known of 'nope'"),
        (("logs", "many/nope"), "Nothing is known of"),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(
    apps: Command, words: tuple[str, ...], problem: str
) -> None:
    status, out, err = apps(*words)
    assert (status, out) == (1, "")
    assert problem in err
    assert "Traceback" not in err


@pytest.mark.parametrize("lines", ["0", "x", "9999"])
def test_a_number_that_makes_no_sense_is_bad_usage(
    apps: Command, lines: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        apps("logs", "fake", "-n", lines)
    assert ended.value.code == 2


def test_a_log_can_be_followed_until_ctrl_c(lab: LabServer, at_home: None) -> None:
    assert main(["apps", "start", "fake", "--no-wait"]) == 0
    words = [
        sys.executable,
        "-c",
        "import sys; from jupyter_einfra.cli import main; sys.exit(main())",
    ]
    process = subprocess.Popen(
        [*words, "apps", "logs", "-f", "fake"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(process.stdout or ()))
    reader.start()
    wait_until("it was printed", lambda: "world\n" in seen)
    lab.api("GET", "fake/do?print=later")
    wait_until("it was printed, too", lambda: "later\n" in seen)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    reader.join(10)
    process.stdout.close()
    main(["apps", "stop", "fake"])


class TestWhichServer:
    def test_none_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(NoServer, match="No Jupyter server of yours runs"):
            find_server(None, tmp_path)

    def told(self, folder: Path, name: str, **more: object) -> None:
        told = {"url": f"http://127.0.0.1:{name}/", "pid": os.getpid(), "token": "t", **more}
        (folder / f"jpserver-{name}.json").write_text(json.dumps(told))

    def test_the_only_one_is_it(self, tmp_path: Path) -> None:
        self.told(tmp_path, "8888", pid=1)
        self.told(tmp_path, "9999", pid=2**22 + 1)  # was killed, and left its file
        assert find_server(None, tmp_path).url == "http://127.0.0.1:8888/"

    def test_of_several_the_one_around_this_terminal_is_it(self, tmp_path: Path) -> None:
        self.told(tmp_path, "8888", pid=1)  # above everybody, but not as near
        self.told(tmp_path, "8889", pid=os.getppid())
        assert find_server(None, tmp_path).url == "http://127.0.0.1:8889/"

    def test_of_several_elsewhere_one_has_to_be_named(self, tmp_path: Path) -> None:
        for name in ("8888", "8889"):
            self.told(tmp_path, name)  # this process is not above itself
        with pytest.raises(NoServer, match=r"(?s)Name one:.*8888.*8889"):
            find_server(None, tmp_path)
        assert find_server("http://127.0.0.1:8889", tmp_path).url.endswith(":8889/")
        with pytest.raises(NoServer, match=r"runs at http://127\.0\.0\.1:7"):
            find_server("http://127.0.0.1:7", tmp_path)

    @pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": "x"}', "{}"])
    def test_odd_files_are_passed_over(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "jpserver-1.json").write_text(text)
        with pytest.raises(NoServer):
            find_server(None, tmp_path)

    def test_one_that_does_not_answer_is_told(self) -> None:
        server = Server({"url": "http://127.0.0.1:9/", "pid": 1})
        with pytest.raises(NoServer, match="does not answer"):
            server.ask("GET", "apps")

    def test_a_server_without_us_is_told(self, tmp_path: Path) -> None:
        arguments = ["--ServerApp.jpserver_extensions={'jupyter_einfra': False}"]
        with LabServer(tmp_path, app="server", args=arguments) as lab:
            told = {"url": lab.url, "pid": lab.pid, "token": lab.token}
            with pytest.raises(NoServer, match="Is jupyter-einfra enabled there"):
                Server(told).ask("GET", "apps")

    def test_a_program_inside_the_server_asks_that_one(self, tmp_path: Path) -> None:
        with make(tmp_path / "a") as first, make(tmp_path / "a") as second:
            kernel = NotebookKernel(second, "x.ipynb")
            answer = second.notebooks / "answer"
            kernel.do(
                "import subprocess, sys\n"
                "script = 'import sys; from jupyter_einfra.cli import main; sys.exit(main())'\n"
                "words = [sys.executable, '-c', script, 'apps', 'start', 'fake']\n"
                f"out = subprocess.run(words, capture_output=True, text=True)\n"
                f"open({str(answer)!r}, 'w').write(out.stdout + out.stderr)"
            )
            assert answer.read_text() == f"{second.url}fake/\n"
            assert first.api("GET", "fake/").status_code == 503
