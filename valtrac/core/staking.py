"""What a proof-of-stake chain with delegated coins tells, as plain values. All amounts in satoshi."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from valtrac.core.chain import Head


@dataclass(frozen=True, slots=True)
class Output:
    """An output of the coinstake. script: in hex; address: who can spend it, "" where nobody can be named."""

    satoshi: int
    script: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Coinstake:
    """The transaction of a block by which its reward is made. put_in: satoshi of all inputs; outputs: without the empty
    first one. delegate: the script of the coin that won, where the block has a proof of delegation, else ""."""

    put_in: int
    outputs: Sequence[Output]
    delegate: str = ""


@dataclass(frozen=True, slots=True)
class StakedBlock:
    """A block and who made it. kernel: the coin that won, `txid:n`; winner: the address of that coin, "" where the node
    cannot tell; delegated: whether it was somebody else's than the staker's. coinstake: None for a block of the first
    days, which were mined. signer: the address of the key that signed the block."""

    head: Head
    kernel: str
    winner: str
    delegated: bool
    signer: str
    coinstake: Coinstake | None


@dataclass(frozen=True, slots=True)
class DelegationEvent:
    """An address gave its coins to a staker at a block, for a part of the reward in percent, or took them back. place:
    of its transaction in the block, of the call in it, of the event in that. proven: whether the delegate itself has
    signed for the staker: the contract keeps any proof, and with another one no block can be won."""

    block: int
    place: tuple[int, int, int]
    delegate: str
    staker: str
    fee: int
    added: bool
    proven: bool = True


@dataclass(frozen=True, slots=True)
class OwnedCoin:
    """An output that an address owns, or owned. outpoint: `txid:n`; height: of the block that made it; spent: of the
    block that spent it, None while it is unspent."""

    outpoint: str
    satoshi: int
    height: int
    spent: int | None = None


@dataclass(frozen=True, slots=True)
class NodeState:
    """How the node and its wallet do. balance: what can be spent; stake: what rests after it has staked; weight, also
    delegated_weight and net_weight: coins that may stake now, the wallet's own, those delegated to it, everybody's.
    expected_s: seconds until a block is to be expected. locked: whether the wallet has to be unlocked before it stakes;
    None where that cannot be told. stakable: how many coins of at least 100 the wallet could put in. catching_up:
    whether the node still reads blocks that are long made."""

    tip: Head
    balance: int
    stake: int
    weight: int
    delegated_weight: int
    net_weight: int
    connections: int
    staking: bool
    expected_s: int
    locked: bool | None
    stakable: int
    words: str = ""
    catching_up: bool = False


@dataclass(frozen=True, slots=True)
class NodePolicy:
    """What the node itself asks of delegates. least_coin: satoshi; least_fee: percent; None where it does not tell.
    only: the delegates it takes, everybody where that is empty; never: those it does not. lacking: the index that is
    missing -> the flag that makes it."""

    least_coin: int | None
    least_fee: int | None
    only: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    lacking: Mapping[str, str] = field(default_factory=dict)
