"""What the call had filled in, for a telephone that will be without network at the door.

Sealed (AES-256-GCM) under a key made from the plate's path: who holds the telephone reads it only
after the QR on the door was scanned. web/static/js/visitor/seal.js opens it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
_INFO = b"xunfang door\0"


def seal(code: str, values: Mapping[str, str]) -> str:
    """`code`: what stands behind /v/. Base64 of nonce and ciphertext."""
    key = hashlib.sha256(_INFO + code.encode()).digest()
    nonce = secrets.token_bytes(NONCE_BYTES)
    text = json.dumps(dict(values), ensure_ascii=False).encode()
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, text, None)).decode()


def open_sealed(code: str, sealed: str) -> dict[str, str]:
    """Raises cryptography's InvalidTag for another plate's code."""
    key = hashlib.sha256(_INFO + code.encode()).digest()
    raw = base64.b64decode(sealed)
    text = AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], None)
    return dict(json.loads(text))
