#!/usr/bin/env python3
"""Re-compute a proof of payment: python verify_proof.py FILE. It imports nothing but Python itself.

It follows the stakes on the chain to the amount: shares of each snapshot, referral taxes, the split
of the pool, balances released, the fee, and the receipt's seal. What it takes on trust is named in the
proof: the totals of each snapshot (look them up on any node) and the weight of everyone together,
which must lie within what those totals allow.
"""

import hashlib
import json
import sys
from typing import Any


def weight_of(proof: Any, stretch: Any, address: str) -> int:
    """The weight of an address over a stretch of snapshots without a change of terms."""
    found = 0
    for moment, stake in zip(stretch["moments"], stretch["stakes"][address], strict=True):
        factor, total, stake = int(moment["factor"]), int(moment["total"]), int(stake)
        if total > 0:
            found += factor * (stake << 32) if proof["method"] == "stake-time" else factor * ((stake << 96) // total)
    return found


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
        weights: dict[str, int] = {}
        for address, owner in stretch["owners"].items():
            weights[owner] = weights.get(owner, 0) + weight_of(proof, stretch, address)
        weight += after_taxes(stretch, weights).get(proof["user"], 0)
        for moment in stretch["moments"]:
            total, factor = int(moment["total"]), int(moment["factor"])
            most += factor * (total << 32 if proof["method"] == "stake-time" else (1 << 96) if total > 0 else 0)
    whole, pool = int(proof["whole_weight"]), int(proof["pool_rao"]) - int(proof["fee_from_pool_rao"])
    share, rest = divmod(pool * weight, whole)
    if weight != int(proof["weight"]):
        wrong.append(f"the stakes give the weight {weight}, not {proof['weight']}")
    if not most - most // 10**12 - 2**64 <= whole <= most:
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
        said = (body["user"], body["address"], body["amount_rao"], body["batch"])
        if said != (proof["user"], proof["address"], int(proof["amount_rao"]), proof["batch"]):
            wrong.append("the receipt is about another payment")
    return wrong


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        loaded = json.load(file)
    found = problems(loaded)
    print("\n".join(found) or f"good: {loaded['user']} was due {loaded['amount_rao']} rao in batch {loaded['batch']}")
    sys.exit(1 if found else 0)
