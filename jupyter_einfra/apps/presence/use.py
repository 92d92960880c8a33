"""What is known of the use of one instance.

Pure: standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass
class Use:
    """When somebody or something last made use of it, and whether that can be seen."""

    last_used: datetime | None = None
    """By a person, who started it or did something in it."""
    last_busy: datetime | None = None
    """By itself: it computed as much as the operator counts."""
    is_hidden: bool = False
    """Whether a page of it does not allow the script that would tell."""
