"""Keys, cipher and blind index for personal data (电话、身份证号、姓名、住址).

One secret string gives three independent keys through HKDF-SHA256 (RFC 5869), told apart by
`info`: one for Fernet (AES-128-CBC + HMAC), one for the HMAC-SHA256 blind index, one to sign with. Several
secrets mean rotation: the first writes, all of them read and look up, until
`storage.rotation` has rewritten every row.

A telephone number has only about 10^10 values, so the index is only as secret as its key:
short secrets are refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from xunfang.errors import BadSettings, StorageError

MIN_SECRET_CHARS = 16
_SALT = b"xunfang storage v1"
_MOBILE_DIGITS = 11


def new_secret() -> str:
    """A fresh secret with 256 bits of chance, for a new installation."""
    return secrets.token_urlsafe(32)


def normalise_phone(phone: str) -> str:
    """Digits as dialled inside China, so that +86 138 1234 0001 and 13812340001 meet.

    Full-width digits become plain; +86/0086 is dropped and a landline gets its 0 back.
    """
    text = unicodedata.normalize("NFKC", phone).strip()
    digits = re.sub(r"[^0-9]", "", text)
    if text.startswith("+86") or digits.startswith("0086"):
        rest = digits.removeprefix("00").removeprefix("86")
        is_mobile = len(rest) == _MOBILE_DIGITS and rest.startswith("1")
        return rest if is_mobile or rest.startswith("0") else "0" + rest
    if len(digits) == _MOBILE_DIGITS + 2 and digits.startswith("861"):
        return digits[2:]
    return digits


def normalise_id_card(card: str) -> str:
    """Upper case without blanks: the check digit may be written x or X."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", card)).upper()


class Vault:
    """Encrypts, decrypts and indexes with the keys of one installation."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        """`secret_keys`: the newest first. Raises BadSettings when empty or too short."""
        if isinstance(secret_keys, str) or not secret_keys:
            raise BadSettings("no secret key given: set at least one, e.g. from `openssl rand -hex 32`")
        if any(len(secret) < MIN_SECRET_CHARS for secret in secret_keys):
            raise BadSettings(
                f"a secret key is shorter than {MIN_SECRET_CHARS} characters: telephone numbers could be "
                "guessed from their index; use e.g. `openssl rand -hex 32`"
            )
        self._fernet = MultiFernet([_fernet(secret) for secret in secret_keys])
        self._index_keys = [_derive(secret, b"blind index") for secret in secret_keys]
        self._signing_keys = [_derive(secret, b"signature") for secret in secret_keys]

    def __repr__(self) -> str:
        return f"Vault(keys={len(self._index_keys)})"

    def encrypt(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def decrypt(self, token: str) -> str:
        """Raises StorageError when none of the keys made this token."""
        try:
            return self._fernet.decrypt(token).decode()
        except InvalidToken:
            raise StorageError(
                "personal data cannot be decrypted: the secret key is not the one this database was written "
                "with; put the old key back (it may stand behind the new one in the list)"
            ) from None

    def rotate(self, token: str) -> str:
        """The same text under the newest key."""
        return self.encrypt(self.decrypt(token))

    def sign(self, purpose: str, text: str) -> str:
        """Hex HMAC-SHA256 under the newest key, 64 characters."""
        return self._signatures(purpose, text)[0]

    def is_signed(self, purpose: str, text: str, signature: str, chars: int = 64) -> bool:
        """Under any key of the list; compared in constant time. `chars`: a shortened signature."""
        given = signature.encode()
        expected = self._signatures(purpose, text)
        return any(hmac.compare_digest(each[:chars].encode(), given) for each in expected)

    def _signatures(self, purpose: str, text: str) -> list[str]:
        message = f"{purpose}\0{text}".encode()
        return [hmac.new(key, message, hashlib.sha256).hexdigest() for key in self._signing_keys]

    def phone_index(self, phone: str | None) -> str | None:
        """What to store beside a number; None when there is no digit to look for."""
        return self._index("phone", normalise_phone(phone or ""))[0]

    def phone_indexes(self, phone: str) -> list[str]:
        """Every value a stored row may carry while keys are being rotated."""
        return [index for index in self._index("phone", normalise_phone(phone)) if index]

    def id_card_index(self, card: str | None) -> str | None:
        return self._index("id_card", normalise_id_card(card or ""))[0]

    def id_card_indexes(self, card: str) -> list[str]:
        return [index for index in self._index("id_card", normalise_id_card(card)) if index]

    def text_index(self, text: str) -> str | None:
        """Tells whether two things said were the same words, without keeping the words."""
        return self._index("text", text)[0]

    def _index(self, kind: str, value: str) -> list[str | None]:
        """`kind` is part of the message, so a number never matches in a column of another kind."""
        if not value:
            return [None]
        message = f"{kind}:{value}".encode()
        return [hmac.new(key, message, hashlib.sha256).hexdigest() for key in self._index_keys]


def _derive(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=_SALT, info=purpose).derive(secret.encode())


def _fernet(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_derive(secret, b"cipher")))
