"""Rate limits of `/ext-api/v1` and their headers. Numbers are the contract's lines."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from helios_site.env import Rate
from tests.conftest import MakeKey
from tests.contract.healos.calls import EVENTS, EXPORT, EXT, OWN_KEY, with_key

pytestmark = pytest.mark.django_db
LIMITED = {"error": "Rate limit exceeded"}


@pytest.fixture(autouse=True)
def _patient(settings: Any) -> None:
    """Exact counts need Redis, which on a busy machine may take longer than the usual 50 ms."""
    settings.RATE_LIMIT_BUDGET_SECONDS = 5.0


def shown(answer: Any) -> tuple[int, int]:
    assert int(answer["X-RateLimit-Reset"]) > 1_700_000_000
    return int(answer["X-RateLimit-Limit"]), int(answer["X-RateLimit-Remaining"])


def test_healos_92_every_reply_shows_the_limit_and_one_call_less(make_key: MakeKey) -> None:
    client = with_key(make_key(scopes=["model_runs:read"])[1])
    answers = [
        client.get(OWN_KEY), client.get(EVENTS), client.get(f"{EXT}/nothing"), client.post(OWN_KEY),
        client.get(EXPORT), client.options(OWN_KEY), client.head(OWN_KEY),
    ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [200, 403, 404, 405, 403, 405, 200]
    assert [shown(answer) for answer in answers] == [(100, 100 - number) for number in range(1, 8)]


def test_healos_92_the_two_families_have_buckets_of_their_own(api: Client) -> None:
    assert shown(api.get("/v1/account")) == (600, 599)
    assert shown(api.get(OWN_KEY)) == (100, 99)


def test_healos_93_above_it_429_which_comes_before_everything_but_the_key(make_key: MakeKey) -> None:
    client = with_key(make_key(rate_limit_per_minute=2)[1])
    assert [client.get(OWN_KEY).status_code for _ in range(2)] == [200, 200]
    for answer in (client.get(OWN_KEY), client.put(OWN_KEY), client.get(f"{EXT}/nothing"), client.get(EXPORT)):
        assert (answer.status_code, answer.json(), answer["Content-Type"]) == (429, LIMITED, "application/json")
        assert 1 <= int(answer["Retry-After"]) <= 60
        assert shown(answer) == (2, 0)


def test_healos_95_a_keys_own_limit_is_shown_and_touches_no_other_key(make_key: MakeKey) -> None:
    slow, fast = with_key(make_key(rate_limit_per_minute=1)[1]), with_key(make_key()[1])
    assert shown(slow.get(OWN_KEY)) == (1, 0)
    assert slow.get(OWN_KEY).status_code == 429
    assert shown(fast.get(OWN_KEY)) == (100, 99)


def test_healos_104_refused_calls_count_by_address_and_never_block_a_valid_key(api: Client, settings: Any) -> None:
    settings.RATE_LIMIT_FAILED_AUTH = Rate(2, 60)
    answers = [Client().get(OWN_KEY), with_key("hlsk_wrong").get(f"{EXT}/nothing"), Client().get(EVENTS)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert [shown(answer) for answer in answers] == [(2, 1), (2, 0), (2, 0)]
    assert answers[-1].json() == LIMITED
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert shown(api.get(OWN_KEY)) == (100, 99)
    assert Client().get(OWN_KEY, REMOTE_ADDR="198.51.100.77").status_code == 401
