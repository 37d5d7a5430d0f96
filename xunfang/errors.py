"""Every error this project raises on purpose.

    XunfangError
    ├── BadInput              the person at the keyboard can mend it (exit code 2)
    │   ├── BadSettings         unknown key, bad value, missing secret
    │   ├── BadDialplan         YAML, schema, unreachable question, unspeakable phrase
    │   ├── BadLexicon          conflicting or malformed entry
    │   ├── BadScenario         harness personas and scenarios
    │   ├── Conflict            somebody else was first, or it is no longer in a state that allows it
    │   └── NotFound            no such elder, case, model, dialplan
    ├── ModelError            a recognition model is missing, broken or fails its self-test (exit code 3)
    ├── StorageError          database unreachable, wrong key, not migrated (exit code 4)
    ├── TrunkError            the SIP trunk refuses us or does not answer (exit code 5)
    ├── RecordingError        a recording cannot be written; the call goes on (exit code 6)
    └── LineDied              a line process ended without being asked to (exit code 7)

Each message says what is wrong and what to do, and never holds personal data:
names, numbers and what somebody said go only into masked log fields (xunfang.log).
"""

from __future__ import annotations

from typing import ClassVar


class XunfangError(Exception):
    """Root of the tree. `retryable`: the same step may succeed later, unchanged."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False


class BadInput(XunfangError):
    exit_code = 2


class BadSettings(BadInput):
    pass


class BadDialplan(BadInput):
    pass


class BadLexicon(BadInput):
    pass


class BadScenario(BadInput):
    pass


class Conflict(BadInput):
    pass


class NotFound(BadInput):
    pass


class ModelError(XunfangError):
    exit_code = 3


class StorageError(XunfangError):
    exit_code = 4
    retryable = True


class TrunkError(XunfangError):
    exit_code = 5
    retryable = True


class RecordingError(XunfangError):
    exit_code = 6
    retryable = True


class LineDied(XunfangError):
    exit_code = 7
    retryable = True
