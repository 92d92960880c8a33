"""What an operator sets about applications that nobody uses."""

from __future__ import annotations

import math

from traitlets import Dict, Float, TraitError, Unicode

from ...config import EinfraConfigurable
from .policy import Limit

#: Use is reported to the minute; what is stopped after less could be in use.
_LEAST_SECONDS = 300.0


class AppsIdleness(EinfraConfigurable):
    """What counts as use beside a person's, and what is stopped for want of it."""

    env_prefix = "JUPYTER_EINFRA_APPS_IDLENESS_"

    busy_cores = Float(
        0.0,
        min=0.0,
        max=100000.0,
        help="Cores from which on what an application computes, averaged over a minute, counts as "
        "use; 0: never. Open pages and extensions compute a little, too.",
    ).tag(config=True)
    stop_seconds = Dict(
        value_trait=Float(),
        key_trait=Unicode(),
        help="Seconds without use after which an application is stopped, by its name, such as "
        '``{"rstudio": 86400}``; at least 300. None is by default.',
    ).tag(config=True)
    warning_seconds = Float(
        600.0,
        min=60.0,
        max=86400.0,
        help="Seconds that a notice stands before an application is stopped for want of use.",
    ).tag(config=True)

    def limits(self) -> dict[str, Limit]:
        """Return after how long applications are stopped, by their names.

        Raises
        ------
        TraitError
        """
        wanted = {name: seconds for name, seconds in self.stop_seconds.items() if seconds}
        for name, seconds in wanted.items():
            if not math.isfinite(seconds) or seconds < _LEAST_SECONDS:
                raise TraitError(
                    f"AppsIdleness.stop_seconds of {name!r} is {seconds:g}, and has to be "
                    f"{_LEAST_SECONDS:g} or more, or 0 for never"
                )
        return {name: Limit(seconds, self.warning_seconds) for name, seconds in wanted.items()}
