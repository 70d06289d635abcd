"""The owner's wallet in the rehearsal: its key is known to everyone, and worth nothing anywhere else."""

from __future__ import annotations

from typing import Any

PRIVATE_KEY = "0x" + "7e" * 32
ADDRESS = "0x3c6e03fb0cae74925098cfbfb09e173ee9a54b68"
BITCOIN_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"


class Key:
    """It, in memory. address: with the capitals of its checksum."""

    def __init__(self) -> None:
        from eth_account import Account

        self._account = Account.from_key(PRIVATE_KEY)
        self.address = str(self._account.address)

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """The bytes of a signed transaction."""
        return bytes(self._account.sign_transaction(transaction).raw_transaction)


def key() -> Key:
    """The wallet's key."""
    return Key()
