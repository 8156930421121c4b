"""Signatures of documents: HMAC-SHA256 (RFC 2104) over canonical JSON, with an operator's key.

Whoever holds a key can check a signature and make one. It tells a document that this installation
wrote from one that somebody else wrote or changed; it hides nothing.
"""

import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from karbor_backup_core._errors import InvalidDocument, InvalidInput
from karbor_backup_core.secrets import Secret

SIGNATURE_PROPERTY: Final = "signature"
"""The property of a document that holds its signature; it is no part of what is signed."""

MIN_KEY_BYTES: Final = 16
"""Bytes of the shortest key. A key that can be guessed can be guessed from one signed document."""

_PREFIX: Final = "hmac-sha256:"
_SIGNATURE_PATTERN: Final = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{64}")
_ENCODING_ERRORS: Final = (TypeError, ValueError, RecursionError)


def canonical_json(document: Mapping[str, Any]) -> bytes:
    """Return the one text that stands for a document: sorted keys, no blanks, ASCII.

    Numbers are written as Python writes them, so that ``1`` and ``1.0`` differ.

    Raises:
        InvalidDocument: it holds something that is no JSON value, such as NaN.
    """
    try:
        text = json.dumps(
            document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
        )
    except _ENCODING_ERRORS as error:
        raise InvalidDocument("document", [f"$: it cannot be signed: {error}"]) from None
    return text.encode("ascii")


def sign_document(document: Mapping[str, Any], keys: Sequence[Secret]) -> dict[str, Any]:
    """Return the document with a signature by the first key; without keys, as it is.

    Raises:
        InvalidInput: the key cannot be looked up, or is too short.
        InvalidDocument: the document is no JSON.
    """
    body = {name: value for name, value in document.items() if name != SIGNATURE_PROPERTY}
    return {**body, SIGNATURE_PROPERTY: _compute_signature(body, keys[0])} if keys else body


def verify_signature(document: Mapping[str, Any], keys: Iterable[Secret]) -> dict[str, Any]:
    """Return a signed document without its signature, after checking it against every key.

    Args:
        document: it has a ``signature``.
        keys: each may have made it. Without any, nothing but the signature's form is checked.

    Raises:
        InvalidInput: a key cannot be looked up, or is too short.
        InvalidDocument: the signature is none, or no key has made it for this content.
    """
    body = dict(document)
    signature = body.pop(SIGNATURE_PROPERTY, None)
    if not isinstance(signature, str) or not _SIGNATURE_PATTERN.fullmatch(signature):
        fault = (
            f"$.{SIGNATURE_PROPERTY}: it is no signature: "
            f"expected {_PREFIX} and 64 hexadecimal digits"
        )
        raise InvalidDocument("document", [fault])
    # All are computed before any is compared, so that the time tells nothing of which key it was.
    expected = [_compute_signature(body, key) for key in keys]
    matches = [hmac.compare_digest(signature, each) for each in expected]
    if expected and not any(matches):
        fault = (
            f"$.{SIGNATURE_PROPERTY}: it does not fit: "
            "the document was changed, or signed with a key that is not among documents.keys"
        )
        raise InvalidDocument("document", [fault])
    return body


def _compute_signature(body: Mapping[str, Any], key: Secret) -> str:
    # What an environment variable holds need not be UTF-8.
    secret = key.reveal().encode("utf-8", "surrogateescape")
    if len(secret) < MIN_KEY_BYTES:
        raise InvalidInput(
            f"a key of documents.keys is shorter than {MIN_KEY_BYTES} bytes: make one with "
            "`openssl rand -hex 32`"
        )
    return _PREFIX + hmac.digest(secret, canonical_json(body), "sha256").hex()
