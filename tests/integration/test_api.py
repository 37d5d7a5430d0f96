"""/api/v1: who may ask, pages, versions, requests done once, and that nothing personal slips out."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from api_kit import Api, a_token, api
from web_kit import Desk, count_queries

from web.api import describe
from web.security import tokens
from web.security.tokens import Scope
from xunfang.vocabulary import CaseStatus

pytestmark = pytest.mark.integration


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["detail"]
    return body


# ---- who may ask ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "xf_wrong", "xf_" + "a" * 43])
def test_without_a_valid_token_nothing_is_told_not_even_what_there_is(shared_desk: Desk, token: str) -> None:
    stranger = Api(shared_desk, token)
    for path in ("/elders", "/elders/1", "/openapi.json", "/nothing", "/calls/1/recording"):
        answer = stranger.get(path)
        assert problem(answer, 401)["code"] == "unauthorized"
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_session_of_the_console_is_no_token(shared_desk: Desk) -> None:
    assert shared_desk.admin.get("/api/v1/elders").status_code == 401


def test_a_revoked_and_an_expired_token_end_at_once(desk: Desk) -> None:
    token, secret = a_token(desk, "elders:read", days=1)
    client = Api(desk, secret)
    assert client.get("/elders").status_code == 200
    desk.clock.move(timedelta(days=1))
    problem(client.get("/elders"), 401)
    other, secret = a_token(desk, "elders:read", name="other")
    client = Api(desk, secret)
    assert client.get("/elders").status_code == 200
    with desk.store.begin() as work:
        tokens.revoke(work, desk.clock.now(), "user:admin", other)
    problem(client.get("/elders"), 401)
    with desk.store.read() as work:
        kinds = [each.kind for each in work.audit.of(f"token:{other.id}")]
        used = work.api_tokens.get(token.id)
    assert kinds == ["token.added", "token.revoked"]
    assert used is not None
    assert used.last_used_at == desk.clock.now() - timedelta(days=1)


def test_only_a_hash_of_the_token_is_stored(desk: Desk) -> None:
    token, secret = a_token(desk, "admin")
    assert secret not in repr(token)
    assert token.token_hash == tokens.token_hash(secret)
    assert secret.endswith(token.hint)


def test_every_operation_needs_exactly_its_scope(desk: Desk) -> None:
    """Each is asked with all other scopes: 403 names the one that is missing."""
    paths: dict[str, Any] = describe()["paths"]
    operations = [(path, method, each) for path, methods in paths.items() for method, each in methods.items()]
    assert len(operations) > 25
    clients = {}
    for missing in {each["x-required-scope"] for _, _, each in operations}:
        others = [each.value for each in Scope if each.value not in (missing, "admin")]
        clients[missing] = api(desk, *others, name=f"no-{missing.replace(':', '-')}")
    for path, method, operation in operations:
        scope = operation["x-required-scope"]
        url = path.replace("{id}", "1").replace("{code}", "heat")
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        body = _example(schema.get("schema"), describe()["components"]["schemas"])
        answer = clients[scope].request(method, url, json=body, headers={"If-Match": "*"})
        assert scope in problem(answer, 403)["detail"], f"{method} {path}"


def _example(schema: dict[str, Any] | None, known: dict[str, Any]) -> Any:
    """Something that passes: the required fields of an input."""
    if schema is None:
        return None
    if "$ref" in schema:
        schema = known[schema["$ref"].rsplit("/", 1)[1]]
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("type") == "object":
        return {name: _example(schema["properties"][name], known) for name in schema.get("required", ())}
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind == "string":
        return (
            "2026-12-01"
            if schema.get("format") == "date"
            else "220100101001"
            if "[0-9]{12}" in schema.get("pattern", "")
            else "词"
        )
    return {"integer": 1, "boolean": True}.get(str(kind))


def test_a_token_of_an_area_sees_only_that_area(desk: Desk) -> None:
    cast = desk.cast
    client = api(desk, area_id=cast.township)
    assert {each["id"] for each in client.get("/elders").json()["items"]} == {cast.elder, cast.quiet_elder}
    for path in (
        f"/elders/{cast.far_elder}",
        f"/elders/{cast.far_elder}/consents",
        f"/elders/{cast.far_elder}/form.docx",
        f"/calls/{cast.far_call}",
        f"/calls/{cast.far_call}/turns",
        f"/calls/{cast.far_call}/recording",
        f"/cases/{cast.far_case}",
        f"/cases/{cast.far_case}/history",
        f"/calls?elder_id={cast.far_elder}",
        "/elders?area=220100202000",
        "/reports/indicators?area=220100202000",
    ):
        problem(client.get(path), 404)
    problem(client.post(f"/cases/{cast.far_case}/steps", json={"step": "close", "note": "x"}), 404)
    problem(client.post(f"/calls/{cast.far_call}/verdicts", json={"turn": 2, "verdict": "confirmed"}), 404)
    assert {each["elder_id"] for each in client.get("/calls").json()["items"]} == {
        cast.elder,
        cast.quiet_elder,
    }
    assert [each["id"] for each in client.get("/cases").json()["items"]] == [cast.case]
    found = client.post("/search/elders", json={"phone": "13812340003"}).json()
    assert found["items"] == []
    moved = {"area_code": "220100202001"}
    problem(client.patch(f"/elders/{cast.elder}", json=moved, headers={"If-Match": "*"}), 404)


def test_more_than_so_many_requests_a_minute_are_refused_with_when_to_come_again(desk: Desk) -> None:
    desk.config = type(desk.config)(desk.config.deadlines, desk.config.recordings, api_per_minute=3)
    client, other = api(desk), api(desk, name="other")
    assert [client.get("/fleet").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client.get("/fleet")
    problem(answer, 429)
    assert answer.headers["retry-after"] == "20"
    assert other.get("/fleet").status_code == 200
    desk.clock.move(timedelta(seconds=20))
    assert client.get("/fleet").status_code == 200


# ---- reading -------------------------------------------------------------------------------------------


def test_numbers_are_masked_and_revealing_is_a_scope_and_audited(desk: Desk) -> None:
    elder_id = desk.cast.elder
    plain, revealing = api(desk, "elders:read"), api(desk, "elders:read", "elders:reveal", name="reveal")
    assert plain.get(f"/elders/{elder_id}").json()["phone"] == "138****0001"
    assert "13812340001" not in plain.get("/elders").text
    problem(plain.get(f"/elders/{elder_id}?reveal=true"), 403)
    problem(api(desk, "admin", name="admin").get(f"/elders/{elder_id}?reveal=true"), 403)
    assert revealing.get(f"/elders/{elder_id}").json()["phone"] == "138****0001"
    assert revealing.get(f"/elders/{elder_id}?reveal=true").json()["phone"] == "13812340001"
    with desk.store.read() as work:
        seen = [(each.actor, each.kind) for each in work.audit.of(f"elder:{elder_id}")]
    assert seen == [("user:api:reveal", "number.revealed")]


def test_an_elder_is_found_by_number_without_the_number_in_the_address(shared_desk: Desk) -> None:
    client = api(shared_desk, name="search")
    found = client.post("/search/elders", json={"phone": "+86 138 1234 0001"}).json()["items"]
    assert [each["id"] for each in found] == [shared_desk.cast.elder]
    problem(client.post("/search/elders", json={}), 400)
    parameters = [each["name"] for methods in describe()["paths"].values() for operation in methods.values()
                  for each in operation.get("parameters", ())]  # fmt: skip
    assert not {"phone", "id_card", "name"} & set(parameters)


def test_pages_go_through_every_row_once_with_a_constant_number_of_questions(desk: Desk) -> None:
    client = api(desk)
    seen: list[int] = []
    cursor, numbers = "", set()
    while cursor is not None:
        with count_queries(desk.store) as counted:
            page = client.get("/calls", params={"limit": 1, "cursor": cursor}).json()
        numbers.add(counted.number)
        seen += [each["id"] for each in page["items"]]
        cursor = page["next"]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 4
    with count_queries(desk.store) as counted:
        client.get("/calls")
    assert counted.number <= max(numbers)
    first = client.get("/calls?limit=1").json()["next"]
    problem(client.get(f"/calls?cursor={first}x"), 400)
    problem(client.get(f"/records?cursor={first}"), 400)  # of another list


def test_a_call_is_told_with_its_turns_and_its_flag_is_in_the_queue(desk: Desk) -> None:
    client, cast = api(desk), desk.cast
    talk = client.get(f"/calls/{cast.call}/turns").json()
    assert [each["alert"] for each in talk["turns"]] == ["none", "urgent", "none"]
    assert talk["call"]["disposition_zh"]
    assert client.get("/calls?alert=urgent").json()["items"][0]["id"] == cast.call
    problem(client.get("/calls?alert=nonsense"), 422)
    problem(client.get("/calls?since=2026-11-01T00:00:00"), 422)  # no time zone
    told = problem(client.get("/calls?eldr_id=1"), 422)  # misspelt: not the whole county
    assert told["errors"] == [{"field": "query.eldr_id", "text": "没有这个参数"}]


def test_a_recording_is_played_by_ranges_and_every_playing_is_audited(desk: Desk) -> None:
    client, cast = api(desk), desk.cast
    problem(client.get(f"/calls/{cast.call}/recording"), 404)
    import wave

    file = desk.config.recordings / "2026/11/a.wav"
    file.parent.mkdir(parents=True)
    with wave.open(str(file), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(b"\0" * 32000)
    part = client.get(f"/calls/{cast.call}/recording", headers={"Range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert len(client.get(f"/calls/{cast.call}/recording").content) == 32044
    with desk.store.read() as work:
        played = [each for each in work.audit.of(f"call:{cast.call}") if each.kind == "recording.played"]
    assert [each.actor for each in played] == ["user:api:county-desk"] * 2


def test_the_month_is_counted_with_what_its_numbers_mean(shared_desk: Desk) -> None:
    told = api(shared_desk, name="reports").get("/reports/indicators?month=2026-11").json()
    assert told["month"] == "2026-11"
    keys = {each["key"] for each in told["definitions"]}
    assert set(told["areas"][0]["counts"]) <= keys
    assert "visit_rate" in told["areas"][0]["rates"]


def test_the_form_is_a_word_file_and_audited(desk: Desk) -> None:
    answer = api(desk).get(f"/elders/{desk.cast.elder}/form.docx")
    assert answer.content.startswith(b"PK")
    with desk.store.read() as work:
        assert [each.kind for each in work.audit.of(f"elder:{desk.cast.elder}")] == ["form.made"]


# ---- writing -------------------------------------------------------------------------------------------

NEW = {"name": "孙桂英", "sex": "F", "phone": "138 1234 0099", "area_code": "220100101001"}


def test_an_elder_is_added_once_however_often_it_is_sent(desk: Desk) -> None:
    client = api(desk)
    headers = {"Idempotency-Key": "one"}
    first = client.post("/elders", json=NEW, headers=headers)
    again = client.post("/elders", json=NEW, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert first.json()["phone"] == "138****0099"
    problem(client.post("/elders", json=NEW | {"name": "别人"}, headers=headers), 422)
    problem(client.post("/elders", json=NEW), 409)  # the same name and number
    desk.clock.move(timedelta(days=1, seconds=1))
    problem(client.post("/elders", json=NEW, headers=headers), 409)  # the key is forgotten, the elder is not
    with desk.store.read() as work:
        assert len(work.elders.find_by_phone("13812340099")) == 1


def test_a_request_that_failed_may_be_mended_under_the_same_key(desk: Desk) -> None:
    client, headers = api(desk), {"Idempotency-Key": "k"}
    problem(client.post("/elders", json=NEW | {"area_code": "999999999999"}, headers=headers), 404)
    assert client.post("/elders", json=NEW, headers=headers).status_code == 201


def test_of_two_who_change_an_elder_the_second_is_told(desk: Desk) -> None:
    client, path = api(desk), f"/elders/{desk.cast.elder}"
    seen = client.get(path).headers["etag"]
    problem(client.patch(path, json={"address": "五组"}), 428)
    done = client.patch(path, json={"phone": "13812340088"}, headers={"If-Match": seen})
    assert done.json()["phone"] == "138****0088"
    lost = client.patch(path, json={"address": "五组"}, headers={"If-Match": seen})
    assert problem(lost, 412)["code"] == "precondition_failed"
    assert lost.headers["etag"] == done.headers["etag"] != seen
    with desk.store.read() as work:
        (entry,) = work.audit.of(f"elder:{desk.cast.elder}")
        elder = work.elders.get(desk.cast.elder)
    assert entry.detail == {"by": "api", "fields": {"电话": "已修改"}}
    assert elder is not None
    assert elder.phone == "13812340088"


def test_wrong_fields_are_named_and_not_repeated(shared_desk: Desk) -> None:
    client = api(shared_desk, name="wrong")
    answer = client.post("/elders", json=NEW | {"phone": "13812", "id_card": "110105194912310021", "x": 1})
    told = problem(answer, 422)
    assert {each["field"] for each in told["errors"]} == {"body.id_card", "body.x"}
    assert "110105194912310021" not in answer.text
    problem(client.post("/elders", content=b"{", headers={"Content-Type": "application/json"}), 422)


def test_a_pause_has_an_end_and_consents_are_only_added(desk: Desk) -> None:
    client, path = api(desk), f"/elders/{desk.cast.elder}"
    problem(client.post(f"{path}/resume"), 409)
    problem(client.post(f"{path}/pause", json={"until": "2020-01-01", "reason": "住院"}), 400)
    paused = client.post(f"{path}/pause", json={"until": "2026-12-31", "reason": "住院"}).json()
    assert (paused["paused_until"], paused["pause_reason"]) == ("2026-12-31", "住院")
    assert client.post(f"{path}/resume").json()["paused_until"] is None
    word = {"purpose": "recording", "granted": True, "source": "paper"}
    assert client.post(f"{path}/consents", json=word).status_code == 201
    problem(client.post(f"{path}/consents", json=word), 409)
    assert client.post(f"{path}/consents", json=word | {"granted": False}).status_code == 201
    assert [each["granted"] for each in client.get(f"{path}/consents").json()["items"]] == [True, False]


def test_a_case_goes_through_its_life_and_the_loser_is_told_who_was_first(desk: Desk) -> None:
    client, path = api(desk), f"/cases/{desk.cast.case}"
    case = client.get(path)
    assert case.json()["status"] == "assigned"
    steps = f"{path}/steps"
    done = client.post(steps, json={"step": "accept"}, headers={"If-Match": case.headers["etag"]})
    assert done.json()["status"] == "accepted"
    problem(client.post(steps, json={"step": "start"}, headers={"If-Match": case.headers["etag"]}), 412)
    problem(client.post(steps, json={"step": "close", "note": " "}), 400)
    for step in ("start", "visited"):
        assert client.post(steps, json={"step": step}).status_code == 200
    closed = client.post(steps, json={"step": "close", "note": "已送医"}, headers={"Idempotency-Key": "c"})
    assert closed.json()["status"] == CaseStatus.CLOSED
    assert closed.json()["may"] == []
    lost = problem(client.post(steps, json={"step": "close", "note": "又一次"}), 409)
    assert "county-desk" in lost["detail"]
    replayed = client.post(steps, json={"step": "close", "note": "已送医"}, headers={"Idempotency-Key": "c"})
    assert replayed.json() == closed.json()
    told = client.get(f"{path}/history").json()["items"]
    assert [each["kind"] for each in told][-4:] == ["case.accept", "case.start", "case.visited", "case.close"]
    assert all(each["text"] for each in told)
    assert [each["id"] for each in client.get("/cases?tab=closed").json()["items"]] == [desk.cast.case]


def test_a_supervisor_s_word_through_the_api_is_the_same_as_on_the_page(desk: Desk) -> None:
    client, cast = api(desk), desk.cast
    path = f"/calls/{cast.call}/verdicts"
    problem(client.post(path, json={"turn": 2, "verdict": "false_alarm"}), 400)
    problem(client.post(path, json={"turn": 9, "verdict": "confirmed"}), 404)
    judged = client.post(path, json={"turn": 2, "verdict": "confirmed"}).json()
    assert judged["verdict"]["by"] == "user:api:county-desk"
    assert judged["case_id"] == cast.case
    talk = client.get(f"/calls/{cast.call}/turns").json()
    assert talk["turns"][1]["verdict"]["verdict"] == "confirmed"
    wrong = {"question": "health", "answer": "nonsense", "why": "听错了"}
    problem(client.post(f"/calls/{cast.call}/corrections", json=wrong), 400)


def test_a_campaign_is_made_and_ended(desk: Desk) -> None:
    client = api(desk)
    new = {
        "code": "cold-2026-12",
        "name": "寒潮",
        "kind": "cold",
        "starts": "2026-12-01",
        "ends": "2026-12-07",
        "area_codes": ["220100101000"],
    }
    made = client.post("/campaigns", json=new)
    assert (made.status_code, made.json()["area_codes"]) == (201, ["220100101000"])
    problem(client.post("/campaigns", json=new), 409)
    problem(client.post("/campaigns", json=new | {"code": "c2", "ends": "2026-11-01"}), 400)
    far = api(desk, name="far", area_id=desk.cast.far_township)
    problem(far.post("/campaigns/cold-2026-12/end"), 404)
    problem(far.post("/campaigns", json=new | {"code": "all", "area_codes": []}), 400)
    assert client.post("/campaigns/cold-2026-12/end").json()["ended_at"] is not None
    assert client.get("/campaigns").json()["items"][0]["code"] == "cold-2026-12"


def test_plans_records_reviews_and_the_fleet_are_lists(desk: Desk) -> None:
    client = api(desk)
    plans = client.get("/plans?status=escalated").json()["items"]
    assert [each["elder_id"] for each in plans] == [desk.cast.far_elder]
    assert client.get(f"/plans/{plans[0]['id']}").json() == plans[0]
    assert client.get("/records").json() == {"items": [], "next": None}
    assert client.get("/reviews").json()["next"] is None
    assert client.get("/fleet").json()["diallers"] == []
    problem(client.get("/plans/99999"), 404)


def test_the_description_in_docs_is_what_the_program_serves(shared_desk: Desk) -> None:
    from pathlib import Path

    served = api(shared_desk, name="docs").get("/openapi.json").json()
    kept = Path(__file__).parents[2] / "docs" / "openapi.json"
    assert json.loads(kept.read_text("utf-8")) == served, "run `xunfang docs`"
