"""The import rules that keep the house in order, read from the source itself.

1. ``app -> feature -> base, stream, store, errors``; of another feature only models.
2. ``handlers -> manager -> pure modules and edges -> models``.
3. Models and pure modules import only the standard library and msgspec.
4. psutil, NVML and /sys/fs/cgroup only in usage/probes; SQL only in store modules;
   outbound HTTP only in client modules.
5. Nothing imports ``hub``, and ``hub`` needs neither server nor probes.
6. Nothing heavy is imported when the server starts.
8. TypeScript features import ``../api``, ``../tokens`` and themselves.

(Rule 7, features in isolation, is behaviour: tests/test_app.py.)
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "jupyter_einfra"
BROWSER = ROOT / "labextension" / "src"

#: What every feature may stand on, beside its own modules.
COMMON = {
    *("base", "config", "errors", "event_stream", "models", "notices", "state", "store"),
    *("keeping", "store_file", "stream", "threads", "wording"),
    *("kernels/names", "kernels/signals", "kernels/watch"),
}

#: Those who bring features together, each in its way, and so may import any.
COMPOSERS = {"__init__", "app", "openapi", "cli"}

#: Folders of what is common.
SHARED = {"kernels"}

MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix(): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name != "_version.py"
}


def feature_of(module: str) -> str:
    return module.partition("/")[0]


FEATURES = sorted({feature_of(m) for m in MODULES if "/" in m} - COMPOSERS - SHARED)


def imports(path: Path) -> Iterator[str]:
    """Absolute names of everything a file imports, wherever in the file."""
    package = ["jupyter_einfra", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import x` imports a module, `from .x import y` a name.
            if node.module is None:
                yield from (f"{name}.{alias.name}" for alias in node.names)
            else:
                yield name


def own(path: Path) -> Iterator[str]:
    """Modules of ours that a file imports, as keys of `MODULES` without the package."""
    for name in imports(path):
        if name.startswith("jupyter_einfra."):
            yield name.removeprefix("jupyter_einfra.").replace(".", "/")


def is_pure(path: Path) -> bool:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return path.name == "models.py" or "\nPure:" in f"\n{docstring}"


def test_there_is_something_to_check() -> None:
    assert {"check", "usage"} <= set(FEATURES)
    assert "usage/probes/cgroup" in MODULES


@pytest.mark.parametrize("module", [m for m in MODULES if feature_of(m) in FEATURES])
def test_a_feature_imports_itself_what_is_common_and_others_models(module: str) -> None:
    for name in own(MODULES[module]):
        ours = feature_of(name) == feature_of(module) or name in COMMON | {"_version"}
        assert ours or name.endswith("/models"), f"{module} imports {name}"


@pytest.mark.parametrize("module", sorted(COMMON & MODULES.keys()))
def test_what_is_common_knows_no_feature(module: str) -> None:
    for name in own(MODULES[module]):
        assert feature_of(name) not in FEATURES, f"{module} imports {name}"


@pytest.mark.parametrize("module", [m for m in MODULES if feature_of(m) not in COMPOSERS])
def test_only_composers_import_composers(module: str) -> None:
    for name in own(MODULES[module]):
        assert feature_of(name) not in COMPOSERS, f"{module} imports {name}"


@pytest.mark.parametrize("module", [m for m in MODULES if "/" in m])
def test_layers_point_one_way(module: str) -> None:
    layer = ["handlers", "manager"]
    # Features of many addresses have `proxy_handlers` and the like beside `handlers`.
    name = module.rpartition("/")[2].rpartition("_")[2]
    above = set(layer[: layer.index(name)]) if name in layer else set(layer)
    for imported in own(MODULES[module]):
        if feature_of(imported) == feature_of(module):
            assert imported.rpartition("_")[2].rpartition("/")[2] not in above, (
                f"{module} imports {imported}"
            )


@pytest.mark.parametrize("module", [m for m, path in MODULES.items() if is_pure(path)])
def test_pure_modules_touch_nothing_but_values(module: str) -> None:
    forbidden = {"asyncio", "os", "socket", "subprocess", "sqlite3", "threading", "time", "urllib"}
    for name in imports(MODULES[module]):
        top = name.partition(".")[0]
        if top == "jupyter_einfra":
            other = name.removeprefix("jupyter_einfra.").replace(".", "/")
            assert is_pure(MODULES[other]), f"{module} imports {other}"
        else:
            assert top == "msgspec" or top in sys.stdlib_module_names, f"{module} imports {name}"
            assert top not in forbidden, f"{module} imports {name}"


def test_the_pure_modules_are_the_ones_meant() -> None:
    pure = {module for module, path in MODULES.items() if is_pure(path)}
    assert pure >= {
        "errors",
        "models",
        "apps/folders",
        "apps/icons",
        "apps/supervision/lifecycle",
        "apps/models",
        "apps/supervision/output",
        "apps/reasons",
        "apps/requests",
        "check/models",
        "idle/forecast",
        "idle/models",
        "idle/observed",
        "idle/outlook",
        "idle/policy",
        "idle/published",
        "usage/alerts/deaths",
        "usage/alerts/warnings",
        "usage/figures",
        "usage/history/runs",
        "usage/history/tiers",
        "usage/models",
        "usage/programs/processes",
        "usage/probes/formats",
    }


@pytest.mark.parametrize(
    ("libraries", "home"),
    [
        ({"psutil", "pynvml"}, "usage/probes/"),
        ({"sqlite3"}, "store"),
        ({"httpx", "requests", "aiohttp", "urllib"}, "client"),
    ],
)
def test_each_way_to_the_outside_has_one_home(libraries: set[str], home: str) -> None:
    for module, path in MODULES.items():
        used = libraries & {name.partition(".")[0] for name in imports(path)}
        assert not used or home in module, f"{module} imports {used}"


def test_only_the_probes_know_where_control_groups_lie() -> None:
    for module, path in MODULES.items():
        text = path.read_text("utf-8")
        knows = "sys/fs/cgroup" in text or "memory.current" in text or "cpuacct" in text
        assert not knows or module.startswith("usage/probes/"), module


def test_the_operators_services_stand_alone() -> None:
    for module, path in MODULES.items():
        if feature_of(module) == "hub":
            tops = {name.partition(".")[0] for name in imports(path)}
            assert not tops & {"jupyter_server", "psutil", "pynvml"}, module
        else:
            assert not any(feature_of(name) == "hub" for name in own(path)), module


def test_nothing_heavy_is_imported_when_the_server_starts() -> None:
    """What `app` pulls in beyond the server's own imports is ours, msgspec and small."""
    script = (
        "import sys, jupyter_server.serverapp, jupyter_server.extension.application\n"
        "before = set(sys.modules)\n"
        "import jupyter_einfra.app, jupyter_einfra.usage.handlers, jupyter_einfra.usage.manager\n"
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(tops - set(sys.stdlib_module_names)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout
    assert set(output.split()) == {"jupyter_einfra", "msgspec"}


def test_discovery_by_lab_imports_no_server() -> None:
    script = (
        "import sys, jupyter_einfra\n"
        "jupyter_einfra._jupyter_labextension_paths()\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout
    assert not set(output.split()) & {"jupyter_server", "msgspec", "tornado", "traitlets"}


IMPORT = re.compile(r"""(?:from|import)\s+['"](\.[^'"]*)['"]""")


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(BROWSER.rglob("*.ts*")) if p.parent != BROWSER],
    ids=lambda path: path.relative_to(BROWSER).as_posix(),
)
def test_browser_features_import_the_api_the_tokens_and_themselves(path: Path) -> None:
    feature = path.relative_to(BROWSER).parts[0]
    allowed = {feature, "api", "tokens"}
    if ".spec." in path.name:
        allowed.add("testing")
    others = {folder.name for folder in BROWSER.iterdir() if folder.is_dir()} - {feature}
    for name in IMPORT.findall(path.read_text("utf-8")):
        target = os.path.relpath(path.parent / name, BROWSER).partition("/")[0]
        style = re.search(r"/style/([a-z]+)[^/]*\.css$", name)
        is_own = style is not None and style[1] not in others
        if target == ".." and (".spec." in path.name or is_own):
            continue  # not code: the schema in a spec, or a style that is loaded late
        assert target in allowed or feature == "testing", f"{path.name} imports {name}"


def test_the_browsers_entry_is_the_array_of_plugins_and_nothing_else() -> None:
    lines = (BROWSER / "index.ts").read_text("utf-8").splitlines()
    assert "export default" in "\n".join(lines)
    assert len(lines) < 60
