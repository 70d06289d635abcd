"""Settings: from `.env` and the environment, checked once, frozen afterwards."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from valtrac.config_contracts import ContractSettings
from valtrac.config_types import LARGEST_SQL_INTEGER, Share, Tao, Words
from valtrac.domain.addresses import BadAddress, key_of
from valtrac.domain.text import plain
from valtrac.errors import BadInput

PREFIX = "VALTRAC_"
CHECKOUT = Path(__file__).resolve().parent.parent
NAMED_NETWORKS = {
    "finney": "wss://entrypoint-finney.opentensor.ai:443",
    "test": "wss://test.finney.opentensor.ai:443",
    "local": "ws://127.0.0.1:9944",
}
# The networks whose genesis block is public knowledge: a database for one of them can be
# told apart from another before a node has answered.
KNOWN_GENESIS = {"finney": "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"}
EMPTY_IS_NONE = {PREFIX + "PRICE_SOURCES"}  # anywhere else an empty value is the default


FeePolicy = Literal["pool", "payee", "owner"]


class Settings(ContractSettings):
    """Everything that an owner may set. Amounts are written in TAO and kept in rao."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", case_sensitive=False)

    home: Path = CHECKOUT
    database_url: str = ""
    network: str = "devnet"
    fallback_endpoints: Words = ()
    archive_endpoints: Words = ()
    second_endpoint: str = ""
    wallet_name: str = "//Owner"
    wallet_path: Path = Path("~/.bittensor/wallets")
    hotkeys: Words = ()
    snapshot_interval: int = Field(default=300, ge=1, le=1_000_000)
    timeout_s: float = Field(default=30.0, gt=0, le=600)
    chunk_size: int = Field(default=300, ge=1, le=1_500)
    era_period: int = Field(default=64, ge=4, le=2048)
    fee_policy: FeePolicy = "pool"
    minimum: Tao = 500
    fee_per_payee: Tao = 137_051
    take_back: Share = 5_000
    quarantine_hours: int = Field(default=24, ge=0, le=8_760)
    anomaly_percent: int = Field(default=100, ge=0, le=1_000_000)
    cap_payment: Tao = LARGEST_SQL_INTEGER
    cap_batch: Tao = LARGEST_SQL_INTEGER
    cap_day: Tao = LARGEST_SQL_INTEGER
    currency: str = "USD"
    price_sources: Words = ("kraken", "kucoin", "mexc", "gate")
    price_quotes: Words = ()
    price_stale_s: int = Field(default=3_600, ge=1, le=86_400)
    price_max_age_s: int = Field(default=86_400, ge=1, le=31_622_400)
    price_timeout_s: float = Field(default=20.0, gt=0, le=600)

    @field_validator("database_url", "bitshares_database_url")
    @classmethod
    def _no_password_in_url(cls, url: str) -> str:
        try:
            read = unquote(url)  # an @ or a word that was escaped is still one
            held = url and (urlsplit(url).password is not None or urlsplit(read).password is not None)
        except ValueError as error:
            raise ValueError("is not a database URL") from error
        if held or "password=" in read.lower():
            raise ValueError(
                "holds a password; use a unix socket, a PGPASSFILE or a service file instead: "
                "postgresql+psycopg:///valtrac?host=/var/run/postgresql or ...?service=valtrac"
            )
        if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
        return url

    @field_validator("network")
    @classmethod
    def _known_network(cls, network: str) -> str:
        if network != "devnet" and network not in NAMED_NETWORKS and not network.startswith(("ws://", "wss://")):
            raise ValueError(f"must be devnet, {', '.join(NAMED_NETWORKS)}, or a ws:// or wss:// URL")
        return network

    @field_validator("network", "second_endpoint", "fallback_endpoints", "archive_endpoints")
    @classmethod
    def _no_login_in_endpoints(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for url in (given,) if isinstance(given, str) else given:
            if "@" in unquote(url):
                raise ValueError("holds a login; an address is shown on screens and in logs, so use a node without one")
        return given

    @field_validator("hotkeys")
    @classmethod
    def _valid_hotkeys(cls, hotkeys: tuple[str, ...]) -> tuple[str, ...]:
        for hotkey in hotkeys:
            try:
                key_of(hotkey)
            except BadAddress as error:
                raise ValueError(f"{hotkey!r}: {error}") from error
        return hotkeys

    @field_validator("era_period")
    @classmethod
    def _power_of_two(cls, period: int) -> int:
        if period & (period - 1):
            raise ValueError("must be a power of two from 4 to 2048: the chain rounds anything else up")
        return period

    @field_validator("currency")
    @classmethod
    def _currency_code(cls, currency: str) -> str:
        if not re.fullmatch(r"[A-Za-z]{3,5}", currency):
            raise ValueError("must be the code of a currency, like USD or EUR")
        return currency.upper()

    @field_validator("price_quotes")
    @classmethod
    def _symbols(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            if not re.fullmatch(r"[A-Za-z0-9]{2,10}", symbol):
                raise ValueError(f"{symbol!r} is not what a market's price is in; write them like USD,USDT")
        return tuple(symbol.upper() for symbol in symbols)

    @field_validator("price_sources")
    @classmethod
    def _known_exchanges(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        sources = tuple(dict.fromkeys(source.lower() for source in sources))
        known = _exchanges()
        for source in sources:
            if not re.fullmatch(r"[a-z0-9]{1,40}", source) or (known and source not in known):
                raise ValueError(f"{source!r} is no exchange that ccxt knows{_nearest(source, known)}")
        return sources

    @field_validator("contracts_exchange")
    @classmethod
    def _known_exchange(cls, name: str) -> str:
        return cls._known_exchanges((name,))[0] if name else name

    @model_validator(mode="after")
    def _public_keys_stay_off_the_main_network(self) -> Settings:
        if self.wallet_name.startswith("//") and self.network in ("finney", "test"):
            raise ValueError(
                f"VALTRAC_WALLET_NAME: {self.wallet_name} is a key that everyone knows, for rehearsals only; "
                f"on {self.network} name a wallet of yours"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: it has read and checked both sources already."""
        return (init_settings,)

    @property
    def data(self) -> Path:
        """Where the database, exports, charts and backups live."""
        return self.home / "data"

    @property
    def logs(self) -> Path:
        """Where the daily CSV files and the logs of background jobs live."""
        return self.home / "logs"

    @property
    def devnet_file(self) -> Path:
        """The state of the embedded rehearsal chain."""
        return self.data / "devnet.sqlite"

    @property
    def database(self) -> str | Path:
        """The database: the URL that was set, else a SQLite file under the home."""
        name = "valtrac-devnet.sqlite" if self.network == "devnet" else "valtrac.sqlite"
        return self.database_url or self.data / name

    @property
    def url(self) -> str:
        """The same for people to read."""
        return self.database if isinstance(self.database, str) else f"sqlite:///{self.database}"

    @property
    def bitshares_file(self) -> Path:
        """The state of the embedded BitShares chain."""
        return self.data / "bitshares-devnet.sqlite"

    @property
    def bitshares_database(self) -> str | Path:
        """The database of stake contracts; one chain, one database."""
        name = "valtrac-bitshares-devnet.sqlite" if self.bitshares_network == "devnet" else "valtrac-bitshares.sqlite"
        return self.bitshares_database_url or self.data / name

    @property
    def bitshares_wallet(self) -> Path:
        """The folder of the encrypted keys of the custodian account."""
        return self.data / "bitshares-wallet"

    @property
    def exchanges(self) -> tuple[str, ...]:
        """The exchanges to ask for prices; in a rehearsal only those that the owner set: it needs no network."""
        unasked = self.network == "devnet" and "price_sources" not in self.model_fields_set
        return () if unasked else self.price_sources

    @property
    def quote_symbols(self) -> tuple[str, ...]:
        """What TAO may be priced in; the first that an exchange lists counts, a dollar coin passes for a dollar."""
        return self.price_quotes or ((self.currency, "USDT") if self.currency == "USD" else (self.currency,))

    @property
    def endpoint(self) -> str:
        """The node's address; "" for the embedded chain."""
        return "" if self.network == "devnet" else NAMED_NETWORKS.get(self.network, self.network)


def load(environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
    """Settings from the environment over `.env` over the defaults.

    Raises BadInput that names each unknown key and each bad value, and changes nothing.
    `VALTRAC_TEST_*` belongs to the tests and is passed over.
    """
    environment = os.environ if environment is None else environment
    named = environment.get("VALTRAC_ENV_FILE")
    path = env_file if env_file is not None else Path(named or CHECKOUT / ".env")
    try:
        if named and not path.exists():
            raise FileNotFoundError("there is no such file")
        written = {key: value or "" for key, value in dotenv_values(path, interpolate=False).items()}
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"the settings file {path} cannot be read", plain(error), "make it a readable UTF-8 file"
        ) from error
    given = {
        key.upper(): value
        for key, value in {**written, **environment}.items()
        if key.upper().startswith(PREFIX) and not key.upper().startswith(("VALTRAC_TEST_", "VALTRAC_ENV_FILE"))
    }
    names = {PREFIX + name.upper() for name in Settings.model_fields}
    problems = [f"{plain(key)}: no such setting{_nearest(key, names)}" for key in sorted(set(given) - names)]
    told = {key: value for key, value in given.items() if key in names and (value or key in EMPTY_IS_NONE)}
    values = {key[len(PREFIX) :].lower(): value for key, value in told.items()}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += [_words_of(dict(found)) for found in error.errors(include_url=False, include_input=False)]
        settings = Settings()
    if problems:
        raise BadInput(
            problems[0] if len(problems) == 1 else f"{len(problems)} settings cannot be used",
            "",
            f"mend it in {plain(path)} or in the environment; .env.example lists every setting",
            problems=problems,
        )
    return settings.model_copy(
        update={"home": settings.home.expanduser().resolve(), "wallet_path": settings.wallet_path.expanduser()}
    )


def _words_of(found: dict[str, Any]) -> str:
    """A finding of pydantic's in our words: the key, and what it may be."""
    words, bounds = str(found["msg"]).removeprefix("Value error, "), found.get("ctx", {})
    if found["type"] in ("int_parsing", "int_from_float"):
        words = "must be a whole number"
    elif found["type"] == "float_parsing":
        words = "must be a number"
    elif found["type"] == "literal_error":
        words = f"must be {bounds['expected']}"
    else:
        limits = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
        for name, said in limits:
            if name in bounds and found["type"].startswith(("greater", "less")):
                words = f"must be {said} {bounds[name]}"
    if not found["loc"]:  # a rule about several settings names its own
        return plain(words, 400)
    return f"{PREFIX}{str(found['loc'][0]).upper()}: {plain(words, 400)}"


def _exchanges() -> set[str]:
    """The exchanges that ccxt has a file for, without loading it; empty where it is not installed."""
    from importlib.util import find_spec

    found = find_spec("ccxt")
    places = (found.submodule_search_locations or ()) if found else ()
    return {path.stem for place in places for path in Path(place).glob("[a-z]*.py")}


def _nearest(key: str, names: set[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key, names, 1)
    return f"; did you mean {close[0]}?" if close else ""
