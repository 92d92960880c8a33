"""The wheel as its user gets it: a clean environment, no Node.js, oldest and newest Lab."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from servers.apps import SCRIPT
from servers.lab import LabServer
from servers.lab_page import open_lab, start_lab

ROOT = Path(__file__).parents[2]

DESKTOP = [f"desktop.{kind}" for kind in ("html", "js", "css")] + ["desktop-licences.txt"]

#: The first run downloads JupyterLab twice.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the page that `make setup` built."""
    out = tmp_path_factory.mktemp("wheel")
    options = ["--wheel", "--no-isolation", "--outdir", str(out)]
    command = [sys.executable, "-m", "build", *options, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = out.glob("*.whl")
    return built


def test_the_wheel_carries_everything_it_needs_at_run_time(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    page = "data/share/jupyter/labextensions/@e-infra/jupyter-einfra/"

    def has(part: str) -> bool:
        return any(part in name for name in names)

    assert has(f"{page}package.json")
    assert has(f"{page}static/remoteEntry.")
    assert has(f"{page}schemas/@e-infra/jupyter-einfra/usage.json")
    assert has(f"{page}install.json")
    assert has("data/etc/jupyter/jupyter_server_config.d/jupyter_einfra.json")
    assert has("jupyter_einfra/locale/cs_CZ/LC_MESSAGES/jupyter_einfra.json")
    assert has("jupyter_einfra/_version.py")
    for name in ("page.html", "page.js", "page.css", "presence.js", *DESKTOP):
        assert has(f"jupyter_einfra/apps/pages/{name}")
    assert has("jupyter_einfra/apps/icons/vscode.svg")
    assert has("jupyter_einfra/apps/launchers/tensorboard_on_socket.py")
    for name in ("desktop_session.py", "desktop_defaults/autostart/xscreensaver.desktop"):
        assert has(f"jupyter_einfra/apps/launchers/{name}")
    assert not has("tests/")
    assert not has("node_modules")
    assert not has(".map")


#: The versions of Lab that the wheel is for, as a user would ask for them.
LABS = {"oldest": "==4.4.*", "newest": ">=4.5,<5"}


def environment(name: str, wheel: Path) -> Path:
    """Put the wheel and one version of Lab in an environment that is kept between runs."""
    home = ROOT / ".cache/environments" / f"lab-{name}"
    found = home / "bin/python"
    # With this environment's pip, for it takes as long to put one there as Lab itself.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    pip += ["--python", str(found)]
    # A run that was interrupted may have left half of one.
    if not found.exists() or subprocess.run([*pip, "check"], check=False).returncode != 0:
        venv.create(home, clear=True)
    # Compiled when it is imported, which most of it never is.
    install = [*pip, "install", "--no-compile"]
    subprocess.run([*install, f"jupyterlab{LABS[name]}", str(wheel)], check=True)
    subprocess.run([*install, "--force-reinstall", "--no-deps", str(wheel)], check=True)
    return found


@pytest.fixture(scope="module")
def environments(wheel: Path) -> dict[str, Path]:
    """Make all of them at a time."""
    with ThreadPoolExecutor() as threads:
        pythons = threads.map(lambda name: environment(name, wheel), LABS)
        return dict(zip(LABS, pythons, strict=True))


@pytest.fixture(scope="module", params=LABS)
def python(request: pytest.FixtureRequest, environments: dict[str, Path]) -> Path:
    """An environment with nothing but the wheel and one version of Lab."""
    return environments[request.param]


@pytest.fixture
def path_without_node(tmp_path: Path, python: Path) -> str:
    """A PATH where a shell is found, and no Node.js."""
    tools = tmp_path / "tools"
    tools.mkdir()
    shell = shutil.which("sh")
    assert shell is not None
    (tools / "sh").symlink_to(shell)
    path = f"{python.parent}:{tools}"
    assert shutil.which("node", path=path) is None
    return path


@pytest.fixture
def lab(tmp_path: Path, python: Path, path_without_node: str) -> Iterator[LabServer]:
    env = {"PATH": path_without_node}
    fake = {"command": [str(python), SCRIPT, "{socket}", "sleep=1"], "title": "Fake"}
    args = [f"--AppsManager.custom_apps={ {'fake': fake} }"]
    with start_lab(tmp_path, python=str(python), env=env, args=args) as started:
        yield started


def test_an_installed_wheel_shows_live_figures(
    page: Page, lab: LabServer, request: pytest.FixtureRequest
) -> None:
    open_lab(page, lab)
    memory = page.locator(".jp-EinfraUsage-figure[data-kind=memory]")
    expect(memory).to_contain_text("GiB")
    page.click(".jp-EinfraUsage-button")
    expect(page.locator(".jp-EinfraUsage-popup")).to_contain_text("CPU")


def test_an_installed_wheel_opens_an_application(page: Page, lab: LabServer) -> None:
    open_lab(page, lab)
    page.locator(".jp-LauncherCard", has_text="Fake").click()
    tab = page.frame_locator(".jp-EinfraApps-frame iframe")
    expect(tab.get_by_role("heading", name="Starting Fake")).to_be_visible()
    expect(tab.get_by_text('"method": "GET"')).to_be_visible()
    page.get_by_role("tab", name="Running Terminals and Kernels").click()
    expect(page.locator(".jp-EinfraApps-item")).to_contain_text("Fake")


def test_check_is_content_with_an_installed_wheel(
    python: Path, path_without_node: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [python.parent / "jupyter", "einfra", "check"],
        env={"PATH": path_without_node, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in done.stdout
