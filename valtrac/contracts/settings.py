"""The settings of stake contracts on BitShares; their defaults are StakeBTS's. Amounts are written in BTS."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from valtrac.contracts.model.contracts import WHOLE, Terms
from valtrac.contracts.model.memos import ADMIN, INVALID, STOP
from valtrac.core.endpoints import NONE, can_be_altered, same_node, usable
from valtrac.core.home import DEVNET, HomeSettings, without_password
from valtrac.core.setting_types import LARGEST_SQL_INTEGER, Bts, Share, Words
from valtrac.core.text import plain

ACCOUNT = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*")
AMOUNTS = "25000,50000,100000,200000,250000,500000,1000000,2500000,5000000,10000000"
RESERVED = {STOP, INVALID, *ADMIN}
MONTHS = ("three_months=3", "six_months=6", "twelve_months=12")


class ContractSettings(HomeSettings):
    """Where the custodian account is, what contracts pay, and what may be paid without asking."""

    bitshares_network: str = DEVNET
    bitshares_nodes: Words = ()
    bitshares_second_node: str = ""
    bitshares_key_prefix: str = Field(default="BTS", pattern=r"^[A-Z]{1,10}$")
    bitshares_database_url: str = ""
    bitshares_custodian: str = "custodian"
    bitshares_expiration_s: int = Field(default=120, ge=15, le=3_600)
    contracts_amounts: Words = tuple(AMOUNTS.split(","))
    contracts_months: Words = MONTHS
    contracts_reward: Share = 800
    contracts_penalty: Share = 1_500
    contracts_fee: Bts = 50 * WHOLE
    contracts_least_refund: Bts = 10 * WHOLE
    contracts_reserve: Bts = 100 * WHOLE
    contracts_managers: Words = ()
    contracts_never_refund: Words = ()
    contracts_support: str = Field(default="", max_length=100)
    contracts_notices: bool = True
    contracts_payments: bool = True
    contracts_skip_blocks: Words = ()
    contracts_admin_age: int = Field(default=100, ge=0, le=10_000_000)
    contracts_patience_hours: int = Field(default=12, ge=0, le=8_760)
    contracts_tries: int = Field(default=3, ge=1, le=100)
    contracts_cap_payment: Bts = LARGEST_SQL_INTEGER
    contracts_cap_day: Bts = LARGEST_SQL_INTEGER
    contracts_exchange: str = ""
    contracts_exchange_network: str = "BTS"
    contracts_exchange_accounts: Words = ()
    contracts_exchange_least: Bts = 510 * WHOLE
    contracts_exchange_keep: Bts = 10 * WHOLE

    @field_validator("bitshares_database_url")
    @classmethod
    def _no_password_in_url(cls, url: str) -> str:
        return without_password(url)

    @field_validator("contracts_amounts")
    @classmethod
    def _whole_amounts(cls, amounts: tuple[str, ...]) -> tuple[str, ...]:
        for amount in amounts:
            if not re.fullmatch(r"[1-9][0-9]{0,9}", amount):
                raise ValueError(f"{amount!r} is not a whole number of BTS; write them like 25000,50000")
        return amounts

    @field_validator("contracts_months")
    @classmethod
    def _words_and_months(cls, pairs: tuple[str, ...]) -> tuple[str, ...]:
        for pair in pairs:
            if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}=[1-9][0-9]?", pair):
                raise ValueError(f"{pair!r} is not a word and its months; write them like three_months=3,six_months=6")
        for pair in pairs:
            if pair.partition("=")[0] in RESERVED:
                raise ValueError(f"{pair.partition('=')[0]!r} is a word with a meaning of its own; choose another")
        if len({pair.partition("=")[0] for pair in pairs}) != len(pairs):
            raise ValueError("names a word twice")
        return pairs

    @field_validator("bitshares_custodian", "contracts_managers", "contracts_never_refund")
    @classmethod
    def _account_names(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for name in (given,) if isinstance(given, str) else given:
            if not ACCOUNT.fullmatch(name) or len(name) > 63:
                raise ValueError(f"{name!r} is not the name of a BitShares account")
        return given

    @field_validator("contracts_fee")
    @classmethod
    def _some_fee(cls, fee: int) -> int:
        if fee < WHOLE:
            raise ValueError("must be at least 1: without a fee two custodians could send a refund to and fro for ever")
        return fee

    @field_validator("contracts_support")
    @classmethod
    def _plain_words(cls, words: str) -> str:
        if plain(words) != words:
            raise ValueError("holds characters that are no letters, digits or signs")
        return words

    @field_validator("contracts_skip_blocks")
    @classmethod
    def _block_numbers(cls, blocks: tuple[str, ...]) -> tuple[str, ...]:
        for block in blocks:
            if not re.fullmatch(r"[0-9]{1,12}", block):
                raise ValueError(f"{block!r} is not a block's number")
        return blocks

    @field_validator("contracts_exchange_accounts")
    @classmethod
    def _names_of_exchange_accounts(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"[a-zA-Z0-9._-]{1,40}", name):
                raise ValueError(f"{name!r}: a name of letters, digits, points and dashes that you choose, like main")
        if len(set(names)) != len(names):
            raise ValueError("names an account twice")
        return names

    @field_validator("bitshares_nodes", "bitshares_second_node")
    @classmethod
    def _node_urls(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(given, str) and given.lower() == NONE:
            return ""
        for url in (given,) if isinstance(given, str) else given:
            if url:
                usable(url)
        return given

    @field_validator("bitshares_network")
    @classmethod
    def _network_name(cls, network: str) -> str:
        if not re.fullmatch(r"[a-z0-9-]{1,40}", network):
            raise ValueError("must be devnet, or a name you choose for the chain of VALTRAC_BITSHARES_NODES: mainnet")
        return network

    @model_validator(mode="after")
    def _a_second_node_is_another(self) -> ContractSettings:
        second = self.bitshares_second_node
        if second and any(same_node(second, url) for url in self.bitshares_nodes):
            raise ValueError("VALTRAC_BITSHARES_SECOND_NODE: is a first node, which agrees with itself")
        return self

    @property
    def trusts_one_bitshares_node(self) -> bool:
        """Whether nobody contradicts the node: it is no rehearsal, and no second one is set."""
        return self.bitshares_network != DEVNET and not self.bitshares_second_node

    @property
    def asks_for_second_bitshares_node(self) -> bool:
        """Whether the owner has said neither which node is the second one nor that there is none."""
        return self.trusts_one_bitshares_node and "bitshares_second_node" not in self.model_fields_set

    @property
    def alterable_bitshares_nodes(self) -> tuple[tuple[str, str], ...]:
        """(setting, address) of each node whose answers can be changed on their way here."""
        if self.bitshares_network == DEVNET:
            return ()
        named = [("VALTRAC_BITSHARES_NODES", url) for url in self.bitshares_nodes]
        named += [("VALTRAC_BITSHARES_SECOND_NODE", self.bitshares_second_node)]
        return tuple((name, url) for name, url in named if can_be_altered(url))

    @property
    def contract_terms(self) -> Terms:
        """What a contract that begins now may be and pays."""
        pairs = (pair.partition("=") for pair in self.contracts_months)
        return Terms(
            amounts=frozenset(int(amount) * WHOLE for amount in self.contracts_amounts),
            months={word: int(months) for word, _, months in pairs},
            reward_bps=self.contracts_reward,
            penalty_bps=self.contracts_penalty,
            fee=self.contracts_fee,
            least_refund=self.contracts_least_refund,
        )

    @property
    def skipped_blocks(self) -> frozenset[int]:
        """Blocks whose requests are written down and not carried out."""
        return frozenset(map(int, self.contracts_skip_blocks))

    @property
    def patience(self) -> timedelta:
        """How long past its due time a payment waits for money before it is handed to the owner; none: for ever."""
        return timedelta(hours=self.contracts_patience_hours)

    @property
    def bitshares_file(self) -> Path:
        """The state of the embedded BitShares chain."""
        return self.data / "bitshares-devnet.sqlite"

    @property
    def bitshares_database(self) -> str | Path:
        """The database of stake contracts; one chain, one database."""
        name = "valtrac-bitshares-devnet.sqlite" if self.bitshares_network == DEVNET else "valtrac-bitshares.sqlite"
        return self.bitshares_database_url or self.data / name

    @property
    def bitshares_wallet(self) -> Path:
        """The folder of the encrypted keys of the custodian account."""
        return self.data / "bitshares-wallet"

    @property
    def contracts_log(self) -> Path:
        """Where payments are listed for people: a CSV file."""
        return self.logs / "contract_payments.csv"
