"""How operators configure: traits, each also settable from the environment.

A container image sets ``JUPYTER_EINFRA_USAGE_WATCHED_INTERVAL_SECONDS=2``; a config
file or the command line sets ``c.UsageManager.watched_interval_seconds = 2`` and
wins over the environment.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any, ClassVar

from traitlets import List, TraitError
from traitlets.config import Config, LoggingConfigurable


class EinfraConfigurable(LoggingConfigurable):
    """A configurable whose traits have names in the environment too.

    Parameters
    ----------
    environ:
        The environment to read; the process's own if left out.

    Raises
    ------
    traitlets.TraitError
        At construction, when a value is of the wrong type or out of range.
    """

    env_prefix: ClassVar[str]

    def __init__(self, *, environ: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        self._environ = os.environ if environ is None else environ
        super().__init__(**kwargs)
        for name in self.trait_names(config=True):
            value = getattr(self, name)
            # No bound keeps "nan" out, and no clock can wait for either.
            if isinstance(value, float) and not math.isfinite(value):
                raise TraitError(f"{type(self).__name__}.{name} is {value}, not a finite number")

    @classmethod
    def env_name(cls, trait: str) -> str:
        """Name of the environment variable that sets a trait."""
        return cls.env_prefix + trait.upper()

    def _load_config(self, cfg: Config, *args: Any, **kwargs: Any) -> None:
        from_env = {
            name: self._from_env(name, self._environ[self.env_name(name)])
            for name in self.trait_names(config=True)
            if self.env_name(name) in self._environ
        }
        merged = Config({type(self).__name__: from_env})
        merged.merge(cfg)
        super()._load_config(merged, *args, **kwargs)

    def _from_env(self, name: str, text: str) -> Any:
        trait = self.traits()[name]
        try:
            if isinstance(trait, List):
                parts = [part.strip() for part in text.split(",") if part.strip()]
                return trait.from_string_list(parts)
            value = trait.from_string(text)
            trait._validate(self, value)  # bounds too, while the variable's name is known
        except (ValueError, TraitError) as error:
            raise TraitError(f"{self.env_name(name)}={text!r}: {error}") from error
        return value
