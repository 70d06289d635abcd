"""The whole of tBTC v1 on a local node: 33 real contracts, a price feed that one sets, a stub for the random beacon.

What differs from mainnet: the price is set by hand (keep-network's own test feed), the beacon answers 0 to everything
and costs nothing, the relay was born with the difficulty of regtest.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.devnet.tbtc import contracts
from valtrac.devnet.tbtc.anvil import Anvil, Options
from valtrac.devnet.tbtc.evm import ETH, Contract, Tx, creation, send, send_all
from valtrac.devnet.tbtc.node import Node

LOTS_SAT = (10**6, 10**7, 2 * 10**7, 5 * 10**7, 10**8, 5 * 10**8, 10**9)
"""0.01, 0.1, 0.2, 0.5, 1, 5 and 10 BTC."""
START_FEED = 10**18 // 50
"""What the feed tells at first: wei of BTC for one ETH, here 0.02, so that 1 BTC = 50 ETH."""
BOND_ETH = 100_000
STAKE = 10**6 * ETH
DAY_S = 86_400
# the stake is initialised, the delay of the lot sizes is over, and the supply cap of the VendingMachine (63 days) too
WARP_S = 64 * DAY_S
POOL_BLOCKS = 12  # a sortition pool gives out nobody in its first ten
# the header of regtest's first block; a relay born with it asks for difficulty 0, and so takes what regtest mines
RELAY_HEADER = bytes.fromhex("01000000" + "00" * 32 + "00" * 32 + "00000000" + "ffff7f20" + "00000000")
# who is who among the twenty accounts of the node
OWNER, DEPOSITOR, THIRD, FAUCET = 0, 18, 17, 19
MOST_OPERATORS = 12


@dataclass(frozen=True, slots=True)
class System:
    """Where everything is.

    addresses: contract name -> address. operators: those who can be members of a keep. owner: who may set the price.
    depositor: who makes deposits and has the TBTC that they mint. third: somebody else. faucet: gives away ETH.
    """

    addresses: Mapping[str, str]
    operators: tuple[str, ...]
    owner: str
    depositor: str
    third: str
    faucet: str

    def at(self, name: str) -> Contract:
        """The one contract of that name."""
        return Contract(name, self.addresses[name])

    def as_json(self) -> dict[str, Any]:
        """The same for a file."""
        people = {"owner": self.owner, "depositor": self.depositor, "third": self.third, "faucet": self.faucet}
        return {"addresses": dict(self.addresses), "operators": list(self.operators), **people}

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> System:
        """Read again."""
        return cls(
            told["addresses"],
            tuple(told["operators"]),
            *(told[name] for name in ("owner", "depositor", "third", "faucet")),
        )


def deploy(node: Node, *, operators: int = 5) -> System:
    """Deploy everything to a fresh node and make its accounts 1, 2, ... operators who are staked and bonded.

    64 days pass meanwhile. operators: 3 to 12, since a keep has three members.
    """
    if not 3 <= operators <= MOST_OPERATORS:
        raise BadInput(f"{operators} operators cannot be had", why="a keep has three members, the node 20 accounts")
    accounts = node.accounts()
    made = _Deployment(node, accounts[OWNER])
    _staking(made)
    _keeps(made)
    _deposits(made)
    system = System(
        addresses=dict(made.addresses),
        operators=tuple(accounts[1 : operators + 1]),
        owner=accounts[OWNER],
        depositor=accounts[DEPOSITOR],
        third=accounts[THIRD],
        faucet=accounts[FAUCET],
    )
    _settle(node, system)
    return system


class _Deployment:
    """The contracts made so far, all by one account."""

    def __init__(self, node: Node, sender: str) -> None:
        self.node, self.sender = node, sender
        self.addresses: dict[str, str] = {}

    def make(self, name: str, *args: Any) -> str:
        receipt = send(self.node, Tx(self.sender, None, creation(name, self.addresses, *args), gas=12_000_000))
        self.addresses[name] = Contract(name, receipt["contractAddress"]).address
        return self.addresses[name]

    def make_all(self, *names: str) -> None:
        for name in names:
            self.make(name)

    def do(self, name: str, function: str, *args: Any) -> None:
        send(self.node, Contract(name, self.addresses[name]).tx(function, *args, sender=self.sender))


def _staking(made: _Deployment) -> None:
    """keep-core: the KEEP token and who staked it."""
    token, registry = made.make("KeepToken"), made.make("KeepRegistry")
    grant = made.make("TokenGrant", token)
    made.make_all("GrantStaking", "Locks", "TopUps")
    escrow = made.make("TokenStakingEscrow", token, grant)
    made.make("TokenStaking", token, grant, escrow, registry, 1)


def _keeps(made: _Deployment) -> None:
    """keep-ecdsa: bonds, and the factory of keeps."""
    at = made.addresses
    made.make_all("StackLib", "BondedSortitionPoolFactory")
    bonding = made.make("KeepBonding", at["KeepRegistry"], at["TokenStaking"], at["TokenGrant"])
    master = made.make("BondedECDSAKeep")
    stub = send(made.node, Tx(made.sender, None, contracts.BEACON_STUB))
    at["BeaconStub"] = stub["contractAddress"]
    factory = made.make(
        "BondedECDSAKeepFactory",
        *(master, at["BondedSortitionPoolFactory"], at["TokenStaking"], bonding, at["BeaconStub"]),
    )
    made.do("KeepRegistry", "approveOperatorContract", factory)


def _deposits(made: _Deployment) -> None:
    """tBTC itself, in the order of its own migration."""
    at = made.addresses
    made.make_all("TBTCConstants", "OutsourceDepositLogging", "KeepFactorySelection", "ETHBTCPriceFeedMock")
    made.do("ETHBTCPriceFeedMock", "setValue", START_FEED)
    relay = made.make("OnDemandSPV", RELAY_HEADER, 2016, bytes(32), 0)
    system = made.make("TBTCSystem", made.make("SatWeiPriceFeed"), relay)
    factory, machine = made.make("DepositFactory", system), made.make("VendingMachine", system)
    made.make_all("DepositStates", "DepositUtils", "DepositLiquidation", "DepositRedemption", "DepositFunding")
    master = made.make("Deposit")
    token, tdt = made.make("TBTCToken", machine), made.make("TBTCDepositToken", factory)
    rebate = made.make("FeeRebateToken", machine)
    made.make("FundingScript", machine, token, tdt, rebate)
    made.make("RedemptionScript", machine, token, rebate)
    keeps = at["BondedECDSAKeepFactory"]
    made.do("TBTCSystem", "initialize", keeps, factory, master, token, tdt, rebate, machine, 3, 3)
    made.do("SatWeiPriceFeed", "initialize", system, at["ETHBTCPriceFeedMock"])
    made.do("BondedECDSAKeepFactory", "createSortitionPool", system)
    made.do("TBTCSystem", "refreshMinimumBondableValue")
    made.do("TBTCSystem", "beginLotSizesUpdate", list(LOTS_SAT))


def _settle(node: Node, system: System) -> None:
    """Let the operators stake and bond, and wait until everything that was begun has come into force."""
    at, keeps = system.at, system.addresses["BondedECDSAKeepFactory"]
    tbtc = system.addresses["TBTCSystem"]
    pool = at("BondedECDSAKeepFactory").read(node, "getSortitionPool", tbtc)
    stakes = [
        # beneficiary, operator and authorizer are one
        at("KeepToken").tx(
            *("approveAndCall", system.addresses["TokenStaking"], STAKE, bytes.fromhex(operator[2:] * 3)),
            sender=system.owner,
        )
        for operator in system.operators
    ]
    send_all(node, stakes)
    own: list[Callable[[str], Tx]] = [
        lambda who: at("TokenStaking").tx("authorizeOperatorContract", who, keeps, sender=who),
        lambda who: at("KeepBonding").tx("authorizeSortitionPoolContract", who, pool, sender=who),
        lambda who: at("KeepBonding").tx("deposit", who, sender=who, value=BOND_ETH * ETH),
    ]
    send_all(node, [step(who) for who in system.operators for step in own])
    node.warp(WARP_S)
    send(node, at("TBTCSystem").tx("finalizeLotSizesUpdate", sender=system.owner))
    register = [at("BondedECDSAKeepFactory").tx("registerMemberCandidate", tbtc, sender=o) for o in system.operators]
    send_all(node, register)
    node.mine(POOL_BLOCKS)


def version(operators: int) -> str:
    """What a stored state depends on: the contracts, and the code that deploys them."""
    code = hashlib.sha256()
    for file in ("system.py", "evm.py", "contracts.py"):
        code.update(Path(__file__).with_name(file).read_bytes())
    return hashlib.sha256(f"{contracts.version()} {code.hexdigest()} {operators}".encode()).hexdigest()[:16]


def open_deployed(folder: Path, options: Options | None = None, *, operators: int = 5) -> tuple[Anvil, System]:
    """An anvil with everything deployed: from the state stored under a folder, which is made there the first time.

    Several processes may do that at once: each makes its own, and the last one stays.
    """
    state, note = _stored(folder, operators)
    if not (state.exists() and note.exists()):
        store(folder, operators=operators)
    system = System.of_json(json.loads(note.read_text(encoding="utf-8")))
    return Anvil(replace(options or Options(), load=state)), system


def store(folder: Path, *, operators: int = 5) -> None:
    """Deploy everything on an anvil of its own and leave the state in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    state, note = _stored(folder, operators)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        fresh = Path(place) / "state.json"
        # begun so long ago that what passes meanwhile ends a little before today
        with Anvil(Options(dump=fresh, timestamp=int(time.time()) - WARP_S - DAY_S)) as anvil:
            system = deploy(anvil, operators=operators)
        words = Path(place) / "system.json"
        words.write_text(json.dumps(system.as_json(), indent=1, sort_keys=True), encoding="utf-8")
        os.replace(fresh, state)
        os.replace(words, note)  # last: where there is a note, there is a state


def _stored(folder: Path, operators: int) -> tuple[Path, Path]:
    name = f"tbtc-{version(operators)}"
    return folder / f"{name}.state.json", folder / f"{name}.system.json"
