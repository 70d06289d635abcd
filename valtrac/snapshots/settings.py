"""The settings of the record of stakes."""

from __future__ import annotations

from pydantic import Field, field_validator

from valtrac.core.addresses import BadAddress, key_of
from valtrac.core.setting_types import Checked, Words


class SnapshotSettings(Checked):
    """Whose stakes are recorded, on which subnets (none: on all), and how often: blocks between snapshots."""

    hotkeys: Words = ()
    netuids: Words = ()
    snapshot_interval: int = Field(default=300, ge=1, le=1_000_000)

    @field_validator("netuids")
    @classmethod
    def _subnets(cls, netuids: tuple[str, ...]) -> tuple[str, ...]:
        for netuid in netuids:
            if not (netuid.isascii() and netuid.isdecimal()) or int(netuid) > 65_535:
                raise ValueError(f"{netuid!r} is no subnet: numbers from 0 to 65535, with commas")
        return netuids

    @property
    def subnets(self) -> frozenset[int] | None:
        """The subnets that are recorded; None: all."""
        return frozenset(map(int, self.netuids)) or None

    @field_validator("hotkeys")
    @classmethod
    def _valid_hotkeys(cls, hotkeys: tuple[str, ...]) -> tuple[str, ...]:
        for hotkey in hotkeys:
            try:
                key_of(hotkey)
            except BadAddress as error:
                raise ValueError(f"{hotkey!r}: {error}") from error
        return hotkeys
