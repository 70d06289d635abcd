"""The wiring of keeps: database, two groups of providers, wallet, Bitcoin, each opened when needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.settings import Settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from valtrac.chains.ethereum.connect import Opened
    from valtrac.keeps.watching import Watching
    from valtrac.ports import BitcoinNetwork, ReplacingPayer

UNLOCK = "run.py keeps unlock"
NOBODY = "0x" + "00" * 20
OPERATORS = 2
NAMES = ("factory", "system", "token", "machine", "deposit_token")


class KeepsApp:
    """One running ValTrac's side of keeps. It starts locked: it reads, and signs nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._payer: ReplacingPayer | None = None
        self._at = ""  # where the rehearsal was when it was opened
        self._lock = RLock()  # the password is handed in on another thread than the one that works

    @cached_property
    def engine(self) -> sa.Engine:
        """The database of keeps, migrated."""
        from valtrac.database.opening import open_engine

        return open_engine(self.settings.keeps_database)

    @property
    def wallet(self) -> str:
        """The address that redeems; that of the wallet's file where none is set, "" where there is neither."""
        if self.settings.rehearsing_keeps:
            from valtrac.devnet.tbtc import owner

            return owner.ADDRESS
        if self.settings.keeps_wallet:
            return self.settings.keeps_wallet
        file = self.wallet_file
        if file is None or not file.exists():
            return ""
        from valtrac.secrets import keystore

        return keystore.address_of(file).lower()

    @property
    def wallet_file(self) -> Path | None:
        """Where the encrypted wallet lies; None where none is set."""
        named = self.settings.keeps_wallet_file
        return Path(named).expanduser() if named else None

    @cached_property
    def groups(self) -> tuple[Opened, ...]:
        """The groups of providers that must agree, one or two. Raises ChainUnreachable, BadInput."""
        from valtrac.chains.ethereum import connect

        settings = self.settings
        if settings.rehearsing_keeps:
            return (self._rehearsal(),)
        known = settings.deployment
        if not settings.keeps_nodes or known is None:
            raise BadInput(
                "no provider of Ethereum is set",
                fix="name two or more, separated by commas: VALTRAC_KEEPS_NODES=https://...,https://...",
            )
        addresses = {name: str(getattr(known, name)) for name in NAMES}
        return tuple(
            connect.open_group(
                urls,
                network=settings.keeps_network,
                chain_id=known.chain_id,
                addresses=addresses,
                wallet=self.wallet or NOBODY,
                final_depth=settings.keeps_final_blocks,
                timeout_s=settings.timeout_s,
                stale_s=settings.keeps_stale_s,
            )
            for urls in connect.groups(settings.keeps_nodes)
            if urls
        )

    @cached_property
    def bitcoin(self) -> BitcoinNetwork | None:
        """Bitcoin by its Electrum servers; None where none is set."""
        urls = self._rehearsal_told()["electrum_urls"].values() if self.settings.rehearsing_keeps else None
        servers = tuple(urls) if urls is not None else self.settings.keeps_electrum
        if not servers:
            return None
        from valtrac.chains.bitcoin.electrum import ElectrumNetwork

        return ElectrumNetwork(servers, self._bitcoin_network, timeout_s=self.settings.timeout_s)

    @property
    def watching(self) -> Watching:
        """Everything that the verbs need. Raises ChainUnreachable, BadInput."""
        self._follow_the_rehearsal()
        return self._watching

    def _follow_the_rehearsal(self) -> None:
        """A rehearsal that was ended and started again is elsewhere: what was opened there is let go of."""
        if not self.settings.rehearsing_keeps:
            return
        at = str(self._rehearsal_told()["ethereum_url"])
        if self._at not in ("", at):
            unlocked = not self.locked
            self._let_go()
            if unlocked:
                self.unlock()
        self._at = at

    @cached_property
    def _watching(self) -> Watching:
        from valtrac.chains.bitcoin.redemptions import Redemptions
        from valtrac.keeps.watching import Side, Watching

        first, *others = self.groups
        return Watching(
            self.engine,
            self._with_operators(),
            Side(first.chain, first.contracts),
            Side(others[0].chain, others[0].contracts) if others else None,
            first.numbers,
            first.chain.token,
            Redemptions(),
            bitcoin=self.bitcoin if self.settings.keeps_proof == "own" else None,
            bitcoin_network=self._bitcoin_network,
            deposit_factory=self._deposit_factory(),
            script=self.script,
            **self._pace(),
        )

    def _deposit_factory(self) -> str:
        if self.settings.rehearsing_keeps:
            return str(self._rehearsal_told()["addresses"]["DepositFactory"]).lower()
        known = self.settings.deployment
        return known.deposit_factory if known is not None else ""

    def _with_operators(self) -> Settings:
        """The settings; a rehearsal without operators watches the keeps of its first two."""
        if not self.settings.rehearsing_keeps or self.settings.keeps_operators:
            return self.settings
        operators = tuple(str(each).lower() for each in self._rehearsal_told()["operators"][:OPERATORS])
        return self.settings.model_copy(update={"keeps_operators": operators})

    @property
    def script(self) -> bytes:
        """The script of the Bitcoin address that redemptions pay to, with its length; b"" where none is set. Raises
        BadInput where the address is none of the network."""
        from valtrac.chains.bitcoin import addresses
        from valtrac.chains.bitcoin.networks import network_named

        address = self.settings.keeps_bitcoin_address
        if not address and self.settings.rehearsing_keeps:
            from valtrac.devnet.tbtc import owner

            address = owner.BITCOIN_ADDRESS
        if not address:
            return b""
        network = network_named(self._bitcoin_network)
        return addresses.redemption_destination(address, network, field="VALTRAC_KEEPS_BITCOIN_ADDRESS").with_length

    @property
    def locked(self) -> bool:
        """Whether the wallet is not open in this process."""
        return self._payer is None

    @property
    def needs_password(self) -> bool:
        """Whether the wallet has a password that only its owner knows; that of the rehearsal is known to everyone."""
        return not self.settings.rehearsing_keeps

    def unlock(self, password: str = "") -> None:
        """Open the wallet; its key goes with this process. Raises Refused and BadInput for a wrong password."""
        from valtrac.chains.ethereum.payer import EthereumPayer, GasPolicy
        from valtrac.secrets.memory import keep_to_itself

        keep_to_itself()
        settings = self.settings
        key = self._key(password)
        chain, *others = (group.chain for group in self.groups)
        if key.address.lower() != chain.wallet:
            raise Refused(
                f"the wallet's file is of {key.address}, and not of {chain.wallet}",
                fix="set VALTRAC_KEEPS_WALLET or VALTRAC_KEEPS_WALLET_FILE right",
            )
        with self._lock:
            policy = GasPolicy(settings.keeps_gas_cap, settings.keeps_stuck_blocks)
            self._payer = EthereumPayer(chain, key, policy, others)

    def payer(self) -> ReplacingPayer:
        """The wallet. Raises Refused while it is not open here."""
        if self._payer is None:
            raise Refused("the wallet is locked", why="nothing is signed", fix=f"unlock it: {UNLOCK}")
        return self._payer

    @property
    def payer_or_none(self) -> ReplacingPayer | None:
        """The wallet, or None while it is locked."""
        return self._payer

    def close(self) -> None:
        """Let go of providers, servers, database and key."""
        self._let_go()
        engine = self.__dict__.pop("engine", None)
        if engine is not None:
            engine.dispose()

    def _let_go(self) -> None:
        self._payer = None
        self.__dict__.pop("_watching", None)
        for group in self.__dict__.pop("groups", ()):
            group.chain.close()
        bitcoin = self.__dict__.pop("bitcoin", None)
        if bitcoin is not None:
            bitcoin.close()

    @property
    def _bitcoin_network(self) -> str:
        return "regtest" if self.settings.rehearsing_keeps else self.settings.keeps_bitcoin_network

    def _key(self, password: str) -> Any:
        if self.settings.rehearsing_keeps:
            from valtrac.devnet.tbtc import owner

            return owner.key()
        from valtrac.secrets import keystore

        file = self.wallet_file
        if file is None:
            raise BadInput("no wallet is set", fix="make one in the menu, or: run.py keeps wallet make FILE")
        return keystore.open_wallet(file, password)

    def _pace(self) -> dict[str, Any]:
        """A rehearsal goes at a pace of its own: waiting makes a block, and it is as late as its chain says."""
        if not self.settings.rehearsing_keeps:
            return {}
        from valtrac.devnet.tbtc.node import Node

        node = Node(self._rehearsal_told()["ethereum_url"])
        return {"sleep": lambda seconds: node.mine(1)}

    def _rehearsal_told(self) -> dict[str, Any]:
        from valtrac.devnet.tbtc import world

        told = world.where(self.settings.keeps_folder)
        if told is None:
            raise ChainUnreachable(
                "the rehearsal chain of keeps does not run",
                why=f"nothing runs for {self.settings.keeps_folder}",
                fix="start it: run.py keeps rehearse",
            )
        return told

    def _rehearsal(self) -> Opened:
        from valtrac.chains.ethereum import connect
        from valtrac.devnet.tbtc import owner

        told = self._rehearsal_told()
        named = {
            "factory": "BondedECDSAKeepFactory",
            "system": "TBTCSystem",
            "token": "TBTCToken",
            "machine": "VendingMachine",
            "deposit_token": "TBTCDepositToken",
        }
        return connect.open_group(
            (told["ethereum_url"],),
            network=self.settings.keeps_network,
            chain_id=told["chain_id"],
            addresses={name: told["addresses"][theirs].lower() for name, theirs in named.items()},
            wallet=owner.ADDRESS,
            final_depth=min(2, self.settings.keeps_final_blocks),
            timeout_s=self.settings.timeout_s,
            stale_s=None,
        )
