"""What holds for every page of members: whose form is taken, how often, and that no page is kept."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from apps.accounts import membership_required
from apps.accounts.models import Membership, Organization, User
from apps.accounts.selectors import CURRENT_ORGANIZATION
from helios_site.env import Rate
from tests.pages import page_text

pytestmark = pytest.mark.django_db
SETTINGS, RENAME = "/organization/settings", "/organization/rename"


@pytest.fixture
def ada(organization: Organization, other_organization: Organization) -> User:
    """An admin of both."""
    user = User.objects.create_user("ada@example.org")
    for one in (organization, other_organization):
        Membership.objects.create(organization=one, user=user, role="admin")
    return user


def browser(user: User, *, enforce_csrf_checks: bool = False) -> Client:
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user)
    assert client.get("/start").status_code == 302
    return client


def names() -> set[str]:
    return set(Organization.objects.values_list("name", flat=True))


def test_a_form_of_one_organisation_is_not_taken_for_another_that_was_chosen_meanwhile(
    ada: User, other_organization: Organization
) -> None:
    client = browser(ada, enforce_csrf_checks=True)

    def token() -> str:
        found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', client.get(SETTINGS).content.decode())
        assert found is not None
        return found[1]

    before = token()
    choice = {"organization_id": str(other_organization.pk), "csrfmiddlewaretoken": before}
    assert client.post("/organization/switch", choice).status_code == 302
    refused = client.post(RENAME, {"name": "Renamed", "csrfmiddlewaretoken": before})
    assert (refused.status_code, "chosen another organisation" in page_text(refused)) == (403, True)
    assert names() == {"Northern Clinic", "Southern Clinic"}
    assert client.post(RENAME, {"name": "Renamed", "csrfmiddlewaretoken": token()}).status_code == 302
    assert names() == {"Northern Clinic", "Renamed"}


def test_nor_after_the_membership_has_ended(ada: User, organization: Organization) -> None:
    client = browser(ada)
    assert client.session[CURRENT_ORGANIZATION] == str(organization.pk)
    Membership.objects.filter(user=ada, organization=organization).delete()
    refused = client.post(RENAME, {"name": "Renamed"})
    assert (refused.status_code, "but for Southern Clinic now" in page_text(refused)) == (409, True)
    assert names() == {"Northern Clinic", "Southern Clinic"}
    assert client.post(RENAME, {"name": "Renamed"}).status_code == 302
    assert names() == {"Northern Clinic", "Renamed"}


def test_a_member_sends_so_many_forms_a_minute(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership_required, "SENDING", Rate(2, 60))
    client = browser(ada)
    answers = [client.post(RENAME, {"name": name}) for name in ("First", "Second", "Third")]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert "Nothing was changed. Go back, and send it again in" in page_text(answers[2])
    assert "Second" in names()
    assert client.get(SETTINGS).status_code == 200, "what is only read is not counted"
    ben = User.objects.create_user("ben@example.org")
    Membership.objects.create(organization=Organization.objects.get(name="Second"), user=ben, role="admin")
    assert browser(ben).post(RENAME, {"name": "Fourth"}).status_code == 302, "each for themselves"


@pytest.mark.parametrize("path", ["/", "/usage", "/runs", "/organization", "/patients", "/there-is-no-such-page"])
def test_no_page_of_a_member_is_kept_by_the_browser(ada: User, path: str) -> None:
    assert "no-store" in browser(ada).get(path).headers["Cache-Control"]


def test_a_new_session_begins_where_one_last_chose_to_work(ada: User, other_organization: Organization) -> None:
    first = browser(ada)
    assert "Northern Clinic" in page_text(first.get("/organization")), "the oldest"
    first.post("/organization/switch", {"organization_id": str(other_organization.pk)})
    assert "selected>Southern Clinic" in page_text(browser(ada).get("/organization"))
