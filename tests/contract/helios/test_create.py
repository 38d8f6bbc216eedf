"""POST /v1/models/mental-wellness."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import Organization
from apps.model_runs.models import ModelRun
from tests.conftest import MakeKey
from tests.contract.helios.calls import (
    RUNS,
    assert_invalid,
    body_with_user,
    create,
    minimal_body,
    post,
    read,
    without,
)

MISSING = "value_error.missing"


def stored(reply: dict[str, Any]) -> ModelRun:
    return ModelRun.objects.get(id=reply["id"])


def test_11_minimal_body_is_200_with_id_and_absolute_upload_url(api: Client) -> None:
    response = post(api, minimal_body())
    assert response.status_code == 200
    body = response.json()
    assert body.keys() == {"id", "recordingUploadUrl"}
    assert str(UUID(body["id"])) == body["id"]
    assert UUID(body["id"]).version == 4
    assert body["recordingUploadUrl"].startswith(f"{settings.HELIOS_PUBLIC_BASE_URL}/uploads/{body['id']}?")


def test_the_upload_url_never_follows_the_host_header(api: Client) -> None:
    response = post(api, minimal_body(), headers={"host": "localhost:1234"})
    assert urlsplit(response.json()["recordingUploadUrl"]).netloc == urlsplit(settings.HELIOS_PUBLIC_BASE_URL).netloc


def test_12_a_new_run_is_created_and_the_rest_null(api: Client) -> None:
    body = read(api, create(api)["id"])
    assert body["status"] == "CREATED"
    nulls = ("runAt", "completedAt", "results", "errorCode", "errorReason", "warnings")
    assert [body[name] for name in nulls] == [None] * 6


def test_13_missing_user(api: Client) -> None:
    assert_invalid(post(api, without(minimal_body(), "user")), ["body", "user"], MISSING)
    assert_invalid(post(api, minimal_body(user=None)), ["body", "user"], "type_error.none.not_allowed")
    assert_invalid(post(api, minimal_body(user=[])), ["body", "user"], "type_error.dict")


def test_14_missing_language(api: Client) -> None:
    assert_invalid(post(api, without(minimal_body(), "language")), ["body", "language"], MISSING)


def test_15_missing_user_label(api: Client) -> None:
    response = post(api, without(minimal_body(), "user", "userLabel"))
    assert_invalid(response, ["body", "user", "userLabel"], MISSING)
    assert response.json()["detail"][0]["msg"] == "field required"


def test_16_missing_date_of_birth(api: Client) -> None:
    response = post(api, without(minimal_body(), "user", "dateOfBirth"))
    assert_invalid(response, ["body", "user", "dateOfBirth"], MISSING)


def test_17_missing_birth_sex(api: Client) -> None:
    response = post(api, without(minimal_body(), "user", "birthSex"))
    assert_invalid(response, ["body", "user", "birthSex"], MISSING)


def test_18_user_label_of_50_characters_is_taken_and_51_refused(api: Client) -> None:
    label = "é" * 50
    assert read(api, create(api, body_with_user(userLabel=label))["id"])["userLabel"] == label
    response = post(api, body_with_user(userLabel="x" * 51))
    assert_invalid(response, ["body", "user", "userLabel"], "value_error.any_str.max_length")
    assert response.json()["detail"][0]["msg"] == "ensure this value has at most 50 characters"
    response = post(api, body_with_user(userLabel=""))
    assert_invalid(response, ["body", "user", "userLabel"], "value_error.any_str.min_length")


@pytest.mark.parametrize("label", [" ", "  padded\t", "<b>", "0", "\U0001f600", "a\nb"])
def test_user_label_is_kept_byte_for_byte(api: Client, label: str) -> None:
    assert read(api, create(api, body_with_user(userLabel=label))["id"])["userLabel"] == label


@pytest.mark.parametrize("sex", ["MALE", "FEMALE", "INTERSEX", "UNKNOWN"])
def test_19_each_birth_sex_is_taken(api: Client, sex: str) -> None:
    assert stored(create(api, body_with_user(birthSex=sex))).birth_sex == sex


@pytest.mark.parametrize("sex", ["male", "OTHER", "UNSPECIFIED", "", 5, ["MALE"], {"a": 1}, True])
def test_20_any_other_birth_sex_is_refused(api: Client, sex: Any) -> None:
    response = post(api, body_with_user(birthSex=sex))
    assert_invalid(response, ["body", "user", "birthSex"], "type_error.enum")
    assert "permitted: 'MALE', 'FEMALE', 'INTERSEX', 'UNKNOWN'" in response.json()["detail"][0]["msg"]


def test_21_dates_of_birth(api: Client) -> None:
    assert str(stored(create(api, body_with_user(dateOfBirth="1990-01-01"))).date_of_birth) == "1990-01-01"
    assert create(api, body_with_user(dateOfBirth=str(datetime.now(UTC).date())))
    wrong: Any
    for wrong in (
        "1990-13-01",
        "not-a-date",
        "1990-1-1",
        "1990-02-30",
        "19900101",
        "1990-01-01\n",
        "",
        "٢٠٢٠-01-01",
        0,
        [],
    ):
        response = post(api, body_with_user(dateOfBirth=wrong))
        assert_invalid(response, ["body", "user", "dateOfBirth"], "value_error.date")


def test_a_date_of_birth_in_the_future_is_refused(api: Client) -> None:
    tomorrow = str(datetime.now(UTC).date() + timedelta(days=1))
    assert_invalid(post(api, body_with_user(dateOfBirth=tomorrow)), ["body", "user", "dateOfBirth"], "value_error")


def test_22_languages(api: Client) -> None:
    for language in settings.HELIOS_LANGUAGES:
        assert stored(create(api, minimal_body(language=language))).language == language
    for wrong in ("xx-XX", "en-gb", "en", "", 1):
        assert_invalid(post(api, minimal_body(language=wrong)), ["body", "language"], "type_error.enum")


def test_23_local_times_without_offset(api: Client) -> None:
    run = stored(create(api, minimal_body(sleepTime="2026-01-05T23:10:00", wakeTime="2026-01-06 07:00")))
    assert (run.sleep_time, run.wake_time) == ("2026-01-05T23:10:00", "2026-01-06 07:00")
    run = stored(create(api, minimal_body(sleepTime="2026-01-05T23:10:00+09:00", wakeTime="2026-01-06T07:00:00.5Z")))
    assert (run.sleep_time, run.wake_time) == ("2026-01-05T23:10:00", "2026-01-06T07:00:00.5")
    wrong: Any
    for wrong in ("2026-01-05", "23:10", "2026-01-05T24:00:00", "2026-02-29T10:00", "yesterday", 1767654600, {}):
        assert_invalid(post(api, minimal_body(sleepTime=wrong)), ["body", "sleepTime"], "value_error.datetime")


def test_recording_time_by_each_of_its_names_the_first_present_winning(api: Client) -> None:
    for name in ("recordingTime", "recordedAt", "recordingDateTime"):
        run = stored(create(api, minimal_body(**{name: "2026-01-05T23:10:00"})))
        assert run.recording_time == "2026-01-05T23:10:00"
        assert_invalid(post(api, minimal_body(**{name: "x"})), ["body", name], "value_error.datetime")
    both = minimal_body(recordingDateTime="2026-01-02T00:00", recordedAt="2026-01-01T00:00", recordingTime=None)
    assert stored(create(api, both)).recording_time == "2026-01-01T00:00"


def test_24_optional_fields_may_be_left_out_or_null(api: Client) -> None:
    assert read(api, create(api)["id"])["deleteData"] is False
    optional = ("accent", "sleepTime", "wakeTime", "recordingTime", "tags", "deleteData", "dataToDelete", "patientId")
    run = stored(create(api, minimal_body(**dict.fromkeys(optional))))
    assert (run.accent, run.sleep_time, run.tags, run.delete_data, run.data_to_delete) == (None, None, [], False, [])


def test_25_twenty_tags_are_taken_and_21_refused(api: Client) -> None:
    tags = [{"name": f"tag {number}", "value": "v"} for number in range(21)]
    body = read(api, create(api, minimal_body(tags=tags[:20]))["id"])
    assert body["extensions"]["tags"] == tags[:20]
    response = post(api, minimal_body(tags=tags))
    assert_invalid(response, ["body", "tags"], "value_error.list.max_items")
    assert response.json()["detail"][0]["msg"] == "ensure this value has at most 20 items"


def test_26_two_tags_of_one_name_are_refused(api: Client) -> None:
    tags = [{"name": "site", "value": "north"}, {"name": "site", "value": "south"}]
    assert_invalid(post(api, minimal_body(tags=tags)), ["body", "tags"], "value_error")
    assert create(api, minimal_body(tags=[{"name": "site"}, {"name": "Site"}]))


def test_tag_values_default_to_empty_and_have_bounds(api: Client) -> None:
    tags = [{"name": "a"}, {"name": "b", "value": None}, {"name": "c" * 255, "value": "v" * 255}]
    assert [tag["value"] for tag in stored(create(api, minimal_body(tags=tags))).tags] == ["", "", "v" * 255]
    for tag, place, kind in (
        ({"name": ""}, ["name"], "value_error.any_str.min_length"),
        ({"name": "c" * 256}, ["name"], "value_error.any_str.max_length"),
        ({"name": "c", "value": "v" * 256}, ["value"], "value_error.any_str.max_length"),
        ({"name": []}, ["name"], "type_error.str"),
        ({}, ["name"], MISSING),
        ("c", [], "type_error.dict"),
    ):
        assert_invalid(post(api, minimal_body(tags=[{"name": "x"}, tag])), ["body", "tags", 1, *place], kind)
    assert_invalid(post(api, minimal_body(tags={"name": "a"})), ["body", "tags"], "type_error.list")


def test_27_delete_data_reads_back(api: Client) -> None:
    assert read(api, create(api, minimal_body(deleteData=True))["id"])["deleteData"] is True


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        *[(sent, True) for sent in ("true", "YES", "on", 1, "1", 1.0)],
        *[(sent, False) for sent in ("false", "No", "off", 0, "0", "f")],
    ],
)
def test_booleans_are_coerced(api: Client, sent: Any, meant: bool) -> None:
    assert read(api, create(api, minimal_body(deleteData=sent))["id"])["deleteData"] is meant


@pytest.mark.parametrize("sent", ["maybe", "", 2, -1, [], {}, 0.5])
def test_what_is_no_boolean_is_refused(api: Client, sent: Any) -> None:
    assert_invalid(post(api, minimal_body(deleteData=sent)), ["body", "deleteData"], "type_error.bool")


def test_data_to_delete_by_each_of_its_names(api: Client) -> None:
    for name in ("dataToDelete", "data_to_delete"):
        body = minimal_body(deleteData=True, **{name: ["RESULTS", "INPUTS", "RESULTS"]})
        assert stored(create(api, body)).data_to_delete == ["RESULTS", "INPUTS"]
        response = post(api, minimal_body(deleteData=True, **{name: ["INPUTS", "ALL"]}))
        assert_invalid(response, ["body", name, 1], "type_error.enum")
    assert_invalid(post(api, minimal_body(dataToDelete="RESULTS")), ["body", "dataToDelete"], "type_error.list")
    assert stored(create(api, minimal_body(dataToDelete=["RESULTS"]))).data_to_delete == []


def test_28_unknown_keys_are_ignored(api: Client) -> None:
    body = body_with_user(nickname="x") | {"foo": {"bar": [1]}, "recording_time": "x"}
    assert create(api, body)


def test_an_unknown_patient_is_refused(api: Client) -> None:
    for patient in ("481926357104938271", "", 5):
        assert_invalid(post(api, minimal_body(patientId=patient)), ["body", "patientId"], "value_error")
    assert not ModelRun.objects.exists()


MALFORMED = [
    *("{", "{'a': 1}", "[1,", "nul", "{}{}", " "),
    *('{"a": NaN}', '{"a": Infinity}', '{"a": 1e999}', '{"a": ' + "1" * 5000 + "}"),
    "[" * 100_000,
    *(b"\xff\xfe", b'"\x80"'),
]


@pytest.mark.parametrize("raw", MALFORMED, ids=range(len(MALFORMED)))
def test_29_malformed_json_is_422(api: Client, raw: str | bytes) -> None:
    response = post(api, raw)
    assert response.status_code == 422
    entry = response.json()["detail"][0]
    assert (entry["loc"][0], entry["type"]) == ("body", "value_error.jsondecode")
    assert isinstance(entry["loc"][1], int)
    assert len(response.content) < 300
    assert not ModelRun.objects.exists()


def test_the_position_of_malformed_json_is_named(api: Client) -> None:
    assert_invalid(post(api, '{"user": }'), ["body", 9], "value_error.jsondecode")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [("", MISSING), ("null", "type_error.none.not_allowed"), *[(raw, "type_error.dict") for raw in ("[]", '"x"', "5")]],
)
def test_a_body_that_is_no_object_is_refused(api: Client, raw: str, kind: str) -> None:
    assert_invalid(post(api, raw), ["body"], kind)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json", ""],
)
def test_json_types_and_none_at_all_are_parsed(api: Client, content_type: str) -> None:
    assert post(api, minimal_body(), content_type=content_type).status_code == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
)
def test_other_types_are_no_dict(api: Client, content_type: str) -> None:
    assert_invalid(post(api, minimal_body(), content_type=content_type), ["body"], "type_error.dict")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_every_unicode_encoding_is_read(api: Client, encoding: str) -> None:
    raw = json.dumps(body_with_user(userLabel="Zoë"), ensure_ascii=False).encode(encoding)
    response = post(api, raw)
    assert read(api, response.json()["id"])["userLabel"] == "Zoë"


class _Unread:
    """A body of any length that counts what is read of it."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        return b" " * size

    readline = read


def test_ten_megabytes_of_json_are_refused_unread(api: Client) -> None:
    body = _Unread()
    environ: dict[str, Any] = {"wsgi.input": body, "CONTENT_LENGTH": str(10_000_000)}
    assert_invalid(post(api, "", **environ), ["body"], "value_error")
    assert body.taken == 0


def test_duplicate_keys_the_last_wins(api: Client) -> None:
    raw = json.dumps(minimal_body())[:-1] + ', "deleteData": true, "deleteData": false}'
    assert read(api, post(api, raw).json()["id"])["deleteData"] is False


def test_30_a_legacy_accent_is_kept(api: Client) -> None:
    assert stored(create(api, minimal_body(accent="en-IE"))).accent == "en-IE"


@pytest.mark.parametrize(("sent", "text"), [(5, "5"), (1.5, "1.5"), (True, "True"), (-0.0, "-0.0")])
def test_numbers_become_their_text(api: Client, sent: Any, text: str) -> None:
    assert read(api, create(api, body_with_user(userLabel=sent))["id"])["userLabel"] == text


def test_31_equal_bodies_make_different_runs(api: Client) -> None:
    assert create(api)["id"] != create(api)["id"]
    assert ModelRun.objects.count() == 2


@pytest.mark.parametrize("bad", ["\ud800", "a\x00b", "x" * 1_000_000])
def test_88_unstorable_text_is_422_everywhere(api: Client, bad: str) -> None:
    bodies = [
        body_with_user(userLabel=bad), body_with_user(birthSex=bad), body_with_user(dateOfBirth=bad),
        minimal_body(language=bad), minimal_body(accent=bad), minimal_body(sleepTime=bad),
        minimal_body(tags=[{"name": bad}]), minimal_body(tags=[{"name": "a", "value": bad}]),
        minimal_body(dataToDelete=[bad], deleteData=True), minimal_body(deleteData=bad), minimal_body(patientId=bad),
    ]  # fmt: skip
    for body in bodies:
        response = post(api, body)
        assert response.status_code == 422, (response.status_code, next(iter(body)))
        assert len(response.content) < 400
    assert not ModelRun.objects.exists()
    for query in ("userLabel=%00", "tag=%00", "tag=a:%00", "status=%00", "cursor=%00", "createdFrom=%00", "limit=%00"):
        response = api.get(f"{RUNS}?{query}")
        assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, ["query", query.split("=")[0]])
    assert api.get(f"{RUNS}?userLabel={'x' * 1_000_000}").status_code == 422


def test_no_error_repeats_what_was_sent(api: Client) -> None:
    secret = "Mary-Poppins-1910-08-24"
    bodies = [
        body_with_user(userLabel=secret * 3, dateOfBirth=secret, birthSex=secret),
        minimal_body(language=secret, sleepTime=secret, deleteData=secret, tags=[{"name": [secret]}], patientId=secret),
        secret,
        json.dumps(secret),
        '{"user": ' + secret,
    ]
    for body in bodies:
        response = post(api, body)
        assert response.status_code == 422
        assert secret.encode() not in response.content
    assert secret.encode() not in api.get(f"{RUNS}?cursor={secret}&limit={secret}").content
    assert secret.encode() not in api.get(f"{RUNS}?status={secret}&createdTo={secret}").content
    assert secret.encode() not in api.get(f"{RUNS}/{secret}").content


def test_94_lenient_organisations_may_send_odd_users(
    api: Client, organization: Organization, make_key: MakeKey
) -> None:
    assert post(api, body_with_user(birthSex="OTHER")).status_code == 422

    organization.helios_lenient_user = True
    organization.save()
    body = read(api, create(api, body_with_user(birthSex="OTHER"))["id"])
    assert body["warnings"] == ["birthSex was not one of the known values and was read as UNKNOWN."]
    run = ModelRun.objects.get(id=body["id"])
    assert run.birth_sex == "UNKNOWN"

    bare = without(without(minimal_body(), "user", "birthSex"), "user", "dateOfBirth")
    run = stored(create(api, bare))
    assert (run.birth_sex, run.date_of_birth, len(run.warnings)) == ("UNKNOWN", None, 2)
    assert stored(create(api)).warnings == []
    assert_invalid(post(api, body_with_user(dateOfBirth="x")), ["body", "user", "dateOfBirth"], "value_error.date")
    assert_invalid(post(api, without(minimal_body(), "user", "userLabel")), ["body", "user", "userLabel"], MISSING)
