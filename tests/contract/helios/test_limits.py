"""Rate limits and their headers."""

from __future__ import annotations

from typing import Any

from django.test import Client

from helios_site.env import Rate
from tests.conftest import MakeKey
from tests.contract.helios.calls import RUNS, create, minimal_body, post
from tests.contract.helios.test_transport import ENDPOINTS, call


def test_every_response_carries_the_three_headers(api: Client) -> None:
    for client in (api, Client()):
        for method, path in [*ENDPOINTS, ("GET", "/v1/nothing"), ("PUT", RUNS), ("GET", f"{RUNS}/x")]:
            response = call(client, method, path)
            for name in ("Limit", "Remaining", "Reset"):
                assert int(response[f"X-RateLimit-{name}"]) >= 0, (method, path)


def test_the_general_row_counts_every_call_but_status_reads(api: Client) -> None:
    run_id = create(api)["id"]
    for _ in range(5):
        assert api.get(f"{RUNS}/{run_id}").status_code == 200
    assert post(api, "{").status_code == 422
    response = api.get("/v1/account")
    assert (response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"]) == ("600", "597")


def test_above_the_limit_429_with_retry_after(make_key: MakeKey) -> None:
    client = Client(headers={"x-api-key": make_key(rate_limit_per_minute=2)[1]})
    assert [client.get("/v1/account").status_code for _ in range(2)] == [200, 200]
    response = post(client, minimal_body())
    assert (response.status_code, response.json()) == (429, {"detail": "Rate limit exceeded"})
    assert 1 <= int(response["Retry-After"]) <= 60
    assert (response["X-RateLimit-Limit"], response["X-RateLimit-Remaining"]) == ("2", "0")
    assert client.put("/v1/account").status_code == 429  # the limit comes before the method


def test_each_run_has_a_poll_bucket_of_its_own(api: Client, settings: Any) -> None:
    settings.HELIOS_POLL_LIMIT = Rate(2, 60)
    first, second = create(api)["id"], create(api)["id"]
    assert [api.get(f"{RUNS}/{first}").status_code for _ in range(3)] == [200, 200, 429]
    assert api.get(f"/v1/models/{first}").status_code == 429
    assert api.get(f"{RUNS}/{second}").status_code == 200


def test_a_keys_own_limit_never_replaces_the_poll_limit(make_key: MakeKey) -> None:
    client = Client(headers={"x-api-key": make_key(rate_limit_per_minute=1)[1]})
    run_id = create(client)["id"]
    assert {client.get(f"{RUNS}/{run_id}").status_code for _ in range(10)} == {200}
    assert client.get("/v1/account").status_code == 429
