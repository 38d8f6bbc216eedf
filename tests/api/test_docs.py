"""`/openapi.json` and `/api-reference`."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.conftest import MakeKey

LIMIT_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
IMPORT = "/ext-api/v1/import"  # whose reply is not kept
PATHS = ("/openapi.json", "/api-reference", "/api-reference/swagger-ui-bundle.js")


@pytest.fixture
def description() -> Any:
    return Client().get("/openapi.json").json()


def test_every_operation_says_how_it_can_fail(description: Any) -> None:
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            responses = set(operation["responses"])
            if path.startswith("/v1/"):
                assert {"200", "401", "403", "405", "429", "500"} <= responses
                assert operation["security"] == [{"apiKey": []}]
                headers = operation["responses"]["200"]["headers"]
                assert set(headers) == {*LIMIT_HEADERS, *(["Idempotent-Replayed"] if method == "post" else [])}
            elif path.startswith("/api/v1/ext-api-keys"):
                is_open = path.endswith("/report-leak")
                assert {"400", "405", "429", "500"} <= responses
                assert is_open or {"401", "403"} <= responses
                assert operation["security"] == ([] if is_open else [{"session": []}])
                assert {"404"} <= responses or "{" not in path
            elif path.startswith("/ext-api/v1/"):
                assert {"401", "403", "405", "429", "500"} <= responses
                assert operation["security"] == [{"apiKey": []}]
                [good] = responses & {"200", "201", "202"}
                headers = operation["responses"][good]["headers"]
                is_kept = method == "post" and path != IMPORT
                assert set(headers) == {*LIMIT_HEADERS, *(["Idempotent-Replayed"] if is_kept else [])}
            elif path.startswith("/fhir/"):
                is_open = path.startswith(("/fhir/metadata", "/fhir/CodeSystem/"))
                assert method == "get"
                assert {"200", "405", "429", "500"} <= responses
                assert is_open or {"401", "403"} <= responses
                assert operation["security"] == ([] if is_open else [{"apiKey": []}])
                assert set(operation["responses"]["200"]["headers"]) == {*LIMIT_HEADERS}
                assert set(operation["responses"]["200"]["content"]) == {"application/fhir+json"}
            else:
                by_link = {"200", "403", "404"}
                assert by_link | ({"409", "411", "413"} if method == "put" else {"405"}) <= responses
                assert operation["security"] == []
            assert operation["summary"]


def test_every_post_of_a_known_caller_takes_an_idempotency_key(description: Any) -> None:
    takers = set()
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            names = [parameter["name"] for parameter in operation.get("parameters", ())]
            if "Idempotency-Key" in names:
                takers.add(path)
                assert {"409", "422"} <= set(operation["responses"])
            assert ("Idempotency-Key" in names) == (method == "post" and not path.endswith(("/report-leak", IMPORT)))
    assert {"/v1/models/mental-wellness", "/v1/webhooks", "/api/v1/ext-api-keys"} < takers


def test_every_reference_resolves(description: Any) -> None:
    references = set(re.findall(r'"\$ref": "(#/[^"]+)"', json.dumps(description)))
    assert len(references) > 15
    for reference in references:
        place: Any = description
        for part in reference[2:].split("/"):
            place = place[part]
        assert place


def test_what_is_not_built_is_not_described(description: Any) -> None:
    named = (*description["paths"], *description["components"]["schemas"])
    text = " ".join(named).lower()
    for word in ("apollo", "browse"):
        assert word not in text


def test_operation_ids_differ(description: Any) -> None:
    ids = [operation["operationId"] for path in description["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


def test_the_reference_page_needs_nothing_from_elsewhere_and_no_inline_script() -> None:
    response = Client().get("/api-reference")
    page = response.content.decode()
    assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", page) == []
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert "/openapi.json" in addresses
    assert all(address.startswith(("/", "data:")) for address in addresses)
    assert "script-src 'self'" in response["Content-Security-Policy"]


def test_the_page_with_all_that_it_loads_weighs_less_than_600_kb() -> None:
    client = Client(headers={"accept-encoding": "gzip"})
    page = client.get("/api-reference").content
    total = len(page)
    addresses = re.findall(r'(?:src|href)="(/api-reference/[^"]+)"', page.decode())
    modules = re.findall(r'from "\./([^"]+)"', Client().get("/api-reference/start.js").content.decode())
    assert len(modules) >= 3
    for address in ("/openapi.json", *addresses, *(f"/api-reference/{name}" for name in modules)):
        response = client.get(address)
        assert (response.status_code, response["Content-Encoding"]) == (200, "gzip")
        total += len(response.content)
        plain = Client().get(address)
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(response.content) == plain.content
    assert 100_000 < total < 600_000


def test_what_a_browser_has_is_not_sent_again() -> None:
    for path in ("/openapi.json", "/api-reference/start.js"):
        response = Client().get(path)
        again = Client().get(path, headers={"if-none-match": response["ETag"], "accept-encoding": "gzip"})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", response["ETag"])
        assert (again["Cache-Control"], again["Vary"]) == ("private, no-cache", response["Vary"])
        assert Client().get(path, headers={"if-none-match": '"another"'}).status_code == 200


def test_every_process_describes_operations_in_the_same_order(description: Any) -> None:
    """Otherwise each would have an ETag of its own."""
    methods = ["get", "post", "put", "patch", "delete"]
    for operations in description["paths"].values():
        assert list(operations) == sorted(operations, key=methods.index)


def test_every_operation_stands_under_one_heading(description: Any) -> None:
    headings = [group["name"] for group in description["tags"]]
    used = [operation["tags"] for path in description["paths"].values() for operation in path.values()]
    assert {len(tags) for tags in used} == {1}
    assert {tags[0] for tags in used} == set(headings)
    assert len(headings) == len(set(headings)) > 8


def test_the_page_gives_a_csrf_token_to_who_is_signed_in_alone(db: None) -> None:
    assert "data-csrf-token" not in Client().get("/api-reference").content.decode()
    signed_in = Client()
    signed_in.force_login(User.objects.create_user("member@example.org"))
    assert re.search(r'data-csrf-token="\w{64}"', signed_in.get("/api-reference").content.decode())


def test_unknown_assets_are_404() -> None:
    for name in ("nothing.js", "..%2Fsettings.py", "swagger-ui.css.map"):
        assert Client().get(f"/api-reference/{name}").status_code == 404


def test_the_description_can_be_closed(db: None, make_key: MakeKey, settings: Any) -> None:
    settings.API_DOCS_PUBLIC = False
    for client in (Client(), Client(headers={"x-api-key": make_key()[1]})):
        assert client.get("/openapi.json").status_code == 403
        for path in PATHS[1:]:
            response = client.get(path)
            assert (response.status_code, response["Location"]) == (302, f"/login?next={path}")
    signed_in = Client()
    signed_in.force_login(User.objects.create_user("member@example.org"))
    assert [signed_in.get(path).status_code for path in PATHS] == [200, 200, 200]


def test_only_reading_is_possible() -> None:
    for path in PATHS:
        assert Client().post(path).status_code == 405


def test_pages_that_are_missing_are_html_and_say_what_to_do() -> None:
    response = Client().get("/nothing-here")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "/api-reference" in response.content.decode()
