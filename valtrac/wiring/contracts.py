"""The wiring of stake contracts: database, BitShares node, keys, exchange accounts, each opened when needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any

from valtrac.core.errors import BadInput, ChainUnreachable, Refused, ValtracError
from valtrac.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from valtrac.chains.bitshares.connect import BitSharesChain
    from valtrac.chains.bitshares.keys import Keys
    from valtrac.contracts.custodian import Custodian
    from valtrac.core.chain import Named
    from valtrac.ports import Exchange, Payer

DEVNET = "devnet"
MAKES_WALLET = "run.py contracts wallet"


class ContractsApp:
    """One running ValTrac's side of the custodian account. It starts locked: it reads, and signs nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._chain: BitSharesChain | None = None
        self._keys: Keys | None = None
        self._exchanges: tuple[Exchange, ...] = ()
        self.look_at = 0.0  # when the nodes are compared next, by the clock that only runs on
        self.announced = False  # whether the trail says with what this process started
        self._lock = RLock()  # keys are handed in on another thread than the one that works

    @cached_property
    def engine(self) -> sa.Engine:
        """The database of contracts, migrated."""
        from valtrac.database.opening import open_engine

        return open_engine(self.settings.bitshares_database)

    @property
    def chain(self) -> BitSharesChain:
        """The node. Raises ChainUnreachable."""
        with self._lock:
            if self._chain is None:
                from valtrac.contracts.rosters import KeptRosters

                chain = self._open(self.settings.bitshares_nodes)
                chain.keys, chain.blocks.store = self._keys, KeptRosters(self.engine)
                for witness in self.witnesses:  # whichever of the two begins asks the other
                    chain.second, witness.second = witness, chain
                self._chain = chain
            return self._chain

    def keep_up(self) -> str:
        """Go over to a node that is further where the one in use stands still; words about that, or ""."""
        from datetime import UTC, datetime

        from valtrac.chains.bitshares.keeping_up import keep_up

        return keep_up(self.chain, datetime.now(UTC), rehearsing=self.settings.bitshares_network == DEVNET)

    @cached_property
    def witnesses(self) -> tuple[BitSharesChain, ...]:
        """A further node that must agree before a payment counts as dead, and about who signs blocks to begin with."""
        second = self.settings.bitshares_second_node
        if not second:
            return ()
        from valtrac.contracts.rosters import KeptRosters

        witness = self.open_second(second)
        witness.blocks.store = KeptRosters(self.engine)
        return (witness,)

    def open_second(self, url: str) -> BitSharesChain:
        """A node that has to agree with the first."""
        return self._open((url,))

    @cached_property
    def account(self) -> Named:
        """The account, as the chain knows it. Raises BadInput where it does not."""
        from valtrac.contracts.custodian import find_custodian

        return find_custodian(self.engine, self.chain, self.settings)

    @property
    def trusts_one_node(self) -> bool:
        """Whether nobody contradicts the node: it is no rehearsal, and no second one is set."""
        return self.settings.trusts_one_bitshares_node

    @property
    def log(self) -> Path:
        """Where payments are listed for people: a CSV file."""
        return self.settings.contracts_log

    @property
    def custodian(self) -> Custodian:
        """Everything that the services need. Raises ChainUnreachable."""
        from valtrac.contracts.custodian import Custodian

        return Custodian(
            self.engine,
            self.chain,
            self.settings,
            self.account,
            witnesses=self.witnesses,
            exchanges=self._exchanges,
            log=self.log,
        )

    @property
    def locked(self) -> bool:
        """Whether the keys of the account are not in this process."""
        return self._keys is None

    @property
    def needs_password(self) -> bool:
        """Whether the keys lie in an encrypted file; those of the rehearsal chain are known to everyone."""
        return self.settings.bitshares_network != DEVNET

    def guard_memory(self) -> None:
        """To be called before a secret is typed: from then on nothing of this process is left behind by a crash."""
        from valtrac.secrets.memory import keep_to_itself

        keep_to_itself()

    def kept_keys(self, name: str) -> dict[str, str]:
        """What the keyring of the operating system has for an exchange account; {} where it has nothing."""
        from valtrac.secrets.keyring import kept

        return kept(name)

    def keep_keys(self, name: str, keys: Mapping[str, str]) -> bool:
        """Put the keys of an exchange account into the keyring; False where this system has none."""
        from valtrac.secrets.keyring import keep

        return keep(name, dict(keys))

    @property
    def has_wallet(self) -> bool:
        """Whether the custodian's keys lie here, under a password."""
        from valtrac.chains.bitshares.keys import has_wallet

        return has_wallet(self.settings.bitshares_wallet)

    def no_wallet_yet(self) -> None:
        """Raise BadInput where the custodian has a wallet already: it is never written over."""
        from valtrac.chains.bitshares.keys import no_wallet_in

        no_wallet_in(self.settings.bitshares_wallet)

    def try_exchange(self, name: str, keys: Mapping[str, str]) -> None:
        """Raise Refused where the exchange does not know these keys, ChainUnreachable where it does not answer."""
        self._open_exchange(name, keys).close()

    def is_private_key(self, typed: str) -> bool:
        """Whether it is a private key at all; whose, only the chain tells."""
        from valtrac.chains.bitshares.transactions import public_key

        try:
            return bool(public_key(typed))
        except ValueError:
            return False

    def make_wallet(self, password: str, keys: Sequence[str]) -> None:
        """Make the encrypted wallet of the custodian. Raises BadInput for a key that is none, or where one exists."""
        from valtrac.chains.bitshares.keys import create_wallet

        self.guard_memory()
        create_wallet(self.settings.bitshares_wallet, password, list(keys))

    def try_password(self, password: str) -> None:
        """Raise Refused where it does not open the wallet, BadInput where there is none."""
        from valtrac.chains.bitshares.keys import wallet_keys

        self.guard_memory()
        wallet_keys(self.settings.bitshares_wallet, password, made_by=MAKES_WALLET)

    def unlock(self, password: str = "", exchange_keys: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Take the keys into memory; they go with this process. exchange_keys: name -> {"key", "secret", ...}.

        Raises Refused on a wrong password, and where an exchange does not know its keys.
        """
        from valtrac.chains.bitshares import connect
        from valtrac.chains.bitshares import keys as account_keys

        self.guard_memory()
        if self.needs_password:
            keys = account_keys.wallet_keys(self.settings.bitshares_wallet, password, made_by=MAKES_WALLET)
        else:
            keys = account_keys.dev_keys(self.settings.bitshares_custodian)
        connect.payer(self.chain, self.settings.bitshares_custodian, keys)  # do they open the account at all?
        opened = self._open_exchanges(exchange_keys) if exchange_keys else self._exchanges
        with self._lock:
            replaced = [exchange for exchange in self._exchanges if exchange not in opened]
            self._exchanges, self._keys = opened, keys
            self.chain.keys = keys
        for exchange in replaced:
            exchange.close()

    def payer(self) -> Payer:
        """The unlocked account. Raises Refused while it is locked."""
        from valtrac.chains.bitshares import connect

        if self._keys is None:
            raise Refused("the account is locked", why="nothing is signed", fix="unlock it: run.py contracts unlock")
        unlocked: Payer = connect.payer(self.chain, self.settings.bitshares_custodian, self._keys)
        return unlocked

    def close(self) -> None:
        """Let go of nodes, database and keys."""
        self._keys = None
        for exchange in self._exchanges:
            exchange.close()
        self._exchanges = ()
        if self._chain is not None:
            self._chain.close()
            self._chain = None
        for witness in self.__dict__.pop("witnesses", ()):
            witness.close()
        engine = self.__dict__.pop("engine", None)
        if engine is not None:
            engine.dispose()

    def _open_exchanges(self, given: Mapping[str, Mapping[str, str]]) -> tuple[Exchange, ...]:
        settings = self.settings
        unknown = sorted(set(given) - set(settings.contracts_exchange_accounts))
        if unknown:
            raise BadInput(
                f"{unknown[0]} is no exchange account of the settings", fix="mend VALTRAC_CONTRACTS_EXCHANGE_ACCOUNTS"
            )
        return tuple(
            self._open_exchange(name, given[name]) for name in settings.contracts_exchange_accounts if name in given
        )

    def _open_exchange(self, name: str, keys: Mapping[str, str]) -> Exchange:
        """An account at the exchange, asked for its balance: wrong keys are to be known now."""
        from valtrac.exchanges import account

        settings = self.settings
        opened = account.open_account(
            settings.contracts_exchange,
            name,
            keys,
            network=settings.contracts_exchange_network,
            timeout_s=settings.timeout_s,
        )
        try:
            opened.available()
        except ValtracError as error:
            opened.close()
            if not isinstance(error, ChainUnreachable):
                raise
            fix = "try again when it answers; with its key left empty, unlocking goes without it"
            raise ChainUnreachable(error.what, why=error.why, fix=fix) from error
        return opened

    def _open(self, nodes: Sequence[str]) -> BitSharesChain:
        from valtrac.chains.bitshares import connect

        settings = self.settings
        if settings.bitshares_network == DEVNET and not nodes:
            if not settings.bitshares_file.exists():
                raise ChainUnreachable(
                    "the BitShares rehearsal chain has no first block yet",
                    why=f"{settings.bitshares_file} is missing",
                    fix="make it: run.py contracts rehearse",
                )
            return connect.open_devnet(settings.bitshares_file, timeout_s=settings.timeout_s)
        if not nodes:
            raise BadInput("no BitShares node is set", fix="name some: VALTRAC_BITSHARES_NODES=wss://...")
        return connect.open_node(
            nodes,
            network=settings.bitshares_network,
            timeout_s=settings.timeout_s,
            key_prefix=settings.bitshares_key_prefix,
        )


def secrets_of(given: Mapping[str, Any]) -> tuple[str, dict[str, dict[str, str]]]:
    """(password, exchange keys) out of what was handed in. Raises BadInput for another shape."""
    password, exchanges = given.get("password", ""), given.get("exchanges", {})
    shaped = isinstance(password, str) and isinstance(exchanges, dict)
    if not shaped or not all(isinstance(options, dict) for options in exchanges.values()):
        raise BadInput("what was handed in has another shape", fix="use the same version of ValTrac for both")
    return password, {
        str(name): {str(key): str(value) for key, value in options.items()} for name, options in exchanges.items()
    }
