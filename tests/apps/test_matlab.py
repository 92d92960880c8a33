"""MATLAB with its own package, the real one, where MATLAB itself is not installed."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from servers.apps import Leavings
from servers.instances import Stage, until, until_settled

from jupyter_einfra.apps.matlab import MATLAB
from jupyter_einfra.apps.supervision.instance import Instance

TOKEN = "MWI-MPM-AUTH-TOKEN"


@pytest.fixture
def matlab(
    jp_asyncio_loop: asyncio.AbstractEventLoop,
    tmp_path: Path,
    leavings: Leavings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Instance]:
    monkeypatch.setenv("HOME", str(tmp_path))  # it keeps its state there
    stage = Stage(tmp_path, leavings)
    yield stage.instance("matlab")
    jp_asyncio_loop.run_until_complete(stage.close())
    assert leavings.processes() == []


async def run(instance: Instance) -> Instance:
    instance.start()
    await until(instance, "running", "failed", seconds=60)
    assert instance.state == "running", instance.reason
    return instance


async def get(instance: Instance, path: str, headers: dict[str, str]) -> httpx.Response:
    url = f"http://127.0.0.1:{instance.port}/base/matlab/{path}"
    async with httpx.AsyncClient(trust_env=False, timeout=60, follow_redirects=True) as client:
        return await client.get(url, headers=headers)


async def test_its_page_comes_to_who_has_its_token_and_to_nobody_else(
    matlab: Instance, leavings: Leavings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await run(matlab)
    headers = dict(matlab.headers)
    page = await get(matlab, "", headers)
    assert page.status_code == 200
    assert "MWI_MATLAB_PROXY_IDENTIFIER" in page.text
    assert (await get(matlab, "default/", {})).status_code == 403
    assert (await get(matlab, "default/", {**headers, TOKEN: "wrong"})).status_code == 403
    # Nobody can read it who is not the user.
    secret = headers[TOKEN]
    assert secret not in caplog.text.replace("httpx", "")
    for process in leavings.processes():
        assert secret not in " ".join(process.cmdline())
    assert matlab.output is not None
    assert secret not in matlab.output.read_text()
    assert secret not in repr(matlab.told())


async def test_after_its_own_end_it_is_stopped_and_starts_with_a_fresh_token(
    matlab: Instance, leavings: Leavings
) -> None:
    await run(matlab)
    before = dict(matlab.headers)
    await get(matlab, "", before)
    programs = [p for p in leavings.processes() if p.name() == "matlab-proxy-app"[:15]]
    assert programs
    for program in programs:
        program.terminate()  # as it ends itself after a time without use
    await until(matlab, "stopped", seconds=30)
    assert matlab.reason is not None
    assert matlab.reason.code == "app_ended"
    await until_settled(matlab)
    await run(matlab)
    after = dict(matlab.headers)
    assert after[TOKEN] != before[TOKEN]
    assert (await get(matlab, "", after)).status_code == 200


async def test_a_package_that_does_not_work_is_told_of(
    matlab: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jupyter_matlab_proxy.py").write_text("raise ImportError('no libfoo')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    instance = Stage(tmp_path, Leavings()).instance("matlab")
    instance.start()
    await until(instance, "failed")
    assert instance.reason is not None
    assert instance.reason.code == "app_broken"
    assert "no libfoo" in instance.reason.message


async def test_what_is_opened_is_named_to_matlab_itself(
    matlab: Instance, leavings: Leavings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MWI_MATLAB_STARTUP_SCRIPT", "format long")
    script = tmp_path / "it's" / "fit.m"
    script.parent.mkdir()
    script.touch()
    instance = Stage(tmp_path, leavings).instance("matlab")
    instance.start(str(script))
    await until(instance, "running", "failed", seconds=60)
    await get(instance, "", dict(instance.headers))
    folder = str(script.parent).replace("'", "''")
    told = {p.environ().get("MWI_MATLAB_STARTUP_SCRIPT") for p in leavings.processes()}
    assert f"format long\ncd('{folder}');\nedit('{folder}/fit.m');" in told
    instance.stop()
    await until(instance, "stopped", seconds=60)
    await until_settled(instance)


class TestRemarks:
    def test_it_is_said_that_matlab_itself_is_missing(self, tmp_path: Path) -> None:
        (remark,) = MATLAB().remarks({"PATH": str(tmp_path)})
        assert remark.status == "warning"
        assert remark.advice is not None
        (tmp_path / "matlab").touch(mode=0o755)
        assert list(MATLAB().remarks({"PATH": str(tmp_path)})) == []

    def test_its_folder_may_be_named(self, tmp_path: Path) -> None:
        environ = {"PATH": os.defpath, "MWI_CUSTOM_MATLAB_ROOT": str(tmp_path)}
        (remark,) = MATLAB().remarks(environ)
        assert remark.status == "error"
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "matlab").touch(mode=0o755)
        assert list(MATLAB().remarks(environ)) == []
