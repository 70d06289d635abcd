"""The settings of payouts on Bittensor. Amounts are written in TAO and kept in rao."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from valtrac.core.endpoints import NONE, can_be_altered, is_on_this_machine, same_node, usable
from valtrac.core.home import DEVNET, HomeSettings, expanded, without_password
from valtrac.core.setting_types import LARGEST_SQL_INTEGER, Share, Tao, Words

FeePolicy = Literal["pool", "payee", "owner"]
NAMED_NETWORKS = {
    "finney": "wss://entrypoint-finney.opentensor.ai:443",
    "test": "wss://test.finney.opentensor.ai:443",
    "local": "ws://127.0.0.1:9944",
}


class PayoutSettings(HomeSettings):
    """Which chain and wallet payouts are made with, and what may be paid without asking."""

    database_url: str = ""
    network: str = DEVNET
    fallback_endpoints: Words = ()
    archive_endpoints: Words = ()
    second_endpoint: str = ""
    development_node: bool = False
    wallet_name: str = "//Owner"
    wallet_path: Path = Path("~/.bittensor/wallets")
    timeout_s: float = Field(default=30.0, gt=0, le=600)
    chunk_size: int = Field(default=300, ge=1, le=1_500)
    era_period: int = Field(default=64, ge=4, le=2048)
    fee_policy: FeePolicy = "pool"
    minimum: Tao = 500
    fee_per_payee: Tao = 137_051
    take_back: Share = 5_000
    anomaly_percent: int = Field(default=100, ge=0, le=1_000_000)
    cap_payment: Tao = LARGEST_SQL_INTEGER
    cap_batch: Tao = LARGEST_SQL_INTEGER
    cap_day: Tao = LARGEST_SQL_INTEGER

    @field_validator("wallet_path", mode="before")
    @classmethod
    def _one_folder(cls, path: str | Path) -> Path:
        return expanded(path)

    @field_validator("database_url")
    @classmethod
    def _no_password_in_url(cls, url: str) -> str:
        return without_password(url)

    @field_validator("network")
    @classmethod
    def _known_network(cls, network: str) -> str:
        if network == DEVNET or network in NAMED_NETWORKS:
            return network
        if "://" not in network:
            raise ValueError(f"must be {DEVNET}, {', '.join(NAMED_NETWORKS)}, or a ws:// or wss:// URL")
        return usable(network)

    @field_validator("fallback_endpoints", "archive_endpoints")
    @classmethod
    def _usable_addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(usable, urls))

    @field_validator("second_endpoint")
    @classmethod
    def _an_address_or_none(cls, url: str) -> str:
        if url.lower() == NONE:
            return ""
        if url and "://" not in url:
            raise ValueError(f"must be a ws:// or wss:// URL, or {NONE}")
        return url and usable(url)

    @field_validator("era_period")
    @classmethod
    def _power_of_two(cls, period: int) -> int:
        if period & (period - 1):
            raise ValueError("must be a power of two from 4 to 2048: the chain rounds anything else up")
        return period

    @model_validator(mode="after")
    def _public_keys_stay_off_the_main_network(self) -> PayoutSettings:
        if self.wallet_name.startswith("//") and self.network in ("finney", "test"):
            raise ValueError(
                f"VALTRAC_WALLET_NAME: {self.wallet_name} is a key that everyone knows, for rehearsals only; "
                f"on {self.network} name a wallet of yours"
            )
        return self

    @model_validator(mode="after")
    def _made_up_headers_stay_on_this_machine(self) -> PayoutSettings:
        if self.development_node and not is_on_this_machine(self.endpoint):
            raise ValueError(
                "VALTRAC_DEVELOPMENT_NODE: is for a chain of your own on this machine, whose headers are not made of "
                "its blocks; take it out: from any other node nothing is believed that does not fit its header"
            )
        return self

    @model_validator(mode="after")
    def _a_second_node_is_another(self) -> PayoutSettings:
        first = (self.endpoint, *self.fallback_endpoints, *self.archive_endpoints)
        if (
            self.second_endpoint
            and not self.development_node
            and any(same_node(self.second_endpoint, it) for it in first)
        ):
            raise ValueError("VALTRAC_SECOND_ENDPOINT: is a first node: it agrees with itself; name another")
        return self

    @property
    def trusts_one_node(self) -> bool:
        """Whether nobody contradicts the node: it is no rehearsal, and no second one is set."""
        return not (self.rehearsing or self.development_node or self.second_endpoint)

    @property
    def asks_for_second_node(self) -> bool:
        """Whether the owner has said neither which node is the second one nor that there is none."""
        return self.trusts_one_node and "second_endpoint" not in self.model_fields_set

    @property
    def alterable_nodes(self) -> tuple[tuple[str, str], ...]:
        """(setting, address) of each node whose answers can be changed on their way here."""
        if self.rehearsing:
            return ()
        named = [("VALTRAC_NETWORK", self.endpoint), ("VALTRAC_SECOND_ENDPOINT", self.second_endpoint)]
        named += [("VALTRAC_FALLBACK_ENDPOINTS", url) for url in self.fallback_endpoints]
        named += [("VALTRAC_ARCHIVE_ENDPOINTS", url) for url in self.archive_endpoints]
        return tuple((name, url) for name, url in named if can_be_altered(url))

    @property
    def rehearsing(self) -> bool:
        """Whether payouts run on the chain inside this program, which has a time of its own."""
        return self.network == DEVNET

    @property
    def devnet_file(self) -> Path:
        """The state of the embedded rehearsal chain."""
        return self.data / "devnet.sqlite"

    @property
    def database(self) -> str | Path:
        """The database: the URL that was set, else a SQLite file under the home."""
        name = "valtrac-devnet.sqlite" if self.rehearsing else "valtrac.sqlite"
        return self.database_url or self.data / name

    @property
    def url(self) -> str:
        """The same for people to read."""
        return self.database if isinstance(self.database, str) else f"sqlite:///{self.database}"

    @property
    def endpoint(self) -> str:
        """The node's address; "" for the embedded chain."""
        return "" if self.rehearsing else NAMED_NETWORKS.get(self.network, self.network)

    @property
    def log(self) -> Path:
        """Where payments are listed for people: a CSV file."""
        return self.logs / "payout_log.csv"
