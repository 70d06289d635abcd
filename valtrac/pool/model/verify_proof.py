#!/usr/bin/env python3
"""Re-compute a proof of a pool's payment: python verify_proof.py FILE. It imports nothing but Python itself.

It follows the delegate's coins at each block to its weight, its share of the reward, the sum of its shares, the
pool's fee, and the receipt's seal. What it takes on trust is named: the weight of all delegates together at each block,
and that the coins were unspent then; both can be looked up on any node with an index of addresses.
"""

import hashlib
import json
import sys
from typing import Any

KIND = "pool"


def problems(proof: Any) -> list[str]:
    """Everything in a proof that does not follow from the rest; an empty list is a good proof."""
    wrong, gross = [], int(proof["carried_in_satoshi"])
    for reward in proof["rewards"]:
        height, oldest = int(reward["height"]), int(reward["height"]) - int(reward["maturity"])
        coins = reward["coins"]
        weight = sum(int(coin["satoshi"]) for coin in coins)
        if len({coin["outpoint"] for coin in coins}) != len(coins):
            wrong.append(f"block {height}: a coin stands there twice")
        if any(int(coin["satoshi"]) < int(reward["least_coin_satoshi"]) for coin in coins):
            wrong.append(f"block {height}: a coin is smaller than what counts")
        if any(int(coin["height"]) > oldest for coin in coins):
            wrong.append(f"block {height}: a coin was not old enough")
        if weight != int(reward["weight_satoshi"]) or weight > int(reward["whole_weight_satoshi"]):
            wrong.append(f"block {height}: the coins weigh {weight}, the proof says {reward['weight_satoshi']}")
        whole = int(reward["whole_weight_satoshi"])
        share = int(reward["reward_satoshi"]) * weight // whole if whole else 0
        if share != int(reward["share_satoshi"]):
            wrong.append(f"block {height}: the share is {share}, the proof says {reward['share_satoshi']}")
        gross += -share if reward["undone"] else share
    if gross != int(proof["gross_satoshi"]):
        wrong.append(f"the shares come to {gross}, the proof says {proof['gross_satoshi']}")
    net = gross * (10_000 - int(proof["fee_bps"])) // 10_000
    body = proof["receipt"]["body"]
    if net != int(proof["net_satoshi"]) or net != int(body["amount_satoshi"]):
        wrong.append(f"{net} satoshi were due, the receipt says {body['amount_satoshi']}")
    if body["address"] != proof["delegate"]:
        wrong.append("the receipt is another's")
    sealed = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    seal = hashlib.sha256(f"{proof['receipt']['previous_hash']}\n{sealed}".encode()).hexdigest()
    if seal != proof["receipt"]["hash"]:
        wrong.append("the receipt's seal is broken")
    return wrong


def main() -> int:
    """Check the file that is named."""
    with open(sys.argv[1], encoding="utf-8") as file:
        wrong = problems(json.load(file))
    for words in wrong:
        print(words)
    print("This proof does not hold." if wrong else "Good: the amount follows from the coins.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
