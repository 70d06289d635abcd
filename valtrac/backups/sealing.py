"""Files that only the holder of a secret key can read: made with its public half, so that the machine holds no secret.

A fresh X25519 key agrees with the public one on a key for ChaCha20-Poly1305, which seals the file in pieces; each says
its place and whether it is the last one, so that a piece that is missing, moved or cut off is noticed.
Source: RFC 7748, RFC 5869, RFC 8439; the pieces after Hoang, Reyhanitabar, Rogaway and Vizar's STREAM.
"""

from __future__ import annotations

import io
from types import TracebackType
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from valtrac.backups.settings import SHAPE
from valtrac.core.errors import BadInput

MAGIC = b"valtrac backup 1\n"
PIECE, TAG = 65_536, 16
PRIVATE_SHAPE = "valtrac-backup-secret:"


def new_keys() -> tuple[str, str]:
    """(public, secret), as they are written. The secret is stored nowhere."""
    secret = X25519PrivateKey.generate()
    return SHAPE + secret.public_key().public_bytes_raw().hex(), PRIVATE_SHAPE + secret.private_bytes_raw().hex()


def secret_key(text: str) -> X25519PrivateKey:
    """A secret key as it was shown. Raises BadInput, without telling it."""
    try:
        if not text.strip().startswith(PRIVATE_SHAPE):
            raise ValueError
        return X25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip().removeprefix(PRIVATE_SHAPE)))
    except ValueError:
        raise BadInput(
            "that is no secret key of backups", fix=f"it is the one that begins with {PRIVATE_SHAPE}, copied whole"
        ) from None


class Sealing(io.RawIOBase):
    """A file to write to; what is written is sealed into another one. `close` writes the last piece."""

    def __init__(self, file: BinaryIO, public: bytes) -> None:
        fresh = X25519PrivateKey.generate()
        own = fresh.public_key().public_bytes_raw()
        self._file, self._waiting, self._count, self._broken = file, bytearray(), 0, False
        self._cipher = _cipher(fresh.exchange(X25519PublicKey.from_public_bytes(public)), own, public)
        file.write(MAGIC + own)

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: object, /) -> int:
        """Take bytes; how many."""
        written = bytes(data)  # type: ignore[call-overload]
        self._waiting += written
        while len(self._waiting) > PIECE:  # one is kept back: the last one says that it is
            self._seal(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(written)

    def close(self) -> None:
        """Write the last piece, unless something went wrong before."""
        if not self.closed and not self._broken:
            self._seal(bytes(self._waiting), last=True)
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._broken = kind is not None
        self.close()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._count, last=last), piece, None))
        self._count += 1


class Opening(io.RawIOBase):
    """What was sealed, to be read. Raises BadInput where it was changed or cut off, or the key is another one."""

    def __init__(self, file: BinaryIO, secret: X25519PrivateKey) -> None:
        head = file.read(len(MAGIC) + 32)
        if not head.startswith(MAGIC) or len(head) != len(MAGIC) + 32:
            raise BadInput("the backup does not begin like a sealed one", fix="take another one")
        other, own = head[len(MAGIC) :], secret.public_key().public_bytes_raw()
        self._cipher = _cipher(secret.exchange(X25519PublicKey.from_public_bytes(other)), other, own)
        self._file, self._count, self._open, self._ended = file, 0, b"", False
        self._next = file.read(PIECE + TAG)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fill a buffer; how many bytes, 0 at the end."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        while not self._open and not self._ended:
            sealed, self._next = self._next, self._file.read(PIECE + TAG)
            self._ended = not self._next
            try:
                self._open = self._cipher.decrypt(_nonce(self._count, last=self._ended), sealed, None)
            except InvalidTag:
                raise BadInput(
                    "the backup cannot be opened",
                    why="it was sealed for another key, or was changed or cut off",
                    fix="try the other secret key, or another backup",
                ) from None
            self._count += 1
        taken = self._open[: len(view)]
        view[: len(taken)] = taken
        self._open = self._open[len(taken) :]
        return len(taken)


def _cipher(shared: bytes, fresh: bytes, public: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(HKDF(SHA256(), 32, None, MAGIC + fresh + public).derive(shared))


def _nonce(count: int, *, last: bool) -> bytes:
    return count.to_bytes(11, "big") + (b"\1" if last else b"\0")
