"""The settings of people and their addresses."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from valtrac.core.setting_types import Checked


class PeopleSettings(Checked):
    """How careful to be with addresses that are new."""

    quarantine_hours: int = Field(default=24, ge=0, le=8_760)

    @property
    def quarantine(self) -> timedelta:
        """How long nothing is paid to an address that has changed."""
        return timedelta(hours=self.quarantine_hours)
