"""A watch over keeps between two groups of providers that fail and lie, one of them or both, each in its own way."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.keeps.places import Places
from tests.liars.played import Played
from tests.simulation_keeps.crash import FAILS, Crash
from valtrac.devnet.tbtc import system
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.chains import Chains
from valtrac.devnet.tbtc.electrum_server import ElectrumServer

KEEPS, MOMENTS = 4, 2
STATES = Path(tempfile.gettempdir()) / "vt-liars-tbtc"  # the deployed contracts, for all worlds


class Lying(Crash):
    """The same price crash; what goes wrong is what providers say."""

    def _struck(self) -> None:
        for _ in range(self.odds.choice((2, 3, 4))):
            name, after = self.odds.choice((self._fails, self._lies, self._lies, self._both))()
            self.troubles[name] += 1
            self._round(troubled=True)
            after()
            self.place.on_wait = None

    def _both(self) -> tuple[str, Callable[[], None]]:
        """Both groups at once, each with something else."""
        one, other = self.odds.sample(self.proxies, 2)
        one.lie(hide_logs=True, behind=self.odds.choice((0, 1, 3)))
        other.misbehave(**{self.odds.choice(FAILS): self.odds.choice((1, 3, 9))})

        def over() -> None:
            one.behave()
            other.behave()

        return "both groups at once", over


def play(seed: int, folder: Path) -> Played:
    """A crash among liars, then calm; what became of every wei."""
    STATES.mkdir(exist_ok=True)
    node, made = system.open_deployed(STATES)
    chains = Chains(node, made, Bitcoin())
    try:
        with Places(chains, folder) as places, ElectrumServer(chains.bitcoin, ("tcp",)) as electrum:
            crash = Lying(places, electrum, seed=seed, keeps=KEEPS, moments=MOMENTS)
            crash.live(lambda words: None)
            result = crash.result(0.0)
    finally:
        node.stop()
    return Played(
        seed,
        Counter(result.troubles),
        twice=result.requested_twice,
        lost=result.savable - result.saved,
        stolen=result.unexplained_wei + result.allowed,
        stuck="; ".join(result.wrong),
    )
