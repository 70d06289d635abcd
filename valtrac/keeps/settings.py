"""The settings of keeps: which network, whose keeps, when they are redeemed, and what may be spent on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from valtrac.core.endpoints import can_be_altered, host_of, is_on_this_machine, same_node
from valtrac.core.home import DEVNET, HomeSettings, without_password
from valtrac.core.money import TBTC
from valtrac.core.setting_types import Share, Words, parsed
from valtrac.core.text import is_plain

GWEI = 10**9
NO_END = 2**255
ALL = "all"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass(frozen=True, slots=True)
class Deployment:
    """The contracts of tBTC on one network, addresses in lower case; start_block: before which there are no keeps;
    explorer: where a person looks a transaction up, "" where there is none."""

    chain_id: int
    factory: str
    system: str
    token: str
    machine: str
    deposit_token: str
    deposit_factory: str = ""
    start_block: int = 0
    explorer: str = ""


# source: the artifacts of @keep-network/tbtc 1.1.0 and @keep-network/keep-ecdsa 1.2.1, "networks"
KNOWN: Mapping[str, Deployment] = {
    "mainnet": Deployment(
        chain_id=1,
        factory="0xa7d9e842efb252389d613da88eda3731512e40bd",
        system="0xe20a5c79b39bc8c363f0f49adcfa82c2a01ab64a",
        token="0x8daebade922df735c38c80c7ebd708af50815faa",  # noqa: S106 - an address
        machine="0x526c08e5532a9308b3fb33b7968ef78a5005d2ac",
        deposit_token="0x10b66bd1e3b5a936b7f8dbc5976004311037cdf0",  # noqa: S106 - an address
        deposit_factory="0x87effef56c7ff13e2463b5d4dce81be2340faf8b",
        start_block=10_867_000,
        explorer="https://etherscan.io/tx/",
    ),
}


def _tbtc(value: Any) -> Any:
    """A decimal number of TBTC as wei."""
    return parsed(value, TBTC.decimals)


def _gwei(value: Any) -> Any:
    """A decimal number of gwei as wei."""
    return parsed(value, 9)


def _overrides(value: Any) -> Any:
    """`0xabc...=140, 0xdef...=150` as operator -> percent."""
    if not isinstance(value, str):
        return value
    given: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in value.split(","))):
        operator, _, percent = part.partition("=")
        if not _ADDRESS.fullmatch(operator.strip()) or not percent.strip().isdigit():
            raise ValueError("is written like 0x5a0b...=140, 0x77c1...=150")
        given[operator.strip().lower()] = int(percent)
    return given


Tbtc = Annotated[int, BeforeValidator(_tbtc), Field(ge=0, le=NO_END)]
Gwei = Annotated[int, BeforeValidator(_gwei), Field(gt=0, le=1_000_000 * GWEI)]
Percents = Annotated[dict[str, int], BeforeValidator(_overrides)]


class KeepsSettings(HomeSettings):
    """Where the keeps are, whose they are, and what is done about them."""

    keeps_network: str = Field(default=DEVNET, pattern=r"^[a-z0-9-]{1,40}$")
    keeps_nodes: Words = ()
    keeps_chain_id: int = Field(default=0, ge=0, le=2**53)
    keeps_factory: str = ""
    keeps_system: str = ""
    keeps_token: str = ""
    keeps_machine: str = ""
    keeps_deposit_token: str = ""
    keeps_deposit_factory: str = ""
    keeps_mint: bool = False
    keeps_start_block: int = Field(default=0, ge=0, le=2**48)
    keeps_operators: Words = ()
    keeps_threshold: int = Field(default=130, ge=111, le=1_000)
    keeps_thresholds: Percents = Field(default_factory=dict)
    keeps_redeem: bool = True
    keeps_courtesy_calls: bool = False
    keeps_bitcoin_network: Literal["main", "test", "regtest"] = "main"
    keeps_bitcoin_address: str = Field(default="", max_length=100)
    keeps_electrum: Words = ()
    keeps_proof: Literal["own", "others"] = "own"
    keeps_bitcoin_fee: int = Field(default=36_000, ge=2_000, le=10_000_000)
    keeps_gas_cap: Gwei = 100 * GWEI
    keeps_stuck_blocks: int = Field(default=10, ge=1, le=10_000)
    keeps_final_blocks: int = Field(default=12, ge=1, le=1_000)
    keeps_parallel: int = Field(default=25, ge=1, le=100)
    keeps_chunk_blocks: int = Field(default=5_000, ge=1, le=1_000_000)
    keeps_look_s: float = Field(default=15.0, ge=0.1, le=3_600.0)
    keeps_stale_s: float = Field(default=300.0, ge=10.0, le=86_400.0)
    keeps_cap_payment: Tbtc = NO_END
    keeps_cap_day: Tbtc = NO_END
    keeps_service_fee: Share = 0
    keeps_wallet: str = ""
    keeps_wallet_file: str = ""
    keeps_database_url: str = ""

    @field_validator("keeps_database_url")
    @classmethod
    def _no_password_in_keeps_url(cls, url: str) -> str:
        return without_password(url)

    @field_validator("keeps_nodes")
    @classmethod
    def _http_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if any(not url.startswith(("http://", "https://")) for url in urls):
            raise ValueError("must be http:// or https:// URLs, separated by commas")
        if not all(
            is_plain(url) and host_of(url) for url in urls
        ):  # an error of a library would show the key that stands in it
            raise ValueError("holds a URL without a host, or with a port that is none")
        if any(same_node(one, other) for place, one in enumerate(urls) for other in urls[:place]):
            raise ValueError("names the same node twice, which agrees with itself")
        return tuple(url.rstrip("/") for url in urls)

    @field_validator("keeps_electrum")
    @classmethod
    def _electrum_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if any(not url.startswith(("tcp://", "ssl://", "ws://", "wss://")) for url in urls):
            raise ValueError("must be tcp://, ssl://, ws:// or wss:// URLs, separated by commas")
        if not all(is_plain(url) and host_of(url) for url in urls):
            raise ValueError("holds a URL without a host, or with a port that is none")
        hosts = [host_of(url) for url in urls if not is_on_this_machine(url)]
        if len(set(hosts)) < len(hosts):
            raise ValueError("names the same server twice, which agrees with itself")
        return urls

    @field_validator("keeps_operators")
    @classmethod
    def _operators(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        lower = tuple(name.lower() for name in names)
        if any(name != ALL and not _ADDRESS.fullmatch(name) for name in lower):
            raise ValueError("must be addresses of operators, separated by commas, or `all`")
        if ALL in lower and len(lower) > 1:
            raise ValueError("is either `all` or addresses")
        return lower

    @field_validator(
        "keeps_factory",
        "keeps_system",
        "keeps_token",
        "keeps_machine",
        "keeps_deposit_token",
        "keeps_deposit_factory",
        "keeps_wallet",
    )
    @classmethod
    def _address(cls, address: str) -> str:
        if address and not _ADDRESS.fullmatch(address):
            raise ValueError("must be an address, 0x and 40 hex digits")
        return address.lower()

    @model_validator(mode="after")
    def _another_network_is_described(self) -> KeepsSettings:
        if self.keeps_network in KNOWN or self.rehearsing_keeps:
            return self
        needed = ("chain_id", "factory", "system", "token", "machine", "deposit_token")
        lacking = [f"VALTRAC_KEEPS_{name.upper()}" for name in needed if not getattr(self, f"keeps_{name}")]
        if lacking:
            raise ValueError(
                f"VALTRAC_KEEPS_NETWORK: {self.keeps_network} is not known here; also set {', '.join(lacking)}"
            )
        return self

    @property
    def rehearsing_keeps(self) -> bool:
        """Whether it is the rehearsal chain on this machine."""
        return self.keeps_network == DEVNET

    @property
    def deployment(self) -> Deployment | None:
        """The contracts of the network; None for the rehearsal chain, which has its own with each start."""
        if self.rehearsing_keeps:
            return None
        known = KNOWN.get(self.keeps_network)
        given = {
            name: value
            for name in Deployment.__dataclass_fields__
            if name != "explorer" and (value := getattr(self, f"keeps_{name}"))
        }
        values = {name: getattr(known, name) for name in Deployment.__dataclass_fields__} if known else {}
        return Deployment(**{**values, **given})

    @property
    def trusts_one_keeps_node(self) -> bool:
        """Whether nobody contradicts the provider: it is no rehearsal, and no second one is set."""
        return not self.rehearsing_keeps and len(self.keeps_nodes) < 2

    @property
    def alterable_keeps_nodes(self) -> tuple[tuple[str, str], ...]:
        """(setting, address) of each provider whose answers others can change on the way."""
        nodes = () if self.rehearsing_keeps else self.keeps_nodes
        return tuple(("VALTRAC_KEEPS_NODES", url) for url in nodes if can_be_altered(url))

    @property
    def keeps_folder(self) -> Path:
        """Where the rehearsal chain keeps its state, and the wallet made in a rehearsal lies."""
        return self.data / "keeps"

    @property
    def keeps_database(self) -> str | Path:
        """Where what is known of keeps is stored; the rehearsal's apart from a real network's."""
        name = "keeps-rehearsal.sqlite" if self.rehearsing_keeps else "keeps.sqlite"
        return self.keeps_database_url or self.data / name

    def threshold_of(self, members: tuple[str, ...]) -> int:
        """The percentage below which a keep of these members is redeemed: the highest that an operator of ours has."""
        ours = [member for member in members if ALL in self.keeps_operators or member in self.keeps_operators]
        own = (self.keeps_thresholds.get(member, self.keeps_threshold) for member in ours)
        return max(own, default=self.keeps_threshold)
