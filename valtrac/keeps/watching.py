"""What the watch over keeps works with: database, two groups of providers, wallet, Bitcoin, the door."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa

from valtrac.core.chain import BlockView, DecodedTx, Head
from valtrac.core.errors import ChainUnreachable, Refused
from valtrac.core.keeps import CreatedKeep, DepositReading
from valtrac.database.engine import claim_identity, writing
from valtrac.keeps.producer import KeepsProducer
from valtrac.keeps.settings import KeepsSettings
from valtrac.payments.door import Door
from valtrac.ports import BitcoinNetwork, KeepsChain, KeepsContracts, NumberedWallet, RedemptionTransactions

T = TypeVar("T")
PATIENCE_S = 900.0


@dataclass(frozen=True, slots=True)
class Side:
    """The chain and its contracts as one group of providers tells of them. No provider is in both groups."""

    chain: KeepsChain
    contracts: KeepsContracts


@dataclass(frozen=True, slots=True)
class Watching:
    """One operator's watch. first, second: groups of providers, which must agree on what money depends on; second None:
    the owner has one. numbers: the first chain as one that numbers a wallet's transactions. token: TBTC's address.
    transactions: how those of Bitcoin are put together. bitcoin: None where the proof is left to others, or no server
    is set. script: of the Bitcoin address that redemptions pay to, with its
    length before it; b"" while none is set. deposit_factory: of new deposits, "" where TBTC is not to be minted."""

    engine: sa.Engine
    settings: KeepsSettings
    first: Side
    second: Side | None
    numbers: NumberedWallet
    token: str
    transactions: RedemptionTransactions
    bitcoin: BitcoinNetwork | None = None
    bitcoin_network: str = "main"
    deposit_factory: str = ""
    script: bytes = b""
    tell: Callable[[str], None] = field(default=lambda words: None)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def wallet(self) -> str:
        """The address that redeems."""
        return self.first.chain.wallet

    @property
    def sides(self) -> tuple[Side, ...]:
        """Both groups, or the one that there is."""
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def producer(self) -> KeepsProducer:
        """Redemptions as the door sees them."""
        contracts = self.first.contracts
        return KeepsProducer(self.settings, self.token, contracts.machine, self.script.hex(), contracts.deposit_token)

    def door(self, *, patience_s: float = PATIENCE_S) -> Door:
        """The payment door of this wallet."""
        chains = tuple(side.chain for side in self.sides)
        return Door(
            self.engine,
            self.first.chain,
            self.producer,
            numbers=_AgreedNumbers(self),
            period=1,  # of no use: what is signed does not expire
            chunk_size=1,
            witnesses=chains[1:],
            evidence=self.evidence,
            coins=chains,
            parallel=self.settings.keeps_parallel * 3,  # an approval, a call and a redemption each
            tell=self.tell,
            sleep=self.sleep,
            clock=self.clock,
            poll_s=min(self.settings.keeps_look_s, 5.0),
            patience_s=patience_s,
        )

    @property
    def evidence(self) -> str:
        """How far what became of a transaction is believed, as it is told with each."""
        if self.settings.rehearsing_keeps:
            return ""
        if self.second is not None:
            return "; two providers say so"
        return "; one provider is trusted for it: name another in VALTRAC_KEEPS_NODES"

    def agreed_head(self) -> Head:
        """The newest block that both groups have, the same on both. Raises ChainUnreachable."""
        tips = [side.chain.tip() for side in self.sides]
        number = min(tip.number for tip in tips)
        heads = [
            tip if tip.number == number else side.chain.head(number) for tip, side in zip(tips, self.sides, strict=True)
        ]
        return self._same(heads, f"block {number}")

    def final_head(self) -> Head:
        """The newest block that both groups count as final. Raises ChainUnreachable."""
        number = min(side.chain.finalized().number for side in self.sides)
        return self._same([side.chain.head(number) for side in self.sides], f"block {number}")

    def agreed(self, what: str, read: Callable[[Side], T]) -> T:
        """What is read of both groups, which must be the same. Raises ChainUnreachable."""
        return self._same([read(side) for side in self.sides], what)

    def created(self, first: int, last: int) -> list[CreatedKeep]:
        """The keeps of those blocks, as both groups tell of them."""
        return self._same([side.contracts.created(first, last) for side in self.sides], f"keeps up to block {last}")

    def readings(self, keeps: dict[str, str], at: Head) -> dict[str, DepositReading]:
        """Deposits as both groups tell of them."""
        return self._same([side.contracts.readings(keeps, at) for side in self.sides], "deposits")

    def states(self, deposits: Sequence[str], at: Head) -> dict[str, tuple[int, int | None]]:
        """deposit -> (its state, its percent), as both groups tell of them."""
        return self._same([side.contracts.states(deposits, at) for side in self.sides], "the states of deposits")

    def balances(self, at: Head) -> tuple[int, int]:
        """(TBTC, ether) of the wallet, in wei, as both groups tell of them."""
        found = [(side.chain.balance(self.wallet, at), side.chain.ether(self.wallet, at)) for side in self.sides]
        return self._same(found, "what the wallet holds")

    def refusals(self, calls: list[tuple[str, str]]) -> list[str]:
        """Why contracts would say no to calls (address, text) of the wallet now, "" where they would not."""
        return [self._refusal(to, text) for to, text in calls]

    def _refusal(self, to: str, text: str) -> str:
        """Nodes put a refusal into words of their own: both groups must tell of one, or none, in whatever words."""
        told = [side.chain.refusal(to, text) for side in self.sides]
        if any(told) and not all(told):
            return f"only one of two providers would have it taken: {next(words for words in told if words)}"
        return told[0]

    def _same(self, answers: list[T], what: str) -> T:
        if any(answer != answers[0] for answer in answers[1:]):
            for side in self.sides:
                side.chain.distrust()
            raise ChainUnreachable(
                f"two providers tell {what} differently",
                why="one of them is wrong, or behind; nothing is decided on the word of either",
                fix="others of their groups are asked next; if it lasts, compare them with an explorer and replace one",
            )
        return answers[0]


@dataclass(frozen=True, slots=True)
class _AgreedNumbers:
    """`NumberedWallet`: a wallet's count is as both groups of providers tell it, since a database begins with it for
    good, and what is signed with a number that is too high waits for ever."""

    watching: Watching

    def block(self, number: int) -> BlockView:
        return self.watching.numbers.block(number)

    def outside(self, raw: bytes) -> DecodedTx:
        return self.watching.numbers.outside(raw)

    def nonce(self, address: str, at: Head) -> int:
        return self.watching.agreed("an account's number", lambda side: side.chain.nonce(address, at))

    def next_index(self, address: str) -> int:
        return self.watching.numbers.next_index(address)

    def signer(self, raw: bytes) -> str | None:
        return self.watching.numbers.signer(raw)


def tie(watching: Watching) -> None:
    """Tie the database to the chain at the first contact; later, refuse any other. Raises Refused, ChainUnreachable."""
    identities = [side.chain.identity() for side in watching.sides]
    if any(identity.genesis_hash != identities[0].genesis_hash for identity in identities[1:]):
        raise Refused("the providers serve different chains", fix="mend VALTRAC_KEEPS_NODES")
    with writing(watching.engine) as conn:
        claim_identity(conn, identities[0].genesis_hash, identities[0].network, watching.first.chain.asset)
