"""The console's pages of webhooks: what they show, what they do, and for whom."""

from __future__ import annotations

import html
import re
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.webhooks import services
from apps.webhooks.event_types import EVENT_TYPES
from apps.webhooks.models import WebhookDelivery, WebhookEndpoint
from apps.webhooks.services import Outcome
from apps.webhooks.signing import new_secret, signed_headers
from tests.pages import INLINE, page_text
from tests.project.checkout import ROOT
from tests.webhooks.conftest import PUBLIC, MakeEndpoint, say

pytestmark = pytest.mark.django_db


def signed_in(organization: Organization, role: str) -> Client:
    user = User.objects.create_user(f"{role}@{organization.name.split()[0].lower()}.example.org")
    Membership.objects.create(organization=organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser(organization: Organization) -> Client:
    return signed_in(organization, "admin")


def text(response: Any, status: int = 200) -> str:
    assert response.status_code == status
    shown = str(response.content.decode())
    assert INLINE.search(shown) is None
    return shown


def form_of(browser: Client, **fields: Any) -> dict[str, Any]:
    """A filled-in form as the page gave it."""
    [ticket] = re.findall(r'name="ticket" value="([^"]+)"', text(browser.get("/webhooks/new")))
    return {"url": PUBLIC, "events": ["model_run.failed"], "ticket": ticket, **fields}


def try_once(endpoint: WebhookEndpoint, outcome: Outcome) -> None:
    claim = services.claim_delivery(endpoint_id=endpoint.id)
    assert claim is not None
    services.finish_delivery(claim=claim, outcome=outcome)


def verbs(endpoint_id: object) -> list[str]:
    events = AuditEvent.objects.filter(object_id=str(endpoint_id), actor_type="user").order_by("id")
    return [action.removeprefix("webhook.") for action in events.values_list("action", flat=True)]


def test_a_webhook_is_made_and_its_secret_is_in_that_answer_alone(browser: Client) -> None:
    assert "No webhook yet" in text(browser.get("/webhooks"))
    form = text(browser.get("/webhooks/new"))
    assert [kind for kind in EVENT_TYPES if kind not in form] == []
    assert re.findall(r'value="([\w.]+)" checked', form) == ["model_run.completed", "model_run.failed"]
    response = browser.post(
        "/webhooks/new", form_of(browser, url=f" {PUBLIC} ", events=["model_run.safety", "api_key.revoked"])
    )
    made = text(response)
    assert "no-store" in response.headers["Cache-Control"]
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.url, endpoint.events) == (PUBLIC, ["model_run.safety", "api_key.revoked"])
    secret = re.findall(r"whsec_[A-Za-z0-9+/=]{40,}", html.unescape(made))[0]
    for path in ("/webhooks", f"/webhooks/{endpoint.id}"):
        shown = text(browser.get(path))
        assert PUBLIC in shown
        assert secret not in html.unescape(shown)
    assert verbs(endpoint.id) == ["created"]


def test_the_lines_that_check_a_signature_do(browser: Client) -> None:
    made = text(browser.post("/webhooks/new", form_of(browser)))
    found = re.search(r"<code>(import base64.*?)</code>", made, re.DOTALL)
    assert found
    assert html.unescape(found[1]) in (ROOT / "docs/integration.md").read_text(), "the lines of the documentation"
    names: dict[str, Any] = {}
    exec(html.unescape(found[1]), names)  # noqa: S102 - our own lines
    is_genuine = names["is_genuine"]
    secret = re.findall(r"whsec_[A-Za-z0-9+/=]{40,}", html.unescape(made))[0]
    now = int(time.time())
    headers = signed_headers("id-1", now, b"{}", [new_secret(), secret])
    assert is_genuine(b"{}", headers, secret)
    assert not is_genuine(b"{ }", headers, secret)
    assert not is_genuine(b"{}", signed_headers("id-1", now - 400, b"{}", [secret]), secret)
    for junk in ("", "soon", "-1", "1e9", "²", "9" * 5000):
        assert is_genuine(b"{}", {**headers, "webhook-timestamp": junk}, secret) is False, junk
    for name in headers:
        without = {other: value for other, value in headers.items() if other != name}
        for sent in (without, {**headers, name: "\udcff é"}):
            assert is_genuine(b"{}", sent, secret) is False, sent


def test_a_form_that_is_sent_twice_makes_one_webhook(browser: Client) -> None:
    asked = form_of(browser)
    assert "whsec_" in text(browser.post("/webhooks/new", asked))
    endpoint = WebhookEndpoint.objects.get()
    again = text(browser.post("/webhooks/new", asked), 409)
    assert "The form was sent twice" in again
    assert f'action="/webhooks/{endpoint.id}/rotate"' in again
    assert re.search(r"whsec_[A-Za-z0-9+/=]{40,}", html.unescape(again)) is None
    assert WebhookEndpoint.objects.count() == 1
    assert verbs(endpoint.id) == ["created"]


def test_a_form_of_another_organisation_makes_nothing_until_it_is_sent_once_more(
    browser: Client, other_organization: Organization
) -> None:
    theirs = form_of(signed_in(other_organization, "admin"))
    refused = text(browser.post("/webhooks/new", theirs), 400)
    assert "send it once more" in refused
    assert not WebhookEndpoint.objects.exists()
    [ticket] = re.findall(r'name="ticket" value="([^"]+)"', refused)
    assert text(browser.post("/webhooks/new", theirs | {"ticket": ticket}))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"url": "http://93.184.216.34/hook", "events": ["api_key.revoked"]}, "the address must begin with https://"),
        ({"url": "https://127.0.0.1/hook", "events": ["api_key.revoked"]}, "This URL cannot be called"),
        ({"url": "", "events": ["api_key.revoked"]}, "Enter where events are sent."),
        ({"url": PUBLIC}, "Choose at least one event."),
        ({"url": PUBLIC, "events": ["webhook.test"]}, "not a valid enumeration member"),
    ],
)
def test_a_form_that_is_refused_keeps_what_was_typed(browser: Client, typed: dict[str, Any], said: str) -> None:
    shown = text(browser.post("/webhooks/new", form_of(browser) | {"events": []} | typed), 400)

    assert shown.count(html.escape(said)) >= 2  # beside the field and above the form
    assert 'aria-invalid="true"' in shown or 'id="events-error"' in shown
    assert f'value="{typed["url"]}"' in shown
    assert ('value="api_key.revoked" checked' in shown) == ("api_key.revoked" in typed.get("events", []))
    assert not WebhookEndpoint.objects.exists()


def test_of_too_many_webhooks_the_form_says_what_to_do(
    browser: Client, make_endpoint: MakeEndpoint, settings: Any
) -> None:
    settings.WEBHOOK_MAX_PER_ORG = 1
    make_endpoint()
    assert "/webhooks/new" not in text(browser.get("/webhooks"))
    shown = text(browser.post("/webhooks/new", form_of(browser)), 400)
    assert "An organisation has at most 1 webhooks. Delete one first." in shown


def test_the_page_says_what_became_of_each_delivery_without_the_label(
    browser: Client, organization: Organization, make_endpoint: MakeEndpoint
) -> None:
    endpoint = make_endpoint()
    page = f"/webhooks/{endpoint.id}"
    assert "Nothing was sent yet" in text(browser.get(page))
    assert "Nothing was sent yet" in text(browser.get("/webhooks"))
    say(organization, user_label="label-canary")
    try_once(endpoint, Outcome(status=503, response="<answer>"))
    shown = text(browser.get(page))
    for expected in ("Tried in vain", "status 503", "1 try", ", next <time", "&lt;answer&gt;", "COMPLETE_OK"):
        assert expected in shown, expected
    assert "label-canary" not in shown
    assert "status 503" in text(browser.get("/webhooks"))
    say(organization)
    try_once(endpoint, Outcome(status=204))
    say(organization)
    endpoint.deliveries.filter(attempts=0).update(next_try_at=None, attempts=11, error="nobody answers there")
    shown = text(browser.get(page))
    for expected in ("Delivered", "status 204", "Failed", "nobody answers there", "11 tries"):
        assert expected in shown, expected


def test_a_test_event_is_sent_and_its_outcome_can_be_asked_for(browser: Client, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    response = browser.post(f"/webhooks/{endpoint.id}/test", follow=True)
    shown = text(response)
    assert response.redirect_chain == [(f"/webhooks/{endpoint.id}", 302)]
    assert "A test event is on its way" in shown
    assert "On its way" in shown
    assert "Reload the page" in shown
    delivery = endpoint.deliveries.get()
    asked = f"/webhooks/{endpoint.id}/deliveries?id={delivery.id}&id={uuid4()}&id=nonsense"
    first = browser.get(asked).json()
    assert list(first) == [str(delivery.id)]
    assert (first[str(delivery.id)]["status"], first[str(delivery.id)]["nextTryAt"]) == ("PENDING", None)
    try_once(endpoint, Outcome(status=200, response="thanks"))
    assert browser.get(asked).json()[str(delivery.id)] == {
        "status": "DELIVERED", "outcome": "Delivered", "answer": "status 200", "tries": "1 try", "nextTryAt": None,
        "response": "thanks",
    }  # fmt: skip
    assert "data-outcomes" not in text(browser.get(f"/webhooks/{endpoint.id}"))  # nothing waits
    assert verbs(endpoint.id) == ["test_sent"]


def test_a_delivery_is_sent_again(browser: Client, organization: Organization, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    say(organization)
    try_once(endpoint, Outcome(status=500))
    delivery = endpoint.deliveries.get()
    shown = text(browser.post(f"/webhooks/{endpoint.id}/deliveries/{delivery.id}/resend", follow=True))
    assert "under the same webhook-id" in shown
    assert "no try yet" in shown
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.status) == (0, "PENDING")
    assert browser.post(f"/webhooks/{endpoint.id}/deliveries/{uuid4()}/resend").status_code == 404
    assert verbs(endpoint.id) == ["resent"]


def test_it_is_disabled_with_a_reason_and_enabled(browser: Client, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    services.send_test(actor=SYSTEM, organization_id=endpoint.organization_id, endpoint_id=endpoint.id)
    page = f"/webhooks/{endpoint.id}"
    shown = text(browser.post(f"{page}/disable", {"reason": " "}), 400)
    assert shown.count("Say why") >= 2
    assert "<details open>" in shown
    shown = text(browser.post(f"{page}/disable", {"reason": "receiver moves <soon>"}, follow=True))
    assert "receiver moves &lt;soon&gt;" in shown
    assert "Held back" in shown
    assert f"{page}/test" not in shown
    delivery = endpoint.deliveries.get()
    for act in ("test", f"deliveries/{delivery.id}/resend"):
        assert "Enable it first" in text(browser.post(f"{page}/{act}"), 409)
    assert "It was disabled already" in text(browser.post(f"{page}/disable", {"reason": "again"}, follow=True))
    assert "Enabled: what waited" in text(browser.post(f"{page}/enable", follow=True))
    assert "It was enabled already" in text(browser.post(f"{page}/enable", follow=True))
    endpoint.refresh_from_db()
    assert endpoint.is_enabled
    assert verbs(endpoint.id) == ["disabled", "enabled"]


def test_a_secret_is_rotated_and_the_page_says_until_when_the_old_one_signs(
    browser: Client, make_endpoint: MakeEndpoint, settings: Any
) -> None:
    endpoint = make_endpoint()
    settings.WEBHOOK_MAX_SECRETS = 2
    page = f"/webhooks/{endpoint.id}"
    response = browser.post(f"{page}/rotate")
    shown = text(response)
    assert "no-store" in response.headers["Cache-Control"]
    ends_at = endpoint.secrets.get(ends_at__isnull=False).ends_at
    assert ends_at is not None
    assert f'datetime="{ends_at:%Y-%m-%dT%H:%M:%SZ}"' in shown
    assert len(set(re.findall(r"whsec_[A-Za-z0-9+/=]{40,}", html.unescape(shown)))) == 1
    assert f'The one before it signs, too, until <time datetime="{ends_at:%Y-%m-%dT%H:%M:%SZ}"' in text(
        browser.get(page)
    )
    assert "At most 2 secrets sign at once" in text(browser.post(f"{page}/rotate"), 409)
    assert verbs(endpoint.id) == ["secret_rotated"]


def test_it_is_deleted(browser: Client, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    endpoint_id = endpoint.id
    assert "Deleted, with its secret" in text(browser.post(f"/webhooks/{endpoint_id}/delete", follow=True))
    assert not WebhookEndpoint.objects.exists()
    assert verbs(endpoint_id) == ["deleted"]
    assert browser.post(f"/webhooks/{endpoint_id}/delete").status_code == 404


def test_members_and_other_organisations_get_nowhere(
    organization: Organization, other_organization: Organization, make_endpoint: MakeEndpoint, browser: Client
) -> None:
    endpoint = make_endpoint()
    member, foreign = signed_in(organization, "member"), signed_in(other_organization, "admin")
    assert "Only an admin" in member.get("/webhooks").content.decode()
    assert 'href="/webhooks"' not in text(member.get("/usage"))
    assert 'href="/webhooks"' in text(browser.get("/usage"))
    assert PUBLIC not in text(foreign.get("/webhooks"))
    for path in (f"/webhooks/{endpoint.id}", f"/webhooks/{endpoint.id}/deliveries"):
        ours, missing = foreign.get(path), foreign.get(path.replace(str(endpoint.id), str(uuid4())))
        assert (ours.status_code, missing.status_code) == (404, 404)
        assert tokenless(ours) == tokenless(missing)
    for act in ("test", "enable", "disable", "rotate", "delete"):
        assert foreign.post(f"/webhooks/{endpoint.id}/{act}", {"reason": "mine now"}).status_code == 404
    endpoint.refresh_from_db()
    assert endpoint.is_enabled


def tokenless(response: Any) -> str:
    return re.sub(r"/webhooks/[0-9a-f-]{36}", "", page_text(response))


def test_a_long_list_is_paged_and_costs_few_queries(browser: Client, make_endpoint: MakeEndpoint) -> None:
    endpoint = make_endpoint()
    now = timezone.now()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint=endpoint, event="api_key.revoked", object_id=uuid4(), body='{"data":{}}', error=f"number {n}.",
            attempts=1, created_at=now - timedelta(minutes=n),
        )
        for n in range(120)
    )  # fmt: skip
    page: str | None = f"/webhooks/{endpoint.id}"
    seen: list[str] = []
    while page:
        with CaptureQueriesContext(connection) as captured:
            shown = text(browser.get(page))
        assert (
            len(captured) == 7
        )  # session, person, membership, webhook, secrets, deliveries; membership, for the header
        seen += re.findall(r"number (\d+)\.</span>", shown)
        onwards = re.search(r'href="([^"]+)" rel="next"', shown)
        page = onwards and html.unescape(f"/webhooks/{endpoint.id}{onwards[1].partition(str(endpoint.id))[2]}")
    assert seen == [str(n) for n in range(120)]
    assert "is not there" in text(browser.get(f"/webhooks/{endpoint.id}?cursor=nonsense"), 400)
    make_endpoint(f"{PUBLIC}?other")
    with CaptureQueriesContext(connection) as captured:
        assert "number 0." in text(browser.get("/webhooks"))
    assert len(captured) == 6  # however many webhooks there are
