"""A real JupyterHub with its real proxy, on this machine, for a while.

Dummy authenticator, local processes as single-user servers, everything in one
directory. Sharing is switched on, as an operator would: owners may share their server.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, final

import httpx

from .process import ServerProcess, clean_environment, free_port, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

_REPOSITORY = Path(__file__).parents[2]
_PROXY = Path("node_modules/.bin/configurable-http-proxy")

_CONFIG = """\
c = get_config()
c.JupyterHub.bind_url = {url!r}
c.JupyterHub.hub_ip = "127.0.0.1"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:///hub.sqlite"
c.JupyterHub.cookie_secret_file = "cookie_secret"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.auth_token = {proxy_token!r}

# Whatever moves the clock shows at once.
c.JupyterHub.last_activity_interval = 1
c.JupyterHub.activity_resolution = 0

c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allowed_users = {users!r}
c.JupyterHub.services = [{{"name": "tests", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{
        "name": "tests-role",
        "services": ["tests"],
        "scopes": ["admin:users", "admin:servers", "access:servers", "tokens", "shares", "proxy"],
    }},
    {{"name": "user", "scopes": ["self", "shares!user", "read:users:name", "read:groups:name"]}},
]

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r}
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.args = {args!r}
c.Spawner.env_keep.extend({kept!r})
c.Spawner.environment = {environment!r}
c.Spawner.default_url = "/lab"
"""


class Activity(NamedTuple):
    """When the hub believes that somebody last did something."""

    user: datetime
    server: datetime


@final
class RealHub:
    """JupyterHub, configurable-http-proxy and the users' servers.

    Parameters
    ----------
    directory:
        Empty or missing; takes the database, the log and the users' homes.
    users:
        Who may sign in; all with the same password, `password`.
    args, env:
        Added to the command line and the environment of every single-user server.
    config:
        Python appended to the hub's configuration.
    port:
        Of the proxy, where browsers connect; a free one if left out.
    activity_seconds:
        How often single-user servers report their activity to the hub.
    access_cache_seconds:
        How long single-user servers believe what the hub said of a token.
    """

    def __init__(
        self,
        directory: Path,
        *,
        users: Iterable[str] = ("alice",),
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        config: str = "",
        port: int | None = None,
        activity_seconds: int = 300,
        access_cache_seconds: int = 300,
    ) -> None:
        self.directory = directory
        self.users = tuple(users)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.password = secrets.token_urlsafe(9)
        self.log = directory / "hub.log"
        self._service_token = secrets.token_hex(16)
        self._tokens: dict[str, str] = {}
        self._process: ServerProcess | None = None
        self._config = config
        self._args = [
            "--allow-root",
            f"--HubOAuth.cache_max_age={access_cache_seconds}",
            *args,
        ]
        self._env = {"JUPYTERHUB_ACTIVITY_INTERVAL": str(activity_seconds), **(env or {})}

    # Life -------------------------------------------------------------------------

    def start(self) -> RealHub:
        """Start the hub and its proxy, and wait until both answer."""
        proxy = _REPOSITORY / _PROXY
        if not proxy.exists():
            raise RuntimeError(f"There is no {_PROXY}. `make setup` installs it.")
        self.directory.mkdir(parents=True, exist_ok=True)
        env = clean_environment(self.directory)
        homes = self.directory / "homes"
        homes.mkdir(exist_ok=True)
        text = _CONFIG.format(
            url=self.url,
            hub_port=free_port(),
            proxy=str(proxy),
            proxy_port=free_port(),
            proxy_token=secrets.token_hex(16),
            password=self.password,
            users=set(self.users),
            token=self._service_token,
            homes=str(homes / "{username}"),
            python=sys.executable,
            args=self._args,
            kept=["JUPYTER_CONFIG_PATH", "JUPYTER_PATH", *ServerProcess.marks()],
            environment=self._env,
        )
        config = self.directory / "jupyterhub_config.py"
        config.touch(mode=0o600)  # it holds the secrets
        config.write_text(text + self._config)
        command = [sys.executable, "-m", "jupyterhub", "--config", str(config)]
        self._process = ServerProcess(command, env=env, cwd=self.directory, log=self.log)
        try:
            wait_until("the hub answered through its proxy", self._answers, within_seconds=60)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the users' servers, the proxy and the hub."""
        process, self._process = self._process, None
        if process is not None:
            process.stop(within_seconds=30)

    def __enter__(self) -> RealHub:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _answers(self) -> bool:
        if self._process is not None:
            self._process.must_run()
        try:
            return self.api("GET", "users").is_success
        except httpx.TransportError:
            return False

    # What the hub knows -----------------------------------------------------------

    def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask the hub's REST API as a service: nobody becomes active by it.

        ``options`` are those of `httpx.request`; ``token`` asks as somebody else.
        """
        token = options.pop("token", self._service_token)
        return _request(method, f"{self.url}hub/api/{path}", token, **options)

    def token_for(self, user: str) -> str:
        """Return an API token of a user with everything that the user may do."""
        if user not in self._tokens:
            reply = self.api("POST", f"users/{user}/tokens", json={"note": "tests"})
            self._tokens[user] = reply.raise_for_status().json()["token"]
        return self._tokens[user]

    def activity(self, user: str) -> Activity:
        """Return what the hub holds to be the last activity of a user and their server."""
        model = self.api("GET", f"users/{user}").raise_for_status().json()
        server = model["servers"][""]["last_activity"]
        return Activity(_time(model["last_activity"]), _time(server))

    # Users' servers ---------------------------------------------------------------

    def start_server(self, user: str) -> str:
        """Start a user's server, wait until it is ready, and return its URL."""
        self.api("POST", f"users/{user}/server").raise_for_status()

        def ready() -> bool:
            model = self.api("GET", f"users/{user}").raise_for_status().json()
            server = model["servers"].get("")
            if server is None:
                raise RuntimeError(f"The server of {user} did not start. See {self.log}.")
            return bool(server["ready"])

        wait_until(f"the server of {user} was ready", ready, within_seconds=60)
        return self.server_url(user)

    def stop_server(self, user: str) -> None:
        """Stop a user's server and wait until it is gone."""
        self.api("DELETE", f"users/{user}/server").raise_for_status()

        def gone() -> bool:
            return "" not in self.api("GET", f"users/{user}").raise_for_status().json()["servers"]

        wait_until(f"the server of {user} was gone", gone)

    def server_url(self, user: str) -> str:
        """Return the address of a user's server, through the proxy."""
        return f"{self.url}user/{user}/"

    def direct_url(self, user: str) -> str:
        """Return the address of a user's server behind the proxy's back."""
        routes = self.api("GET", "proxy").raise_for_status().json()
        return str(routes[f"/user/{user}/"]["target"]).rstrip("/") + f"/user/{user}/"

    def ask(
        self, user: str, method: str, path: str, *, token: str, **options: Any
    ) -> httpx.Response:
        """Send one request with a token to a user's server, through the proxy."""
        return _request(method, self.server_url(user) + path, token, **options)

    def ask_directly(self, user: str, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask a user's server as a service behind the proxy's back: the hub sees nothing."""
        return _request(method, self.direct_url(user) + path, self._service_token, **options)

    # People -----------------------------------------------------------------------

    def share(self, owner: str, with_user: str) -> None:
        """Let the owner share their server with somebody, as JupyterHub's page does."""
        self.api(
            "POST", f"shares/{owner}/", json={"user": with_user}, token=self.token_for(owner)
        ).raise_for_status()

    def revoke(self, owner: str, with_user: str) -> None:
        """Let the owner take the share back."""
        self.api(
            "PATCH", f"shares/{owner}/", json={"user": with_user}, token=self.token_for(owner)
        ).raise_for_status()

    def login(self, page: Page, user: str, *, path: str = "lab") -> None:
        """Sign in with a browser and open a page of the user's server."""
        self.sign_in(page, user, f"/user/{user}/{path}")
        page.wait_for_url(f"{self.server_url(user)}{path}*", timeout=60_000)

    def sign_in(self, page: Page, user: str, then: str) -> None:
        """Sign in with a browser, and let it go on to another page."""
        page.goto(f"{self.url}hub/login?next={then}")
        page.fill("#username_input", user)
        page.fill("#password_input", self.password)
        page.click("#login_submit")


def _request(method: str, url: str, token: str, **options: Any) -> httpx.Response:
    options["headers"] = {"Authorization": f"token {token}", **options.get("headers", {})}
    options.setdefault("timeout", 20.0)
    return httpx.request(method, url, trust_env=False, **options)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
