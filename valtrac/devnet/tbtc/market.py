"""What happens around the keeps: the price, what third parties call, who gets ETH and TBTC."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from valtrac.core.errors import Refused
from valtrac.devnet.tbtc.chains import Chains
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.evm import Contract, Tx

OFFLINE = 0


def feed(eth_per_btc: float | Decimal | int) -> int:
    """What the feed tells for a price, in wei of BTC for one ETH, rounded as the worked examples have it.

    That is int(10**18 / price) with a float for a float, so that 58.0 gives 17241379310344828 and not
    ...827. A Decimal or an int is divided exactly and rounded down.
    """
    if isinstance(eth_per_btc, float):
        return int(10**18 / eth_per_btc)
    over, under = Decimal(eth_per_btc).as_integer_ratio()
    return 10**18 * under // over


def set_feed(chains: Chains, value: int) -> None:
    """Let the feed tell this; OFFLINE makes every deposit's percentage revert."""
    chains.send("ETHBTCPriceFeedMock", "setValue", value, sender=chains.system.owner)


def set_price(chains: Chains, eth_per_btc: float | Decimal | int) -> int:
    """Let one BTC cost so many ETH; wei for a satoshi, as the deposits reckon with it."""
    set_feed(chains, feed(eth_per_btc))
    # the feed answers to the system alone, and the system to deposits
    system = chains.system.addresses["TBTCSystem"]
    return int(chains.read("SatWeiPriceFeed", "getPrice", sender=system))


def give_eth(chains: Chains, to: str, wei: int) -> None:
    """A transfer from the faucet."""
    chains.send_all([Tx(chains.system.faucet, to, value=wei, gas=100_000)])


def give_tbtc(chains: Chains, to: str, units: int) -> None:
    """A transfer from the depositor, who has what the deposits minted. units: 10^-18 TBTC.

    Raises Refused where fewer were minted: a deposit more mints more.
    """
    has = chains.tbtc(chains.system.depositor)
    if has < units:
        raise Refused(
            f"the depositor has {Decimal(has).scaleb(-18)} TBTC and was to give {Decimal(units).scaleb(-18)}",
            fix="make a deposit more: deposits.make",
        )
    chains.send("TBTCToken", "transfer", to, units, sender=chains.system.depositor)


def give_rebate_token(chains: Chains, deposit: LocalDeposit, to: str) -> None:
    """The token whose holder pays no signer fee at the end; the depositor has it of what it minted from."""
    depositor = chains.system.depositor
    chains.send("FeeRebateToken", "transferFrom", depositor, to, deposit.tdt_id, sender=depositor)


def give_deposit_token(chains: Chains, deposit: LocalDeposit, to: str, *, holder: str) -> None:
    """The token that stands for the deposit, from one who has it."""
    chains.send("TBTCDepositToken", "transferFrom", holder, to, deposit.tdt_id, sender=holder)


def courtesy_call(chains: Chains, deposit: str) -> dict[str, Any]:
    """Let a third party call it, which takes less than 125 %. Raises Reverted otherwise."""
    return by_third(chains, deposit, "notifyCourtesyCall")


def exit_courtesy_call(chains: Chains, deposit: str) -> dict[str, Any]:
    """Let a third party end it, which takes 125 % or more."""
    return by_third(chains, deposit, "exitCourtesyCall")


def expire_courtesy_call(chains: Chains, deposit: str) -> dict[str, Any]:
    """Let a third party say that six hours are over: the deposit is liquidated then, at any price."""
    return by_third(chains, deposit, "notifyCourtesyCallExpired")


def liquidate(chains: Chains, deposit: str) -> dict[str, Any]:
    """Let a third party start the liquidation, which takes less than 110 %."""
    return by_third(chains, deposit, "notifyUndercollateralizedLiquidation")


def by_third(chains: Chains, deposit: str, call: str) -> dict[str, Any]:
    """Let a third party call the deposit; the receipt. Raises Reverted in the contract's words."""
    return chains.send_all([Contract("Deposit", deposit).tx(call, sender=chains.system.third)])[0]
