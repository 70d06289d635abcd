#!/usr/bin/env python3
"""Re-compute a proof of payment: python verify_proof.py FILE. It imports nothing but Python itself.

It follows the stakes on the chain to the amount: shares of each snapshot, limits and referral taxes,
the owner's cut, the split of the pool, balances released, the fee, and the receipt's seal. What it takes
on trust is named in the proof: the totals of each snapshot (look them up on any node), limits and cuts
as agreed, and the weight of everyone together, which must lie within what those totals allow.
"""

import hashlib
import json
import sys
from typing import Any


def weights_of(proof: Any, stretch: Any) -> dict[str, int]:
    """The weight of each owner over a stretch of snapshots without a change of terms."""
    weights: dict[str, int] = dict.fromkeys(stretch["owners"].values(), 0)
    for place, moment in enumerate(stretch["moments"]):
        factor, total = int(moment["factor"]), int(moment["total"])
        stakes = {address: int(series[place]) for address, series in stretch["stakes"].items()}
        for owner, (least, most) in stretch.get("limits", {}).items():  # what counts of someone's stake
            mine = sorted((a for a in stakes if stretch["owners"][a] == owner), reverse=True)
            whole = sum(stakes[address] for address in mine)
            over = whole if whole < int(least) else max(0, whole - int(whole if most is None else most))
            for address in mine:
                taken = min(over, stakes[address])
                stakes[address], over = stakes[address] - taken, over - taken
        for address, stake in stakes.items() if total > 0 else ():
            share = stake << 32 if proof["method"] == "stake-time" else (stake << 96) // total
            weights[stretch["owners"][address]] += factor * share
    return weights


def after_taxes(stretch: Any, weights: dict[str, int]) -> dict[str, int]:
    """Weights after the referral cascade: deepest referee first, by name within a depth."""
    tree = {referee: (referrer, int(rate)) for referee, (referrer, rate) in stretch["tree"].items()}

    def depth(name: str) -> int:
        return 1 + depth(tree[name][0]) if name in tree else 0

    for referee in sorted(tree, key=lambda name: (-depth(name), name)):
        referrer, rate = tree[referee]
        tax = weights.get(referee, 0) * rate // 10_000
        weights[referee] = weights.get(referee, 0) - tax
        weights[referrer] = weights.get(referrer, 0) + tax
    return weights


def problems(proof: Any) -> list[str]:
    """Everything in a proof that does not follow from the rest; an empty list is a good proof."""
    wrong, weight, most = [], 0, 0
    for stretch in proof["stretches"]:
        mine = after_taxes(stretch, weights_of(proof, stretch)).get(proof.get("name", proof["user"]), 0)
        weight += mine - mine * int(stretch.get("kept_bps", 0)) // 10_000
        for moment in stretch["moments"]:
            total, factor = int(moment["total"]), int(moment["factor"])
            most += factor * (total << 32 if proof["method"] == "stake-time" else (1 << 96) if total > 0 else 0)
    whole, pool = int(proof["whole_weight"]), int(proof["pool_rao"]) - int(proof["fee_from_pool_rao"])
    share, rest = divmod(pool * weight, whole)
    if weight != int(proof["weight"]):
        wrong.append(f"the stakes give the weight {weight}, not {proof['weight']}")
    least = 0 if proof.get("forfeits_shared") else most - most // 10**12 - 2**64
    if not least <= whole <= most:
        wrong.append("the weight of everyone together is not what the totals of the snapshots allow")
    if int(proof["from_pool_rao"]) not in ((share, share + 1) if rest else (share,)):
        wrong.append(f"the part of the pool is {share} rao (or one more by rounding), not {proof['from_pool_rao']}")
    amount = int(proof["from_pool_rao"]) + int(proof["released_rao"]) - int(proof["fee_share_rao"])
    if amount != int(proof["amount_rao"]):
        wrong.append(f"part, balance and fee make {amount} rao, not {proof['amount_rao']}")
    receipt = proof["receipt"]
    if receipt is not None:
        if hashlib.sha256(f"{receipt['previous_hash']}\n{receipt['body']}".encode()).hexdigest() != receipt["hash"]:
            wrong.append("the receipt's seal is broken")
        body = json.loads(receipt["body"])
        parts = ("amount_rao", "from_pool_rao", "released_rao", "fee_share_rao")
        said = (body["user"], body["address"], body["batch"], *(body[part] for part in parts))
        if said != (proof["user"], proof["address"], proof["batch"], *(int(proof[part]) for part in parts)):
            wrong.append("the receipt is about another payment")
    return wrong


def to_look_up(proof: Any) -> str:
    """What only the chain can tell: where the payment is, if it was made."""
    if proof["receipt"] is None:
        return "there is no receipt: it was not paid when this was written"
    body = json.loads(proof["receipt"]["body"])
    return f"look up transaction {body['tx_id']} in block {body['block']} on any explorer of the chain"


if __name__ == "__main__":
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            loaded = json.load(file)
        faults, look = problems(loaded), to_look_up(loaded)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        sys.exit(f"this is no proof that can be read: {type(error).__name__}: {error}")
    print("\n".join(faults) or f"good: {loaded['user']} was due {loaded['amount_rao']} rao in batch {loaded['batch']}")
    print(look)
    sys.exit(1 if faults else 0)
