"""Make the key of a test's repository cheap to open.

restic derives a key from the password with scrypt, tuned so that one call takes a third of a second
of the processor; the parameters are in the key's file. The calls of a test are hundreds.
"""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

import attrs
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

_CHEAP: Final = {"N": 2, "r": 1, "p": 1}
_MEMORY: Final = 2**28
"""Bytes that scrypt may take with the parameters that restic chooses."""


@attrs.frozen
class _Key:
    """A key as restic derives it: AES-256-CTR, authenticated by Poly1305-AES."""

    encryption: bytes
    mask_key: bytes
    multiplier: bytes

    @classmethod
    def derive(cls, document: dict[str, Any], password: str) -> "_Key":
        derived = hashlib.scrypt(
            password.encode(),
            salt=base64.b64decode(document["salt"]),
            n=document["N"],
            r=document["r"],
            p=document["p"],
            dklen=64,
            maxmem=_MEMORY,
        )
        return cls(derived[:32], derived[32:48], derived[48:])

    def decrypt(self, sealed: bytes) -> tuple[bytes, bytes]:
        """Return the nonce and the text."""
        nonce, text, tag = sealed[:16], sealed[16:-16], sealed[-16:]
        assert self._tag(nonce, text) == tag, "the password is wrong"
        return nonce, self._apply_stream(nonce, text)

    def encrypt(self, nonce: bytes, text: bytes) -> bytes:
        hidden = self._apply_stream(nonce, text)
        return nonce + hidden + self._tag(nonce, hidden)

    def _apply_stream(self, nonce: bytes, text: bytes) -> bytes:
        return Cipher(algorithms.AES(self.encryption), modes.CTR(nonce)).encryptor().update(text)

    def _tag(self, nonce: bytes, hidden: bytes) -> bytes:
        # One block, as Poly1305-AES is defined; the nonce comes once for each key.
        cipher = Cipher(algorithms.AES(self.mask_key), modes.ECB())  # noqa: S305
        mask = cipher.encryptor().update(nonce)
        return Poly1305.generate_tag(self.multiplier + mask, hidden)


def forge_lock(repository: Path, password: str, document: dict[str, Any]) -> str:
    """Put a lock into a repository as if restic had made it; return its id."""
    (path,) = (repository / "keys").iterdir()
    kept = json.loads(path.read_text())
    master = json.loads(_Key.derive(kept, password).decrypt(base64.b64decode(kept["data"]))[1])
    key = _Key(*map(base64.b64decode, (master["encrypt"], master["mac"]["k"], master["mac"]["r"])))
    sealed = key.encrypt(os.urandom(16), json.dumps(document).encode())
    lock_id = hashlib.sha256(sealed).hexdigest()
    (repository / "locks" / lock_id).write_bytes(sealed)
    return lock_id


def make_key_cheap(repository: Path, password: str) -> None:
    """Store the repository's only key again, with parameters that take no time."""
    (path,) = (repository / "keys").iterdir()
    document = json.loads(path.read_text())
    opened = _Key.derive(document, password).decrypt(base64.b64decode(document["data"]))
    document.update(_CHEAP)
    sealed = _Key.derive(document, password).encrypt(*opened)
    document["data"] = base64.b64encode(sealed).decode()
    text = json.dumps(document).encode()
    path.unlink()
    path.with_name(hashlib.sha256(text).hexdigest()).write_bytes(text)
