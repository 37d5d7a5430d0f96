"""schemathesis over the description of the API: whatever is sent, no 5xx, and every answer is as described.

A few examples of every operation here; deeper with XUNFANG_API_EXAMPLES=200 in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from api_kit import EVERYTHING, a_token
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from web_kit import Cast, opened

from web.api import PREFIX, describe

pytestmark = pytest.mark.integration
EXAMPLES = int(os.environ.get("XUNFANG_API_EXAMPLES", "4"))
DEEP = 20
STORED_IDS = 5  # most numbers are asked for among these, so that there is something
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
schema = schemathesis.openapi.from_dict(describe())
schema.config.phases.coverage.enabled = EXAMPLES >= DEEP  # every boundary of every field: a minute


@pytest.fixture(scope="module")
def fuzzed(seeded: tuple[Path, Cast], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a call of schemathesis is made with: the app over a county, and a token that may do everything."""
    with opened(seeded, tmp_path_factory.mktemp("fuzzed")) as desk:
        desk.config = replace(desk.config, api_per_minute=10**6)
        secret = a_token(desk, *EVERYTHING)[1]
        with asgi.get_client(desk.app) as session:
            yield {
                "app": desk.app,
                "session": session,
                "base_url": f"http://{asgi.HOST}{PREFIX}",
                "headers": {"Authorization": f"Bearer {secret}"},
            }


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_input_breaks_the_api(case: Any, fuzzed: dict[str, Any]) -> None:
    number = (case.path_parameters or {}).get("id")
    if isinstance(number, int) and number > 0:
        case.path_parameters["id"] = number % STORED_IDS + 1
    case.call_and_validate(checks=CHECKS, **fuzzed)
