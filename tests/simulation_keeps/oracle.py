"""What should have been done, reckoned from the chain alone, by other code than the program's.

The rules: who is in courtesy call or below 125 % comes first, then who is below his own
threshold; of each group the set of the greatest bond that the TBTC and the ether at hand bear.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from tests.keeps.places import GWEI
from valtrac.devnet.tbtc.chains import ACTIVE, AWAITING_SIGNATURE, AWAITING_WITHDRAWAL_PROOF, COURTESY_CALL, Chains
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.evm import Contract
from valtrac.devnet.tbtc.node import NodeSaid

CAP = 100 * GWEI
REDEEM, APPROVE, CALL = 800_000 * CAP, 60_000 * CAP, 200_000 * CAP
COURTESY, THRESHOLD = 125, 130
DEEP = 12  # blocks; so deep none is exchanged here
BY_HAND = 8  # so many are tried in every combination too
ASKS = {"tbtcToBtc": "be138da7", "requestRedemption": "994aa931"}


@dataclass(frozen=True, slots=True)
class Row:
    """A deposit that could be redeemed now. machine: whether the VendingMachine has its token."""

    deposit: str
    group: int
    cost: int
    ether: int
    bond: int
    machine: bool


@dataclass(frozen=True, slots=True)
class Oracle:
    """wallet: whose redemptions are judged; deposits: all that there are; first: the block from which on it sends."""

    chains: Chains
    wallet: str
    deposits: Sequence[LocalDeposit]
    first: int
    deep: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def choice(self) -> set[str]:
        """The deposits that are to be redeemed as things are in the newest block."""
        rows, leaving = self._rows()
        node = self.chains.ethereum
        ether = int(node.call("eth_getBalance", self.wallet, "latest"), 16) - leaving * CALL
        tbtc = self.chains.tbtc(self.wallet)
        if any(row.machine for row in rows):
            ether -= APPROVE
        taken: set[str] = set()
        for group in (1, 2):
            best = _best([row for row in rows if row.group == group], tbtc, max(0, ether))
            taken |= {row.deposit for row in best}
            tbtc -= sum(row.cost for row in best)
            ether -= sum(row.ether for row in best)
        return taken

    def _rows(self) -> tuple[list[Row], int]:
        rows, leaving = [], 0
        for deposit in self.deposits:
            state = self.chains.state(deposit.deposit)
            if state not in (ACTIVE, COURTESY_CALL):
                continue
            try:
                percent = self.chains.collateral_percent(deposit.deposit)
            except NodeSaid:
                continue  # the price is unknown
            if state == COURTESY_CALL and percent >= COURTESY:
                leaving += 1
                continue
            row = self._row(deposit, state, percent)
            rows += [row] if row else []
        return rows, leaving

    def _row(self, deposit: LocalDeposit, state: int, percent: int) -> Row | None:
        node, lot = self.chains.ethereum, deposit.lot_sat * 10**10
        group = 1 if state == COURTESY_CALL or percent < COURTESY else 2 if percent < THRESHOLD else 0
        if not group:
            return None
        bond = int(Contract("BondedECDSAKeep", deposit.keep).read(node, "checkBondAmount"))
        if self.in_machine(deposit):
            cost = lot + int(deposit.contract.read(node, "getOwnerRedemptionTbtcRequirement", self.wallet))
            return Row(deposit.deposit.lower(), group, cost, REDEEM, bond, True)
        if state == COURTESY_CALL:
            return Row(deposit.deposit.lower(), group, lot, REDEEM + APPROVE, bond, False)
        return Row(deposit.deposit.lower(), 1, lot, REDEEM + APPROVE + CALL, bond, False) if group == 1 else None

    def in_machine(self, deposit: LocalDeposit) -> bool:
        """Whether the VendingMachine has the token of a deposit."""
        holder = str(self.chains.read("TBTCDepositToken", "ownerOf", deposit.tdt_id))
        return holder.lower() == self.chains.system.addresses["VendingMachine"].lower()

    def asked(self) -> list[str]:
        """The deposits that the wallet has asked for, in order, once for each time that it was taken."""
        node, found = self.chains.ethereum, []
        machine = self.chains.system.addresses["VendingMachine"].lower()
        for told in self._transactions():
            data = str(told["input"])[2:]
            if data[:8] not in ASKS.values() or not self._went_well(told["hash"]):
                continue
            through = str(told["to"]).lower() == machine
            found.append("0x" + data[8 + 24 : 8 + 64] if through else str(told["to"]).lower())
        assert int(node.call("eth_getTransactionCount", self.wallet, "latest"), 16) == len(self._transactions())
        return found

    def taken(self) -> int:
        """TBTC that left the wallet by what it asked for, in wei, by the token's own events."""
        token = self.chains.system.at("TBTCToken")
        asked = {told["hash"] for told in self._transactions() if str(told["input"])[2:10] in ASKS.values()}
        left = 0
        for log in token.logs(self.chains.ethereum, "Transfer"):
            [moved] = token.events("Transfer", [log])
            if moved["from"].lower() == self.wallet.lower() and log["transactionHash"] in asked:
                left += int(moved["value"])
        return left

    def allowed(self) -> int:
        """TBTC that anybody may still take of the wallet, in wei."""
        spenders = [self.chains.system.addresses["VendingMachine"], *(each.deposit for each in self.deposits)]
        return sum(int(self.chains.read("TBTCToken", "allowance", self.wallet, each)) for each in spenders)

    def by_others(self) -> set[str]:
        """The deposits that somebody else has asked for."""
        system = self.chains.system.at("TBTCSystem")
        told = system.events("RedemptionRequested", system.logs(self.chains.ethereum, "RedemptionRequested"))
        others = {each["_depositContractAddress"].lower() for each in told}
        return others - set(self.asked())

    def open_redemptions(self) -> list[str]:
        """Deposits that were asked for and are not proven."""
        waiting = (AWAITING_SIGNATURE, AWAITING_WITHDRAWAL_PROOF)
        return [each for each in dict.fromkeys(self.asked()) if self.chains.state(each) in waiting]

    def _went_well(self, tx_hash: str) -> bool:
        return bool(self.chains.ethereum.call("eth_getTransactionReceipt", tx_hash)["status"] == "0x1")

    def _transactions(self) -> list[dict[str, Any]]:
        """Those of the wallet; what lies deep is read once."""
        node, newest = self.chains.ethereum, self.chains.ethereum.height()
        first = max(self.deep, default=self.first - 1) + 1
        read: dict[int, list[dict[str, Any]]] = {}
        for block in node.batch([("eth_getBlockByNumber", hex(n), True) for n in range(first, newest + 1)]):
            mine = [each for each in block["transactions"] if str(each["from"]).lower() == self.wallet.lower()]
            read[int(block["number"], 16)] = mine
        self.deep.update({number: mine for number, mine in read.items() if number <= newest - DEEP})
        return [each for number in sorted(self.deep | read) for each in (self.deep | read)[number]]


def _best(rows: Sequence[Row], tbtc: int, ether: int) -> tuple[Row, ...]:
    """The set of the greatest bond. Few are tried in every combination, and that must be what the other way finds."""
    found = _by_fronts(rows, tbtc, ether)
    if len(rows) <= BY_HAND:
        every: Iterable[Collection[Row]] = (
            some for size in range(len(rows) + 1) for some in combinations(rows, size) if _bears(some, tbtc, ether)
        )
        assert max(_bond(some) for some in every) == _bond(found)
    return found


def _bears(rows: Collection[Row], tbtc: int, ether: int) -> bool:
    return sum(row.cost for row in rows) <= tbtc and sum(row.ether for row in rows) <= ether


def _bond(rows: Collection[Row]) -> int:
    return sum(row.bond for row in rows)


def _by_fronts(rows: Sequence[Row], tbtc: int, ether: int) -> tuple[Row, ...]:
    """Row by row, every set is kept that no other beats in cost, ether and bond at once."""
    sets: dict[tuple[int, int], tuple[int, tuple[Row, ...]]] = {(0, 0): (0, ())}
    for row in rows:
        more = dict(sets)
        for (cost, gas), (bond, some) in sets.items():
            price = (cost + row.cost, gas + row.ether)
            if price[0] <= tbtc and price[1] <= ether and more.get(price, (-1, ()))[0] < bond + row.bond:
                more[price] = (bond + row.bond, (*some, row))
        sets = _front(more)
    return max(sets.values(), key=lambda each: each[0])[1]


def _front(
    sets: dict[tuple[int, int], tuple[int, tuple[Row, ...]]],
) -> dict[tuple[int, int], tuple[int, tuple[Row, ...]]]:
    kept: dict[tuple[int, int], tuple[int, tuple[Row, ...]]] = {}
    best: dict[int, int] = {}  # ether -> the greatest bond of those that cost no more
    for price, each in sorted(sets.items(), key=lambda item: (item[0], -item[1][0])):
        if all(bond < each[0] for gas, bond in best.items() if gas <= price[1]):
            kept[price] = each
            best[price[1]] = max(best.get(price[1], -1), each[0])
    return kept
