"""The wiring of the Qtum pool: database, node, wallet, each opened when needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.settings import Settings

if TYPE_CHECKING:
    import sqlalchemy as sa

    from valtrac.chains.qtum.connect import QtumChain
    from valtrac.chains.qtum.payer import QtumPayer
    from valtrac.pool.pool import Pool

UNLOCK = "run.py pool unlock"


class PoolApp:
    """One running ValTrac's side of the super staker. It starts locked: it reads, and signs nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._chain: QtumChain | None = None
        self._payer: QtumPayer | None = None
        self._lock = RLock()  # the password is handed in on another thread than the one that works

    @cached_property
    def engine(self) -> sa.Engine:
        """The database of the pool, migrated."""
        from valtrac.database.opening import open_engine

        return open_engine(self.settings.qtum_database)

    @property
    def chain(self) -> QtumChain:
        """The node with the wallet. Raises ChainUnreachable, BadInput where it is not set up."""
        with self._lock:
            if self._chain is None:
                settings = self.settings
                if settings.rehearsing_pool:
                    self._chain = self._rehearsal()
                else:
                    self._chain = self._open(settings.qtum_node, settings.qtum_login, settings.qtum_staker)
            return self._chain

    @cached_property
    def witnesses(self) -> tuple[QtumChain, ...]:
        """A further node that must say the same. It needs no wallet."""
        if self.settings.rehearsing_pool or not self.settings.qtum_second_node:
            return ()
        return (self.open_second(self.settings.qtum_second_node),)

    def open_second(self, url: str) -> QtumChain:
        """A node that has to agree with the first."""
        return self._open(url, self.settings.qtum_second_login, self.settings.qtum_staker, wallet="")

    @cached_property
    def pool(self) -> Pool:
        """Everything that the verbs need; tied to the chain and the staker. Raises ChainUnreachable, Refused."""
        from valtrac.pool.pool import Pool, tie

        chain = self.chain
        pool = Pool(
            self.engine,
            chain,
            self.settings,
            chain.wallet,
            witnesses=self.witnesses,
            log=self.settings.pool_log,
            **self._pace(chain),
        )
        tie(pool)
        return pool

    def _pace(self, chain: QtumChain) -> dict[str, Any]:
        """A rehearsal goes at a pace of its own: a day is over when its blocks are made, and waiting makes them."""
        if not self.settings.rehearsing_pool:
            return {}
        from valtrac.devnet import qtum

        folder = self.settings.qtum_folder
        return {
            "now": lambda: chain.tip().at,
            "sleep": lambda seconds: qtum.produce(folder, 1, by="network"),
        }

    @property
    def locked(self) -> bool:
        """Whether the password of the node's wallet is not in this process."""
        return self._payer is None

    @property
    def needs_password(self) -> bool:
        """Whether the wallet has a password that only its owner knows; that of the rehearsal is known to everyone."""
        return not self.settings.rehearsing_pool

    def unlock(self, password: str = "") -> None:
        """Take the password into memory; it goes with this process. Raises Refused where it opens nothing."""
        from valtrac.chains.qtum.payer import QtumPayer
        from valtrac.secrets.memory import keep_to_itself

        keep_to_itself()
        if not self.needs_password:
            from valtrac.devnet import qtum

            password = qtum.PASSPHRASE
        if not password:
            raise BadInput("a password is missing", why="it is the one of the node's wallet", fix="type it")
        payer = QtumPayer(self.chain, password)
        payer.try_password()
        with self._lock:
            self._payer = payer

    def payer(self) -> QtumPayer:
        """The wallet. Raises Refused while its password is not here."""
        if self._payer is None:
            raise Refused("the payer is locked", why="nothing is signed", fix=f"unlock it: {UNLOCK}")
        return self._payer

    def close(self) -> None:
        """Let go of nodes, database and password."""
        self._payer = None
        self.__dict__.pop("pool", None)
        if self._chain is not None:
            self._chain.close()
            self._chain = None
        for witness in self.__dict__.pop("witnesses", ()):
            witness.close()
        engine = self.__dict__.pop("engine", None)
        if engine is not None:
            engine.dispose()

    def _rehearsal(self) -> QtumChain:
        from valtrac.devnet import qtum

        folder = self.settings.qtum_folder
        if not (folder / ".made").exists():
            raise ChainUnreachable(
                "the Qtum rehearsal node has no first block yet",
                why=f"{folder} is empty",
                fix="make it: run.py pool rehearse",
            )
        return self._open(qtum.start(folder), str(folder / ".cookie"), qtum.addresses(folder)["pool"])

    def _open(self, url: str, login: str, staker: str, wallet: str | None = None) -> QtumChain:
        from valtrac.chains.qtum import connect

        settings = self.settings
        if not url:
            raise BadInput("no Qtum node is set", fix="name it: VALTRAC_QTUM_NODE=http://127.0.0.1:3889")
        return connect.open_node(
            url,
            login=Path(login).expanduser() if login else None,
            network=settings.qtum_network,
            wallet=staker,
            wallet_name=settings.qtum_wallet_name if wallet is None else wallet,
            timeout_s=settings.timeout_s,
            final_depth=settings.qtum_final_blocks,
            reserve=settings.pool_reserve,
            fee_rate=settings.qtum_fee_rate,
            maturity=settings.qtum_maturity,
        )
