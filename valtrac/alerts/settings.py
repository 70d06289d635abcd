"""The settings of alerts. Where messages go is no setting: addresses hold secrets (`alerts targets add`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from valtrac.alerts.model.quiet import NONE, QuietHours, spans_of
from valtrac.alerts.model.rules import Place
from valtrac.alerts.model.schedule import time_of_day
from valtrac.core.home import HomeSettings, without_password
from valtrac.core.setting_types import Words
from valtrac.core.text import plain

FILE = "file"


class AlertSettings(HomeSettings):
    """When nobody is disturbed, how often at most, and what the machine is called."""

    alerts_machine: str = Field(default="", max_length=40)
    alerts_public_name: str = Field(default="ValTrac", min_length=1, max_length=40)
    alerts_time_zone: str = "UTC"
    alerts_quiet: Words = ("23:00-07:00",)
    alerts_wake: Literal["critical", "never"] = "critical"
    alerts_place: Literal["domestic", "international"] = "domestic"
    alerts_hourly: bool = False
    alerts_daily: str = "08:00"
    alerts_most: int = Field(default=12, ge=2, le=1_000)
    alerts_give_up_hours: int = Field(default=72, ge=1, le=8_760)
    alerts_addresses: Literal["keyring", "file", "none"] = "keyring"
    alerts_dead_man_minutes: int = Field(default=5, ge=1, le=1_440)
    alerts_database_url: str = ""

    @field_validator("alerts_database_url")
    @classmethod
    def _no_password_in_alerts_url(cls, url: str) -> str:
        return without_password(url)

    @field_validator("alerts_time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError) as error:  # an unknown name, a folder's, one that leads elsewhere
            raise ValueError(f"{name[:60]!r} is no time zone; write one like Europe/Berlin or Asia/Kolkata") from error
        return name

    @field_validator("alerts_quiet")
    @classmethod
    def _hours(cls, spans: tuple[str, ...]) -> tuple[str, ...]:
        spans_of(spans)
        return spans

    @field_validator("alerts_daily")
    @classmethod
    def _time(cls, text: str) -> str:
        if text.lower() == NONE:
            return NONE
        time_of_day(text)
        return text

    @field_validator("alerts_machine", "alerts_public_name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if plain(name) != name:
            raise ValueError("holds characters that are no letters, digits or signs")
        return name

    @property
    def alerts_zone(self) -> ZoneInfo:
        """The owner's time zone."""
        return ZoneInfo(self.alerts_time_zone)

    @property
    def alerts_quiet_hours(self) -> QuietHours:
        """When nobody is disturbed."""
        return QuietHours(spans_of(self.alerts_quiet), self.alerts_zone)

    @property
    def alerts_at_home(self) -> Place:
        """Where the owner is."""
        return Place(self.alerts_place)

    @property
    def alerts_database(self) -> str | Path:
        """The database of alerts, apart from those in which payments are written down."""
        return self.alerts_database_url or self.data / "valtrac-alerts.sqlite"

    @property
    def alerts_templates(self) -> Path:
        """The folder of the owner's own templates."""
        return self.data / "alert-templates"

    @property
    def alerts_address_file(self) -> Path | None:
        """The file of the targets' addresses, where the owner chose one; None: the keyring has them."""
        return self.data / "alert-addresses.json" if self.alerts_addresses == FILE else None
