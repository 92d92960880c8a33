"""Each server has a folder of its own, and finds it again."""

from __future__ import annotations

from pathlib import Path

from jupyter_einfra.state import state_directory


def test_servers_of_other_hubs_users_and_names_have_folders_of_their_own(tmp_path: Path) -> None:
    def folder(**environ: str) -> Path:
        return state_directory(tmp_path, environ)

    hub = {"JUPYTERHUB_API_URL": "http://hub:8081/hub/api", "JUPYTERHUB_USER": "ann"}
    folders = [
        folder(),
        folder(**hub),
        folder(**{**hub, "JUPYTERHUB_USER": "bob"}),
        folder(**{**hub, "JUPYTERHUB_SERVER_NAME": "gpu"}),
        folder(**{**hub, "JUPYTERHUB_API_URL": "http://other/hub/api"}),
        folder(JUPYTERHUB_BASE_URL="/x/", JUPYTERHUB_USER="ann"),
        # Parts must not run into one another.
        folder(**{**hub, "JUPYTERHUB_USER": "a", "JUPYTERHUB_SERVER_NAME": "b"}),
        folder(**{**hub, "JUPYTERHUB_USER": "ab"}),
    ]
    assert len(set(folders)) == len(folders)
    assert folder(**hub) == folder(**hub, JUPYTERHUB_SERVER_NAME="", OTHER="1")
    assert {found.parent for found in folders} == {tmp_path / "einfra"}
    hostile = folder(**{**hub, "JUPYTERHUB_USER": "../../x\udcff"})
    assert hostile.parent == tmp_path / "einfra"
    assert not (tmp_path / "einfra").exists()


def test_a_hub_is_known_by_its_public_name(tmp_path: Path) -> None:
    def folder(**environ: str) -> Path:
        return state_directory(tmp_path, {"JUPYTERHUB_USER": "ann", **environ})

    here = {"JUPYTERHUB_BASE_URL": "/x/", "JUPYTERHUB_HOST": "https://hub.example.org"}
    public = {**here, "JUPYTERHUB_PUBLIC_HUB_URL": "https://hub.example.org/x/hub/"}
    same = {
        folder(**public, JUPYTERHUB_API_URL="http://hub:8081/x/hub/api"),
        folder(**public, JUPYTERHUB_API_URL="http://other:8081/x/hub/api"),
        folder(**here, JUPYTERHUB_PUBLIC_HUB_URL="", JUPYTERHUB_API_URL="http://hub:8081/"),
        folder(**here),
    }
    assert len(same) == 1
    assert same.isdisjoint(
        {
            folder(JUPYTERHUB_PUBLIC_HUB_URL="https://hub.example.org/hub/"),
            folder(JUPYTERHUB_PUBLIC_HUB_URL="https://hub2.example.org/x/hub/"),
        }
    )


def test_a_hub_in_a_new_container_is_the_same_hub(tmp_path: Path) -> None:
    def folder(url: str) -> Path:
        return state_directory(tmp_path, {"JUPYTERHUB_API_URL": url, "JUPYTERHUB_HOST": ""})

    passing = ("0123456789ab", "fedcba987654", "172.17.0.2", "10.0.0.9", "[fd00::1]", "f" * 64)
    assert len({folder(f"http://{host}:8081/hub/api") for host in passing}) == 1
    assert folder("http://172.17.0.2:8081/hub/api") != folder("http://172.17.0.2:9000/hub/api")
    assert folder("http://hub:8081/hub/api") != folder("http://hub.b:8081/hub/api")
    assert folder("http://hub:8081/hub/api") != folder("http://172.17.0.2:8081/hub/api")
    odd = ("http://", "://", "http://[", "http+unix://%2Fsrv%2Fhub.sock/hub/api", "x\n\udcff")
    assert len({folder(url) for url in odd}) == len(odd)
