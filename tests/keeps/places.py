"""A watch over keeps on the local contracts, in one process with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account

from tests.devnet.tbtc.redeemer import Redeemer
from valtrac import settings as config
from valtrac.chains.bitcoin import addresses as bitcoin_addresses
from valtrac.chains.bitcoin.electrum import ElectrumNetwork
from valtrac.chains.bitcoin.networks import network_named
from valtrac.chains.bitcoin.redemptions import Redemptions
from valtrac.chains.ethereum.connect import open_group
from valtrac.chains.ethereum.payer import EthereumPayer, GasPolicy
from valtrac.core.money import ETH, TBTC
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.devnet.tbtc import chains as chain_states
from valtrac.devnet.tbtc import deposits, market
from valtrac.devnet.tbtc.chains import Chains
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.evm import Tx
from valtrac.devnet.tbtc.proxy import Proxy
from valtrac.devnet.tbtc.signers import Signers
from valtrac.keeps import cycle
from valtrac.keeps.cycle import Round
from valtrac.keeps.store import episodes, redemptions
from valtrac.keeps.store.redemptions import Acted, Redemption
from valtrac.keeps.watching import Side, Watching
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.store import attempts, batches, ledger
from valtrac.settings import Settings

BTC = 10**8
COIN = 10**TBTC.decimals
ETHER = 10**ETH.decimals
GWEI = 10**9
AWAITING_SIGNATURE = chain_states.AWAITING_SIGNATURE
PAID_TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
SECRET = "0x" + "5a" * 32


class Key:
    """A wallet that signs in memory, as `valtrac.secrets.keystore` opens one."""

    def __init__(self, secret: str = SECRET) -> None:
        self._account = Account.from_key(secret)
        self.address: str = self._account.address

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        return bytes(self._account.sign_transaction(transaction).raw_transaction)


@dataclass(slots=True)
class Place:
    """A watch over the keeps of all, the chains under it, and the wallet. Waiting mines a block."""

    chains: Chains
    home: Path
    urls: Sequence[str] = ()
    second: Sequence[str] = ()
    given: dict[str, str] = field(default_factory=dict)
    key: Key = field(default_factory=Key)
    mine: bool = True
    timeout_s: float = 5
    stale_s: float | None = None
    electrum_urls: Sequence[str] = ()
    on_wait: Callable[[], None] | None = None
    waited: int = field(default=0, init=False)
    signers: Signers = field(init=False)
    settings: Settings = field(init=False)
    watching: Watching = field(init=False)
    payer: EthereumPayer = field(init=False)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.signers = Signers(self.chains)
        self.settings = config.load(
            {
                "VALTRAC_HOME": str(self.home),
                "VALTRAC_KEEPS_OPERATORS": "all",
                "VALTRAC_KEEPS_FINAL_BLOCKS": "1",
                "VALTRAC_KEEPS_LOOK_S": "0.1",
                "VALTRAC_KEEPS_CAP_PAYMENT": "1000",
                "VALTRAC_KEEPS_CAP_DAY": "1000",
                **self.given,
            },
            Path("/dev/null"),
        )
        self.watching = self.opened()

    def opened(self, **changed: Any) -> Watching:
        """The watch, as a process that has just started has it."""
        names = {
            "factory": "BondedECDSAKeepFactory",
            "system": "TBTCSystem",
            "token": "TBTCToken",
            "machine": "VendingMachine",
            "deposit_token": "TBTCDepositToken",
        }
        addresses = {ours: self.chains.system.addresses[theirs].lower() for ours, theirs in names.items()}
        sides = []
        for urls in (self.urls or (self.chains.ethereum.url,), self.second):
            if urls:
                sides.append(
                    open_group(
                        urls,
                        network="devnet",
                        chain_id=31337,
                        addresses=addresses,
                        wallet=self.key.address,
                        final_depth=self.settings.keeps_final_blocks,
                        timeout_s=self.timeout_s,
                        stale_s=self.stale_s,
                    )
                )
        first = sides[0]
        self.payer = EthereumPayer(
            first.chain,
            self.key,
            GasPolicy(self.settings.keeps_gas_cap, self.settings.keeps_stuck_blocks),
            [side.chain for side in sides[1:]],
        )
        paid_to = bitcoin_addresses.redemption_destination(PAID_TO, network_named("regtest"))
        values: dict[str, Any] = {
            "token": addresses["token"],
            "transactions": Redemptions(),
            "script": paid_to.with_length,
            "tell": self.said.append,
            "sleep": self.wait,
            "clock": lambda: float(self.waited),
            "bitcoin": self.electrum(*self.electrum_urls) if self.electrum_urls else None,
            **changed,
        }
        return Watching(
            open_engine(self.home / "keeps.sqlite"),
            self.settings,
            Side(first.chain, first.contracts),
            Side(sides[1].chain, sides[1].contracts) if len(sides) > 1 else None,
            first.numbers,
            **values,
        )

    def wait(self, seconds: float = 0) -> None:
        """Time goes by, some minutes: a block is made, and whatever else happens meanwhile."""
        self.waited += 200
        if self.on_wait is not None:
            self.on_wait()
        if self.mine:
            self.chains.ethereum.mine(1)

    def restart(self, **changed: Any) -> None:
        """The process ends, and another one begins on the same database."""
        self.watching.engine.dispose()
        self.given |= changed
        self.__post_init__()

    def settle(self) -> None:
        """Let what was done lie deep enough to be final."""
        self.chains.ethereum.mine(self.settings.keeps_final_blocks + 1)

    def fund(self, tbtc: int, ether: int = 10 * ETHER) -> None:
        """Let the wallet have so much ether, and so much more TBTC, in wei."""
        self.chains.ethereum.set_balance(self.key.address, ether)
        if tbtc:
            mint(self.chains, self.key.address, tbtc)

    def deposit(self, *lots: int, tdt: str | None = None) -> list[LocalDeposit]:
        """Active deposits of these lots in satoshi."""
        return deposits.make(self.chains, lots, tdt=tdt)

    def percent(self, percent: int) -> None:
        """Let the price rise until a bond of 150 % is worth so much."""
        market.set_price(self.chains, 50 * 150 / percent)

    def round(self, *, locked: bool = False) -> Round:
        """One round of the watch."""
        return cycle.run(self.watching, None if locked else self.payer)

    def tbtc(self) -> int:
        """What the wallet has, in wei."""
        return self.chains.tbtc(self.key.address)

    def electrum(self, *urls: str) -> ElectrumNetwork:
        """Bitcoin by these servers."""
        return ElectrumNetwork(urls, "regtest", timeout_s=5)

    # -- what is stored ---------------------------------------------------------------------------------------

    def redemptions(self) -> list[Redemption]:
        """Every redemption, the oldest first."""
        with reading(self.watching.engine) as conn:
            return redemptions.listed(conn)

    def actions(self) -> list[Acted]:
        """The audit log."""
        with reading(self.watching.engine) as conn:
            return redemptions.actions(conn)

    def lasting(self) -> dict[str, str]:
        """kind -> words of what the owner has to be told of now."""
        with reading(self.watching.engine) as conn:
            return {each["kind"]: each["words"] for each in episodes.lasting(conn)}

    def journal(self) -> list[Attempt]:
        """Every attempt, the oldest first."""
        with reading(self.watching.engine) as conn:
            numbers = sorted(batch.id for batch in batches.listed(conn))
            return [attempt for number in numbers for attempt in attempts.of_batch(conn, number)]

    def lines(self) -> list[BatchLine]:
        """Every line of every batch, the oldest first."""
        with reading(self.watching.engine) as conn:
            numbers = sorted(batch.id for batch in batches.listed(conn))
            return [line for number in numbers for line in batches.lines_of(conn, number)]

    def booked(self) -> int:
        """TBTC that left by the ledger, in wei."""
        with reading(self.watching.engine) as conn:
            return sum(ledger.paid_for(conn, each.line_id) for each in redemptions.listed(conn))

    def allowed(self, *deposits: LocalDeposit) -> int:
        """What the VendingMachine, and these deposits, may still take of the wallet."""
        spenders = [self.chains.system.addresses["VendingMachine"], *(each.deposit for each in deposits)]
        return sum(int(self.chains.read("TBTCToken", "allowance", self.key.address, each)) for each in spenders)


def mint(chains: Chains, to: str, units: int) -> None:
    """TBTC out of nothing, in wei: by the one who may make it."""
    machine, node = chains.system.addresses["VendingMachine"], chains.ethereum
    node.set_balance(machine, 10 * ETHER)
    node.call("anvil_impersonateAccount", machine)
    chains.send("TBTCToken", "mint", to, units, sender=machine)
    node.call("anvil_stopImpersonatingAccount", machine)


def faster(place: Place, deposit: LocalDeposit) -> None:
    """Somebody else asks for a deposit in the next block, before whatever comes: from now on blocks are made by
    waiting only."""
    other = Redeemer(place.chains, place.chains.system.depositor)
    mint(place.chains, other.address, 11 * COIN)
    place.chains.send_all([other.approval(place.chains.system.addresses["VendingMachine"], 11 * COIN)])
    place.settle()
    place.chains.ethereum.automine(False)
    place.chains.ethereum.call("eth_sendTransaction", other.by_machine(deposit).as_request())


@dataclass(slots=True)
class Places:
    """Makes watches over the same chains, and ends what serves them."""

    chains: Chains
    folder: Path
    proxies: list[Proxy] = field(default_factory=list)
    made: list[Place] = field(default_factory=list)

    def new(self, *, tbtc: int = 0, ether: int = 10 * ETHER, **named: Any) -> Place:
        """A watch with a database of its own, whose wallet has so many whole TBTC, and so much ether in wei."""
        settings = {name: value for name, value in named.items() if name.startswith("VALTRAC_")}
        others = {name: value for name, value in named.items() if name not in settings}
        home = self.folder / f"place{len(self.made)}"
        home.mkdir()
        place = Place(self.chains, home, given=settings, **others)
        self.made.append(place)
        place.fund(tbtc * COIN, ether)
        place.settle()
        return place

    def proxy(self) -> Proxy:
        """A provider of its own before the node."""
        made = Proxy(self.chains.ethereum.url)
        self.proxies.append(made)
        return made

    def third_sends(self, *txs: Tx) -> list[str]:
        """Hand transactions of others to the node, which mines them when it does; their hashes."""
        return [str(self.chains.ethereum.call("eth_sendTransaction", tx.as_request())) for tx in txs]

    def __enter__(self) -> Places:
        return self

    def __exit__(self, *_: object) -> None:
        for place in self.made:
            place.watching.engine.dispose()
            for side in place.watching.sides:
                side.chain.close()
        for proxy in self.proxies:
            proxy.close()
