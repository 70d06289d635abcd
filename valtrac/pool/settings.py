"""The settings of the Qtum pool; their defaults are the pool payout manager's. Amounts are written in QTUM."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from valtrac.core.endpoints import NONE, can_be_altered, same_node
from valtrac.core.home import DEVNET, HomeSettings, without_password
from valtrac.core.money import QTUM
from valtrac.core.setting_types import LARGEST_SQL_INTEGER, Qtum
from valtrac.core.text import plain
from valtrac.pool.model.schedule import WEEKDAYS, Schedule
from valtrac.pool.model.weights import Rule, Terms

COIN = 10**QTUM.decimals
LEAST_FINAL = 5


def _percent(value: Any) -> Any:
    """A percentage from -100 to 100 as basis points: 12, 12.5, -10; a sign of percent may follow."""
    if not isinstance(value, str):
        return value
    text = value.strip().removesuffix("%").strip()
    try:
        bps = Decimal(text) * 100
    except InvalidOperation as error:
        raise ValueError(f"{plain(value, 40)!r} is no percentage; write it like 12 or 12.5") from error
    if not bps.is_finite() or bps != bps.to_integral_value():
        raise ValueError("is finer than a hundredth of a percent")
    return int(bps)


Percent = Annotated[int, BeforeValidator(_percent), Field(ge=-10_000, le=10_000)]


class PoolSettings(HomeSettings):
    """Where the super staker is, how its rewards are shared, and when they are paid."""

    qtum_network: Literal["devnet", "main", "test", "regtest"] = "devnet"
    qtum_node: str = "http://127.0.0.1:3889"
    qtum_login: str = ""
    qtum_second_node: str = ""
    qtum_second_login: str = ""
    qtum_wallet_name: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,60}$")
    qtum_staker: str = Field(default="", max_length=60)
    qtum_database_url: str = ""
    qtum_final_blocks: int = Field(default=10, ge=1, le=2_000)
    qtum_maturity: int = Field(default=2_000, ge=1, le=10_000)
    qtum_fee_rate: Qtum = COIN * 4 // 1_000
    pool_name: str = Field(default="", max_length=40)
    pool_required_fee: int = Field(default=100, ge=0, le=100)
    pool_fee: Percent = 1_200
    pool_least_coin: Qtum = 25 * COIN
    pool_minimum: Qtum = COIN // 1_000
    pool_rule: Rule = Rule.PPMU
    pool_confirmations: int = Field(default=5, ge=1, le=500)
    pool_look_s: float = Field(default=4.0, ge=0.1, le=600.0)
    pool_payday_days: int = Field(default=1, ge=1, le=31)
    pool_payday_hour: int = Field(default=0, ge=0, le=23)
    pool_payday_weekday: str = ""
    pool_payments: bool = True
    pool_chunk: int = Field(default=500, ge=1, le=1_000)
    pool_reserve: Qtum = 0
    pool_cap_payment: Qtum = LARGEST_SQL_INTEGER
    pool_cap_day: Qtum = LARGEST_SQL_INTEGER
    pool_few_connections: int = Field(default=5, ge=0, le=1_000)
    pool_stale_minutes: int = Field(default=30, ge=1, le=1_440)
    pool_logging: bool = True
    pool_log_date: Literal["DD_MMM_YYYY", "YYYY_MMM_DD", "YYYY_MM_DD"] = "DD_MMM_YYYY"
    pool_time_zone: str = "UTC"

    @field_validator("qtum_database_url")
    @classmethod
    def _no_password_in_pool_url(cls, url: str) -> str:
        return without_password(url)

    @field_validator("qtum_node", "qtum_second_node")
    @classmethod
    def _qtum_url(cls, url: str) -> str:
        if not url or url.lower() == NONE:
            return ""
        if not url.startswith(("http://", "https://")) or "@" in url:
            raise ValueError("must be an http:// or https:// URL without a login, which is read from a file")
        return url.rstrip("/")

    @field_validator("pool_payday_weekday")
    @classmethod
    def _weekday(cls, name: str) -> str:
        if name and name.lower() not in WEEKDAYS:
            raise ValueError(f"must be empty or one of {', '.join(WEEKDAYS)}")
        return name.lower()

    @field_validator("pool_time_zone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError("is no time zone; write it like Europe/Vienna") from error
        return name

    @field_validator("pool_name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if plain(name) != name:
            raise ValueError("holds characters that are no letters, digits or signs")
        return name

    @model_validator(mode="after")
    def _a_second_qtum_node_is_another(self) -> PoolSettings:
        if self.qtum_second_node and same_node(self.qtum_node, self.qtum_second_node):
            raise ValueError("VALTRAC_QTUM_SECOND_NODE: is the first node, which agrees with itself")
        return self

    @model_validator(mode="after")
    def _deep_enough_on_the_main_network(self) -> PoolSettings:
        if self.qtum_network == "main" and self.qtum_final_blocks < LEAST_FINAL:
            raise ValueError(
                f"VALTRAC_QTUM_FINAL_BLOCKS: must be at least {LEAST_FINAL} on the main network: a payment that a "
                "rival has replaced would live again after a small reorganisation"
            )
        return self

    @property
    def rehearsing_pool(self) -> bool:
        """Whether it is the rehearsal chain."""
        return self.qtum_network == DEVNET

    @property
    def trusts_one_qtum_node(self) -> bool:
        """Whether nobody contradicts the node: it is no rehearsal, and no second one is set."""
        return not self.rehearsing_pool and not self.qtum_second_node

    @property
    def asks_for_second_qtum_node(self) -> bool:
        """Whether the owner has said neither which node is the second one nor that there is none."""
        return self.trusts_one_qtum_node and "qtum_second_node" not in self.model_fields_set

    @property
    def alterable_qtum_nodes(self) -> tuple[tuple[str, str], ...]:
        """(setting, address) of each node whose answers, and the wallet's password, others can read on the way."""
        if self.rehearsing_pool:
            return ()
        named = (("VALTRAC_QTUM_NODE", self.qtum_node), ("VALTRAC_QTUM_SECOND_NODE", self.qtum_second_node))
        return tuple((name, url) for name, url in named if can_be_altered(url))

    @property
    def pool_terms(self) -> Terms:
        """What makes a coin count."""
        return Terms(self.pool_least_coin, self.qtum_maturity, self.pool_rule)

    @property
    def pool_schedule(self) -> Schedule:
        """When paydays are."""
        return Schedule(self.pool_payday_days, self.pool_payday_hour, self.pool_payday_weekday)

    @property
    def qtum_folder(self) -> Path:
        """The state of the embedded node."""
        return self.data / "qtum-devnet"

    @property
    def qtum_database(self) -> str | Path:
        """The database of the pool; one chain, one database."""
        name = "valtrac-qtum-devnet.sqlite" if self.rehearsing_pool else "valtrac-qtum.sqlite"
        return self.qtum_database_url or self.data / name

    @property
    def pool_folder(self) -> Path:
        """Where the share files are, one for each reward."""
        return self.data / "poolshare"

    @property
    def pool_log(self) -> Path:
        """Where payments are listed for people: a CSV file."""
        return self.logs / "pool_payments.csv"
