"""The wiring of payouts: settings, database, chain and wallet, each opened when first needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from valtrac.core.endpoints import shown
from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.settings import Settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from valtrac.chains.bittensor.connect import BittensorChain
    from valtrac.chains.bittensor.finality import FinalBlocks
    from valtrac.payments.door import Door
    from valtrac.payments.producer import Caps
    from valtrac.payouts.liquidity import Liquidity
    from valtrac.payouts.producer import PayoutProducer
    from valtrac.ports import Payer, Prices

PIN_ANEW = "run.py payout pin-authorities"  # what finality tells an owner to do where a set is in doubt


class App:
    """One running ValTrac. Opening it does nothing; what is asked for is opened and kept."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._chain: BittensorChain | None = None

    @cached_property
    def engine(self) -> sa.Engine:
        """The database, migrated."""
        from valtrac.database.opening import open_engine

        return open_engine(self.settings.database)

    @property
    def chain(self) -> BittensorChain:
        """The node of the chosen network. Raises ChainUnreachable."""
        if self._chain is None:
            self._chain = self._open(self.settings.endpoint)
        return self._chain

    @cached_property
    def witnesses(self) -> tuple[BittensorChain, ...]:
        """Further nodes that must agree before a transaction counts as dead."""
        return (self.open_second(self.settings.second_endpoint),) if self.settings.second_endpoint else ()

    def open_second(self, endpoint: str) -> BittensorChain:
        """A node that has to agree with the first. It asks no other in its place: two that ask a third are one."""
        from valtrac.chains.bittensor import connect

        return connect.open_node(
            endpoint,
            network=shown(self.settings.network),
            timeout_s=self.settings.timeout_s,
            unbound=self.settings.development_node,
        )

    @cached_property
    def finality(self) -> FinalBlocks:
        """What proves that a block is final: the votes of pinned authorities."""
        from valtrac.chains.bittensor.finality import FinalBlocks
        from valtrac.payments.pins import KeptPins

        return FinalBlocks(
            self.chain,
            KeptPins(self.engine),
            lambda: next(iter(self.witnesses), None),
            anew=PIN_ANEW,
        )

    @cached_property
    def prices(self) -> Prices:
        """The exchanges to ask for the price of TAO; nobody is asked by opening it."""
        from valtrac.exchanges.prices import CcxtPrices

        return CcxtPrices(
            self.settings.exchanges,
            self.settings.quote_symbols,
            currency=self.settings.currency,
            stale_s=self.settings.price_stale_s,
            any_time=self.settings.network == "devnet",
            timeout_s=self.settings.price_timeout_s,
        )

    @property
    def wallet_address(self) -> str:
        """The address that pays; no key is unlocked for it."""
        from valtrac.chains.bittensor import connect

        name = self.settings.wallet_name
        return (
            connect.dev_address(name)
            if name.startswith("//")
            else connect.wallet_address(name, self.settings.wallet_path)
        )

    def liquidity(self, batch_id: int | None = None, *, wallet: str = "") -> Liquidity:
        """What the payout wallet, or another one, holds against what it has to pay; what is seen is noted for the first
        screen. Raises BadInput without such a batch, ChainUnreachable."""
        from valtrac.payouts import liquidity, wallet_seen

        mine = self.wallet_address
        figures = liquidity.liquidity(
            self.engine, self.chain, wallet or mine, batch_id, chunk_size=self.settings.chunk_size
        )
        if figures.wallet == mine:
            now = datetime.now(UTC)
            seen = wallet_seen.Seen(mine, figures.holds, figures.missing, figures.lasts, now)
            wallet_seen.note(self.settings.data, seen)
        return figures

    @property
    def needs_password(self) -> bool:
        """Whether the wallet's key is a locked file; keys of the rehearsal chain have none."""
        return not self.settings.wallet_name.startswith("//")

    def guard_memory(self) -> None:
        """To be called before a password is typed: from then on nothing of this process is left behind by a crash."""
        from valtrac.secrets.memory import keep_to_itself

        keep_to_itself()

    def unlock(self, password: str = "") -> Payer:
        """The wallet, able to sign; its key goes with this process. Raises Refused on a wrong password."""
        from valtrac.chains.bittensor import connect

        self.guard_memory()
        name = self.settings.wallet_name
        if name.startswith("//"):
            return connect.dev_payer(self.chain, name)
        return connect.wallet_payer(self.chain, name, self.settings.wallet_path, password)

    @property
    def producer(self) -> PayoutProducer:
        """Payouts as the payment door sees them."""
        from valtrac.payouts.producer import PayoutProducer

        return PayoutProducer(
            self.engine, lambda: self.chain, self.settings, self.settings, others=lambda: self.witnesses
        )

    @property
    def caps(self) -> Caps:
        """What a payout may pay without another word."""
        from valtrac.payouts.producer import caps_of

        return caps_of(self.settings)

    def door(self, *, tell: Callable[[str], None] = lambda words: None) -> Door:
        """The payment door of the payout wallet. tell: one line of progress."""
        from valtrac.payments.door import Door

        embedded = self.settings.rehearsing
        return Door(
            self.engine,
            self.chain,
            self.producer,
            numbers=self.chain,
            period=self.settings.era_period,
            chunk_size=self.settings.chunk_size,
            witnesses=self.witnesses,
            evidence=self._evidence,
            finality=self.finality,
            log=self.settings.log,
            tell=tell,
            poll_s=0.2 if embedded else 3.0,
            patience_s=30.0 if embedded else 1800.0,
        )

    @property
    def _evidence(self) -> str:
        """How far what became of a payment is believed, as it is told with each."""
        if self.settings.rehearsing:
            return ""
        if self.witnesses:
            return "; that it is final is agreed: two nodes say so"
        return "; that it is final is believed: one node is trusted for it: name another, VALTRAC_SECOND_ENDPOINT"

    def hotkey(self, given: str | None = None) -> str:
        """The hotkey meant: the given one, the only one in the settings or, in a rehearsal, of the chain.

        Raises BadInput when there is none or several.
        """
        if given:
            from valtrac.core.addresses import BadAddress, key_of

            try:
                key_of(given)
            except BadAddress as error:
                raise BadInput(
                    f"hotkey: {given[:60]!r} is not an address", why=str(error), fix="copy it whole"
                ) from error
            return given
        known = self.known_hotkeys()
        if not known and self.settings.network == "devnet":
            raise BadInput(
                "the rehearsal chain has no first block yet",
                why="it knows its hotkey",
                fix="make it: run.py devnet seed",
            )
        if len(known) != 1:
            raise BadInput(
                "say which hotkey" if known else "no hotkey is set",
                fix="--hotkey ADDRESS, or VALTRAC_HOTKEYS in .env",
                problems=known,
            )
        return known[0]

    def known_hotkeys(self) -> tuple[str, ...]:
        """The hotkeys of the settings; without any, those that the embedded chain was seeded with."""
        if self.settings.hotkeys or self.settings.network != "devnet" or not self.settings.devnet_file.exists():
            return self.settings.hotkeys
        from valtrac.devnet import bittensor as devnet

        return tuple(devnet.status(self.settings.devnet_file)["hotkeys"])

    def close(self) -> None:
        """Let go of nodes and database."""
        if self._chain is not None:
            self._chain.close()
            self._chain = None
        self.__dict__.pop("finality", None)
        for name in ("witnesses", "engine"):
            opened = self.__dict__.pop(name, None)
            if name == "witnesses":
                for witness in opened or ():
                    witness.close()
            elif opened is not None:
                opened.dispose()

    def _open(self, endpoint: str) -> BittensorChain:
        from valtrac.chains.bittensor import connect

        if not endpoint:
            return self._open_devnet(self.settings.devnet_file)
        return connect.open_node(
            endpoint,
            network=shown(self.settings.network),
            fallbacks=list(self.settings.fallback_endpoints),
            archives=list(self.settings.archive_endpoints),
            timeout_s=self.settings.timeout_s,
            unbound=self.settings.development_node,
        )

    def _open_devnet(self, path: Path) -> BittensorChain:
        from valtrac.chains.bittensor import connect

        if not path.exists():
            raise ChainUnreachable(
                "the rehearsal chain has no first block yet",
                why=f"{path} is missing",
                fix="make it: run.py devnet seed",
            )
        return connect.open_devnet(path, timeout_s=self.settings.timeout_s)
