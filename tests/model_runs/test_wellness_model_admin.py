"""What staff see of trained models, and how they activate and roll back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.accounts.models import AuditEvent, Organization, User
from apps.model_runs.models import WellnessModelActivation, WellnessModelVersion
from apps.model_runs.wellness.model import shipped
from tests.conftest import with_totp
from tests.model_runs.trained import activate, in_use, roll_back, store

pytestmark = pytest.mark.django_db

MODELS = "/admin/model_runs/wellnessmodelversion/"
STEPS = "/admin/model_runs/wellnessmodelactivation/"


def signed_in(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


@pytest.fixture
def admin(staff: User) -> Client:
    return signed_in(staff)


def text(response: Any) -> str:
    return str(response.content.decode())


def step_of(organization: Organization, version: str) -> WellnessModelActivation:
    activate(organization, version)
    return WellnessModelActivation.objects.get(organization=organization, model=version)


def test_the_list_names_hash_and_organisations(
    admin: Client, organization: Organization, other_organization: Organization, django_assert_max_num_queries: Any
) -> None:
    model = store("clinic-1")
    store("clinic-2")
    activate(organization, "clinic-1")
    activate(other_organization, "clinic-1")
    activate(other_organization, "clinic-2")
    roll_back(other_organization)
    with django_assert_max_num_queries(6):
        page = text(admin.get(MODELS))
    assert model.sha256 in page
    assert 'field-users">Northern Clinic, Southern Clinic<' in page
    assert 'field-users">nobody<' in page
    assert "clinic-2" not in text(admin.get(MODELS, {"q": "clinic-1"}))


def test_the_page_of_a_model_shows_card_and_figures_and_changes_nothing(admin: Client) -> None:
    store("clinic-1", card="# Card <script>alert(1)</script>")
    store("clinic-2")
    page = text(admin.get(f"{MODELS}clinic-1/change/"))
    assert "# Card &lt;script&gt;" in page
    assert "&quot;auc&quot;: 0.81" in page
    assert "coefficients" not in page
    assert "nobody knows how good it is" in text(admin.get(f"{MODELS}clinic-2/change/"))
    assert admin.get(f"{MODELS}add/").status_code == 403
    assert admin.post(f"{MODELS}clinic-1/change/", {"card": "better"}).status_code == 403
    assert admin.post(f"{MODELS}clinic-1/delete/", {"post": "yes"}).status_code == 403
    assert WellnessModelVersion.objects.get(version="clinic-1").card.startswith("# Card")


def test_staff_activate_a_model_with_a_reason(admin: Client, staff: User, organization: Organization) -> None:
    store("clinic-1")
    link = f"{STEPS}add/?model=clinic-1"
    assert link in text(admin.get(f"{MODELS}clinic-1/change/"))
    form = text(admin.get(link))
    assert '<option value="clinic-1" selected>' in form
    assert f"the shipped model, {shipped().version}" in form
    sent = {"organization": str(organization.id), "model": "clinic-1"}
    assert "errorlist" in text(admin.post(f"{STEPS}add/", sent | {"reason": "  "}))
    assert in_use(organization) == shipped().version
    assert admin.post(f"{STEPS}add/", sent | {"reason": "validated"}).status_code == 302
    assert in_use(organization) == "clinic-1"
    event = AuditEvent.objects.get(action="wellness_model.activated")
    assert (event.actor_type, event.actor_id, event.organization_id) == ("staff", str(staff.pk), organization.id)
    assert event.reason.startswith("validated (instead of")
    assert "validated" in text(admin.get(f"{MODELS}clinic-1/history/"))
    again = text(admin.post(f"{STEPS}add/", sent | {"reason": "validated"}))
    assert "uses this model already" in again
    assert admin.post(f"{STEPS}add/", sent | {"model": "", "reason": "back"}).status_code == 302
    assert in_use(organization) == shipped().version


def test_staff_roll_back_from_the_page_of_the_latest_step(admin: Client, organization: Organization) -> None:
    for version in ("clinic-1", "clinic-2"):
        store(version)
    first, second = step_of(organization, "clinic-1"), step_of(organization, "clinic-2")
    pages = [f"{STEPS}{step.pk}/roll-back/" for step in (first, second)]
    assert pages[0] not in text(admin.get(f"{STEPS}{first.pk}/change/"))
    assert pages[1] in text(admin.get(f"{STEPS}{second.pk}/change/"))
    assert "clinic-1</strong> instead of\n<strong>clinic-2" in text(admin.get(pages[1], {"reason": "a GET"}))
    assert "errorlist" in text(admin.post(pages[1], {"reason": " "}))
    assert "meanwhile" in text(admin.post(pages[0], {"reason": "not the latest"}))
    assert in_use(organization) == "clinic-2"
    done = admin.post(pages[1], {"reason": "worse"}, follow=True)
    assert "Northern Clinic uses clinic-1 again." in text(done)
    assert in_use(organization) == "clinic-1"
    assert "meanwhile" in text(admin.post(pages[1], {"reason": "pressed twice"}))
    assert in_use(organization) == "clinic-1"
    assert AuditEvent.objects.get(action="wellness_model.rolled_back").actor_type == "staff"


def test_the_history_of_an_organisation_is_found_from_its_page(
    admin: Client, organization: Organization, other_organization: Organization, settings: Any
) -> None:
    store("clinic-1")
    step = step_of(organization, "clinic-1")
    activate(other_organization, "clinic-1")
    listed = f"{STEPS}?organization__id__exact={organization.id}"
    assert listed in text(admin.get(f"/admin/accounts/organization/{organization.id}/change/"))
    assert admin.get(f"{STEPS}{step.pk}/history/").headers["Location"] == listed
    for query in ({"organization__id__exact": str(organization.id)}, {"q": "northern"}):
        page = text(admin.get(STEPS, query))
        assert "Northern Clinic" in page
        assert "Southern Clinic" not in page
    roll_back(organization)
    page = text(admin.get(STEPS, {"q": "northern"}))
    assert re.findall(r'field-(model_name)">([^<]*)<|field-(in_force)"><img[^>]* alt="(\w+)"', page) == [
        ("model_name", "the shipped model", "", ""), ("", "", "in_force", "True"),
        ("model_name", "clinic-1", "", ""), ("", "", "in_force", "False"),
    ]  # fmt: skip
    settings.HELIOS_MODEL_VERSION = "clinic-1"
    page = text(admin.get(STEPS, {"q": "clinic-1"}))
    assert "Southern Clinic" in page
    assert "HELIOS_MODEL_VERSION is set: clinic-1 scores every run." in page


def test_steps_can_neither_be_changed_nor_deleted(admin: Client, organization: Organization) -> None:
    store("clinic-1")
    step = step_of(organization, "clinic-1")
    assert admin.post(f"{STEPS}{step.pk}/change/", {"reason": "better"}).status_code == 403
    assert admin.post(f"{STEPS}{step.pk}/delete/", {"post": "yes"}).status_code == 403
    assert WellnessModelActivation.objects.get().reason == "a test"
    for page in ("roll-back", "history", "change"):
        assert admin.get(f"{STEPS}999/{page}/").status_code == 302


def test_only_staff_with_the_permission_activate_and_roll_back(organization: Organization) -> None:
    store("clinic-1")
    store("clinic-2")
    step = step_of(organization, "clinic-1")
    plain = User.objects.create_user("member@example.org")
    looking = with_totp(User.objects.create_user("looking@example.org", is_staff=True))
    looking.user_permissions.set(
        Permission.objects.filter(codename__in=["view_wellnessmodelversion", "view_wellnessmodelactivation"])
    )
    sent = {"organization": str(organization.id), "model": "clinic-2", "reason": "x"}
    for client, status in ((Client(), 302), (signed_in(plain), 302), (signed_in(looking), 403)):
        assert client.post(f"{STEPS}add/", sent).status_code == status
        assert client.post(f"{STEPS}{step.pk}/roll-back/", {"reason": "x"}).status_code == status
        assert client.get(f"{STEPS}{step.pk}/roll-back/").status_code == status
    assert in_use(organization) == "clinic-1"
    assert "roll-back" not in text(signed_in(looking).get(f"{STEPS}{step.pk}/change/"))
    assert "Activate" not in text(signed_in(looking).get(f"{MODELS}clinic-1/change/"))


def test_a_step_needs_a_csrf_token(staff: User, organization: Organization) -> None:
    store("clinic-1")
    step = step_of(organization, "clinic-1")
    client = signed_in(staff, enforce_csrf_checks=True)
    assert client.post(f"{STEPS}{step.pk}/roll-back/", {"reason": "x"}).status_code == 403
    assert in_use(organization) == "clinic-1"
