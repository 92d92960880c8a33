"""How operators configure: traits, each also settable from the environment.

A container image sets ``JUPYTER_EINFRA_USAGE_WATCHED_INTERVAL_SECONDS=2``; a config
file or the command line sets ``c.UsageManager.watched_interval_seconds = 2`` and
wins over the environment.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

from traitlets import List, TraitError
from traitlets.config import Config, LoggingConfigurable
from traitlets.config.loader import DeferredConfigList, DeferredConfigString


class EinfraConfigurable(LoggingConfigurable):
    """A configurable whose traits have names in the environment too.

    Raises
    ------
    traitlets.TraitError
        At construction, when a value is of the wrong type or out of range.
    """

    env_prefix: ClassVar[str]

    @classmethod
    def env_name(cls, trait: str) -> str:
        """Name of the environment variable that sets a trait."""
        return cls.env_prefix + trait.upper()

    def _load_config(self, cfg: Config, *args: Any, **kwargs: Any) -> None:
        from_env = {
            name: self._from_env(name, os.environ[self.env_name(name)])
            for name in self.trait_names(config=True)
            if self.env_name(name) in os.environ
        }
        merged = Config({type(self).__name__: from_env})
        merged.merge(cfg)
        super()._load_config(merged, *args, **kwargs)

    def _from_env(self, name: str, text: str) -> Any:
        trait = self.traits()[name]
        deferred = (
            DeferredConfigList([part.strip() for part in text.split(",") if part.strip()])
            if isinstance(trait, List)
            else DeferredConfigString(text)
        )
        try:
            return deferred.get_value(trait)
        except (ValueError, TraitError) as error:
            raise TraitError(f"{self.env_name(name)}={text!r}: {error}") from error
