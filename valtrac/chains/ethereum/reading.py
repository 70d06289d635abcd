"""What keeps and deposits tell, read in few questions: by a contract that asks many where there is one, else in
batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from valtrac.chains.ethereum import abi
from valtrac.chains.ethereum.answers import NodeSaid, Reverted, answer_of, bytes_of, hash_of, whole
from valtrac.chains.ethereum.node import BATCH, EthereumChain
from valtrac.chains.untrusted import Untrusted
from valtrac.core.chain import Head
from valtrac.core.keeps import Costs, CreatedKeep, DepositReading, KeepSignature, RedemptionRequest
from valtrac.core.text import plain

MULTICALL = "0xca11bde05977b3631167028862be2a173976ca11"
AGGREGATE = bytes.fromhex("82ad56cb")  # aggregate3((address target, bool may fail, bytes data)[])
MULTICALL_GAS = 200_000_000
LEAST_RANGE = 1
STATES = 12  # that a deposit may be in, from 0 on
LARGEST = 2**31  # above it no percentage and no number of seconds is meant
OFFLINE = "price feed offline"
NOBODY = "0x" + "00" * 20
Question = tuple[str, str, tuple[Any, ...]]


class Contracts:
    """The contracts of one deployment. factory: of the keeps; system, machine, deposit_token: addresses, lower case."""

    def __init__(self, chain: EthereumChain, *, factory: str, system: str, machine: str, deposit_token: str) -> None:
        self.chain = chain
        self.factory, self.system = factory.lower(), system.lower()
        self.machine, self.deposit_token = machine.lower(), deposit_token.lower()
        self._many_at_once: bool | None = None

    def created(self, first: int, last: int) -> list[CreatedKeep]:
        """The keeps that were created in those blocks for this deployment, in order."""
        topics = [abi.topic("BondedECDSAKeepCreated"), None, None, _topic(self.system)]
        return self.chain.ask(
            f"the keeps of blocks {first} to {last}",
            lambda: [_created(log) for log in self.logs(self.factory, topics, first, last)],
        )

    def logs(self, address: str, topics: list[Any], first: int, last: int) -> list[Any]:
        """Events in a range of blocks; in smaller ones where a provider calls it too much."""
        asked = {"address": address, "topics": topics, "fromBlock": hex(first), "toBlock": hex(last)}
        try:
            found = self.chain.rpc("eth_getLogs", asked)
        except NodeSaid:
            if last - first < LEAST_RANGE:
                raise
            middle = (first + last) // 2
            return self.logs(address, topics, first, middle) + self.logs(address, topics, middle + 1, last)
        for log in found:
            if str(log["address"]).lower() != address or not first <= whole(log["blockNumber"]) <= last:
                raise Untrusted("an event of another contract, or of other blocks")
            if log.get("removed"):
                raise Untrusted("an event of a block that was undone")
        return sorted(found, key=lambda log: (whole(log["blockNumber"]), whole(log["logIndex"])))

    def states(self, deposits: Sequence[str], at: Head) -> dict[str, tuple[int, int | None]]:
        """deposit -> (its state, its percent or None where its price is unknown), two questions each."""
        asked = [
            (deposit, name, ()) for deposit in deposits for name in ("currentState", "collateralizationPercentage")
        ]

        def read() -> dict[str, tuple[int, int | None]]:
            answers = self.many(asked, at)
            return {
                deposit: (_state(answers[2 * place]), _percent(answers[2 * place + 1]))
                for place, deposit in enumerate(deposits)
            }

        return self.chain.ask("the states of deposits", read)

    def readings(self, keeps: Mapping[str, str], at: Head) -> dict[str, DepositReading]:
        """deposit -> all that is decided by, for deposits and their keeps."""
        names = (
            "currentState",
            "collateralizationPercentage",
            "undercollateralizedThresholdPercent",
            "severelyUndercollateralizedThresholdPercent",
            "remainingTerm",
            "lotSizeSatoshis",
        )
        asked: list[Question] = []
        for deposit, keep in keeps.items():
            asked += [(deposit, name, ()) for name in names]
            asked += [(keep, "checkBondAmount", ()), (self.deposit_token, "ownerOf", (int(deposit, 16),))]

        def read() -> dict[str, DepositReading]:
            answers, each = self.many(asked, at), len(names) + 2
            found = {}
            for place, deposit in enumerate(keeps):
                state, percent, courtesy, severe, left, lot, bond, holder = answers[place * each : (place + 1) * each]
                found[deposit] = DepositReading(
                    deposit,
                    _state(state),
                    _percent(percent),
                    _answer(bond),
                    _answer(courtesy),
                    _answer(severe),
                    "" if isinstance(holder, Reverted) else str(holder).lower(),
                    0 if isinstance(left, Reverted) else _answer(left, LARGEST),
                    _answer(lot),
                )
            return found

        return self.chain.ask("deposits", read)

    def costs(self, deposits: Sequence[str], wallet: str, at: Head) -> dict[str, Costs]:
        """deposit -> what redeeming it would take of a wallet now."""
        asked: list[Question] = []
        for deposit in deposits:
            asked += [
                (deposit, "getOwnerRedemptionTbtcRequirement", (wallet,)),
                (deposit, "getRedemptionTbtcRequirement", (wallet,)),
                (deposit, "lotSizeSatoshis", ()),
                (deposit, "utxoValue", ()),
            ]

        def read() -> dict[str, Costs]:
            answers, found = self.many(asked, at), {}
            for place, deposit in enumerate(deposits):
                owner, direct, lot, coin = answers[4 * place : 4 * place + 4]
                machine = None if isinstance(owner, Reverted) else _answer(lot) * 10**10 + _answer(owner)
                found[deposit] = Costs(
                    machine, None if isinstance(direct, Reverted) else _answer(direct), _answer(coin)
                )
            return found

        return self.chain.ask("what redemptions cost", read)

    def requests(self, deposit: str, first: int, last: int) -> list[RedemptionRequest]:
        """The redemptions that were asked of a deposit, and the increases of their fees, in order."""
        topics = [abi.topic("RedemptionRequested"), _topic(deposit)]

        def read() -> list[RedemptionRequest]:
            found = []
            for log in self.logs(self.system, topics, first, last):
                said = abi.event("RedemptionRequested", list(log["topics"]), bytes_of(log["data"]))
                block = whole(log["blockNumber"])
                found.append(
                    RedemptionRequest(
                        said["_depositContractAddress"].lower(),
                        said["_requester"].lower(),
                        bytes(said["_digest"]),
                        said["_utxoValue"],
                        said["_requestedFee"],
                        bytes(said["_redeemerOutputScript"]),
                        bytes(said["_outpoint"]),
                        block,
                        whole(self.chain.told(block)["timestamp"]),
                    )
                )
            return found

        return self.chain.ask("redemptions", read)

    def signature(self, keep: str, digest: bytes, first: int, last: int) -> KeepSignature | None:
        """The signature of a digest that a keep's members have submitted; None while they have not."""
        topics = [abi.topic("SignatureSubmitted"), "0x" + digest.hex()]

        def read() -> KeepSignature | None:
            for log in self.logs(keep, topics, first, last):
                said = abi.event("SignatureSubmitted", list(log["topics"]), bytes_of(log["data"]))
                r, s = (int.from_bytes(said[name], "big") for name in ("r", "s"))
                return KeepSignature(bytes(said["digest"]), r, s, said["recoveryID"])
            return None

        return self.chain.ask("a signature", read)

    def times(self, event: str, deposit: str, first: int, last: int) -> list[tuple[int, int]]:
        """(block, seconds since 1970) of every event of a kind that a deposit has told of, in order."""
        topics = [abi.topic(event), _topic(deposit)]

        def read() -> list[tuple[int, int]]:
            found = []
            for log in self.logs(self.system, topics, first, last):
                said = abi.event(event, list(log["topics"]), bytes_of(log["data"]))
                found.append((whole(log["blockNumber"]), int(said["_timestamp"])))
            return found

        return self.chain.ask(f"events of {event}", read)

    def created_by(self, tx_id: str) -> tuple[str, str] | None:
        """(deposit, keep) that a transaction has made; None where it made none."""

        def read() -> tuple[str, str] | None:
            receipt = self.chain.rpc("eth_getTransactionReceipt", tx_id)
            for log in (receipt or {}).get("logs", []):
                if str(log["address"]).lower() == self.system and log["topics"][:1] == [abi.topic("Created")]:
                    said = abi.event("Created", list(log["topics"]), bytes_of(log["data"]))
                    return said["_depositContractAddress"].lower(), said["_keepAddress"].lower()
            return None

        return self.chain.ask("what a transaction has made", read)

    def one(self, to: str, name: str, *values: Any, at: Head) -> Any:
        """What a contract answers. Raises ChainUnreachable, also where it says no."""
        return self.chain.ask(name, lambda: self.chain.call(to, name, *values, at=at.number))

    def many(self, questions: Sequence[Question], at: Head) -> list[Any]:
        """What contracts answer at a block; a Reverted in the place of each that says no."""
        if self._many_at_once is None:
            self._many_at_once = len(bytes_of(self.chain.rpc("eth_getCode", MULTICALL, "latest"))) > 0
        data = [(to, name, abi.encoded(name, *values)) for to, name, values in questions]
        if self._many_at_once and len(data) > 1:
            return self._by_contract(data, at)
        asked = [("eth_call", [{"to": to, "data": "0x" + call.hex()}, hex(at.number)]) for to, _, call in data]
        answers = self.chain.many(asked)
        return [
            answer if isinstance(answer, Reverted) else answer_of(name, answer)
            for (_, name, _), answer in zip(data, answers, strict=True)
        ]

    def _by_contract(self, data: Sequence[tuple[str, str, bytes]], at: Head) -> list[Any]:
        from eth_abi.abi import decode, encode

        found: list[Any] = []
        for start in range(0, len(data), 4 * BATCH):
            some = data[start : start + 4 * BATCH]
            packed = encode(["(address,bool,bytes)[]"], [[(to, True, call) for to, _, call in some]])
            asked = {"to": MULTICALL, "data": "0x" + (AGGREGATE + packed).hex(), "gas": hex(MULTICALL_GAS)}
            (answers,) = decode(["(bool,bytes)[]"], bytes_of(self.chain.rpc("eth_call", asked, hex(at.number))))
            if len(answers) != len(some):
                raise Untrusted("another number of answers than of questions")
            for (_, name, _), (went_well, answer) in zip(some, answers, strict=True):
                found.append(answer_of(name, "0x" + answer.hex()) if went_well else _refusal(answer))
        return found


def _refusal(data: bytes) -> Reverted:
    from eth_abi.abi import decode

    if data[:4].hex() == "08c379a0":
        return Reverted(plain(decode(["string"], data[4:])[0], 200))
    return Reverted("without a reason")


def _answer(answer: Any, most: int = 2**256) -> int:
    if isinstance(answer, Reverted) or type(answer) is not int or answer >= most:
        raise Untrusted(f"no answer of a deposit: {plain(answer, 120)}")
    return answer


def _state(answer: Any) -> int:
    return _answer(answer, STATES)


def _percent(answer: Any) -> int | None:
    """None where the price is unknown, which is no percentage of 0."""
    if isinstance(answer, Reverted) and OFFLINE in str(answer).lower():
        return None
    return _answer(answer, LARGEST)


def _created(log: Any) -> CreatedKeep:
    said = abi.event("BondedECDSAKeepCreated", list(log["topics"]), bytes_of(log["data"]))
    return CreatedKeep(
        said["keepAddress"].lower(),
        said["owner"].lower(),
        tuple(str(member).lower() for member in said["members"]),
        whole(log["blockNumber"]),
        hash_of(log["blockHash"]),
    )


def _topic(address: str) -> str:
    return "0x" + address.removeprefix("0x").lower().rjust(64, "0")
