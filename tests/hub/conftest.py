"""A real browser for the tests of a real hub."""

from servers.browser_fixtures import browser, jp_asyncio_loop, jp_server_cleanup

__all__ = ["browser", "jp_asyncio_loop", "jp_server_cleanup"]
