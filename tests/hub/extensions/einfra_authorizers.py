"""An operator's own rule about who may see what, and two people to apply it to."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth import Authorizer, IdentityProvider, User


class UsageForAlice(Authorizer):
    """Everybody may do everything, but only alice may see what is used."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        """Say whether a user may do something."""
        return (action, resource) != ("read", "einfra-usage") or user.username == "alice"


class NamesAsTokens(IdentityProvider):
    """A server without a hub that still tells people apart."""

    async def get_user(self, handler: Any) -> User | None:
        """Return whoever the token names."""
        name = self.get_token(handler)
        return User(name) if name in ("alice", "bob") else None
