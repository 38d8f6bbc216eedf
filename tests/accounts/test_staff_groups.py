"""What each group of staff may do, as two tables: every model and every page of the admin. A new one needs a row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.api_keys.models import ApiKey, KeyReplacement
from apps.model_runs.models import WellnessModelActivation
from apps.webhooks.services import create_endpoint
from tests.accounts.staff_groups import GROUPS, staff_in
from tests.conftest import MakeKey
from tests.contract.helios.calls import create
from tests.patients.people import keep, make_patient

pytestmark = pytest.mark.django_db

# Model -> group -> what the admin lets it do. A group that is not named does not see the model.
RIGHTS: dict[str, dict[str, str]] = {
    "accounts.organization": {"support": "add change view"},
    "accounts.membership": {"support": "change delete view"},  # to add one would open runs and patients
    "accounts.invitation": {"support": "view"},
    "accounts.user": {"support": "view"},
    "accounts.auditevent": {"auditor": "view"},
    "api_keys.apikey": {"support": "change view"},  # as would a key that they issue
    "api_keys.usageday": {"support": "view"},
    "webhooks.webhookendpoint": {"support": "view"},  # switched on its own page
    "webhooks.webhookdelivery": {"support": "view"},
    "model_runs.modelrun": {"clinical": "view"},
    "model_runs.wellnessmodelversion": {},
    "model_runs.wellnessmodelactivation": {},
    "patients.patient": {"clinical": "view"},  # changed on pages that ask for a reason, as the others
    "patients.appointment": {"clinical": "view"},
    "patients.document": {"clinical": "view"},
    "patients.note": {"clinical": "view"},
    "auth.group": {},
}
# Pages beside those that every model has -> the object in their path, and who may open them.
PAGES: dict[str, tuple[str, set[str]]] = {
    "accounts_auditevent_export": ("", {"auditor"}),
    "accounts_organization_close": ("organization", {"support"}),
    "accounts_organization_suspension": ("organization", {"support"}),
    "auth_user_password_change": ("user", set()),
    "api_keys_apikey_find": ("", {"support"}),
    "api_keys_apikey_replace": ("key", {"support"}),
    "api_keys_apikey_revoke": ("key", {"support"}),
    "api_keys_apikey_revoke_organization": ("organization", {"support"}),
    "model_runs_wellnessmodelactivation_roll_back": ("step", set()),
    "patients_appointment_reveal": ("appointment", {"clinical"}),
    "patients_document_download": ("document", {"clinical"}),
    "patients_note_deletion": ("note", {"clinical"}),
    "patients_note_edit": ("note", {"clinical"}),
    "patients_note_reveal": ("note", {"clinical"}),
    "patients_patient_add_note": ("patient", {"clinical"}),
    "patients_patient_deletion": ("patient", {"clinical"}),
    "patients_patient_edit": ("patient", {"clinical"}),
    "patients_patient_reveal": ("patient", {"clinical"}),
    "webhooks_webhookendpoint_switch": ("webhook", {"support"}),
}
OF_EVERY_MODEL = ("changelist", "add", "history", "delete", "change")


def text(response: Any) -> str:
    return str(response.content.decode())


def signed_in(*groups: str) -> Client:
    client = Client()
    client.force_login(staff_in(*groups))
    return client


def further_pages() -> Iterator[str]:
    for model, model_admin in admin.site._registry.items():
        of_this = {f"{model._meta.app_label}_{model._meta.model_name}_{one}" for one in OF_EVERY_MODEL}
        yield from {pattern.name for pattern in model_admin.urls if pattern.name} - of_this


def test_every_model_and_every_page_of_the_admin_has_a_row() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(RIGHTS)
    assert set(further_pages()) == set(PAGES)


@pytest.mark.parametrize("group", ["", *GROUPS])
def test_a_group_may_do_what_its_rows_say_and_sees_nothing_else(group: str) -> None:
    user = staff_in(*filter(None, [group]))
    client = Client()
    client.force_login(user)
    request = RequestFactory().get("/admin/")
    request.user = user
    index = text(client.get("/admin/"))
    for model, model_admin in admin.site._registry.items():
        expected = RIGHTS[model._meta.label_lower].get(group, "")
        verbs = [verb for verb, may in model_admin.get_model_perms(request).items() if may]
        assert sorted(verbs) == expected.split(), model
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert client.get(path).status_code == (200 if "view" in expected else 403), model
        assert client.get(f"{path}add/").status_code == (200 if "add" in expected else 403), model
        assert (f'href="{path}"' in index) == ("view" in expected), model


@pytest.mark.parametrize("group", GROUPS)
def test_a_page_opens_for_the_groups_of_its_row_alone(
    group: str, make_key: MakeKey, organization: Organization
) -> None:
    endpoint, _ = create_endpoint(
        actor=SYSTEM, organization_id=organization.pk, url="https://93.184.216.34/", events=["model_run.completed"]
    )
    step = WellnessModelActivation.objects.create(organization=organization, number=1, reason="x", created_by="x")
    objects = {
        "key": make_key()[0],
        "organization": organization,
        "user": User.objects.create_user("somebody@example.org"),
        "webhook": endpoint,
        "step": step,
        **keep(make_patient(organization))._asdict(),
    }
    client = signed_in(group)
    for name, (wanted, allowed) in PAGES.items():
        path = reverse(f"admin:{name}", args=[objects[wanted].pk] if wanted else [])
        assert client.get(path).status_code == (200 if group in allowed else 403), name


def test_support_finds_revokes_and_replaces_keys_and_revokes_all_of_an_organisation(
    make_key: MakeKey, organization: Organization
) -> None:
    client, keys = signed_in("support"), [make_key(name=f"key {number}") for number in range(4)]
    listing = "/admin/api_keys/apikey/"
    assert "key 0" in text(client.post(f"{listing}find/", {"text": keys[0][1]}))
    client.post(f"{listing}{keys[0][0].pk}/revoke/", {"reason": "x"})
    client.post(listing, {"action": "replace_selected", "_selected_action": [str(keys[1][0].pk)], "reason": "x"})
    assert ApiKey.objects.filter(revoked_at__isnull=False).count() == 2
    assert KeyReplacement.objects.get().key == keys[1][0]
    client.post(f"{listing}revoke-organization/{organization.pk}/", {"reason": "x"})
    assert not ApiKey.objects.filter(revoked_at__isnull=True).exists()


def test_support_comes_to_no_run_by_any_way(api: Client, organization: Organization) -> None:
    run = create(api)
    user = staff_in("support")
    client = Client()
    client.force_login(user)
    other = User.objects.create_user("member@example.org")
    membership = Membership.objects.create(organization=organization, user=other, role="member")
    for tail in ("", f"{run['id']}/change/", f"{run['id']}/history/"):
        assert client.get(f"/admin/model_runs/modelrun/{tail}").status_code == 403
    members = "/admin/accounts/membership/"
    mine = {"organization": str(organization.pk), "user": str(user.pk), "role": "admin"}
    assert client.post(f"{members}add/", mine).status_code == 403
    client.post(f"{members}{membership.pk}/change/", mine)
    membership.refresh_from_db()
    assert (membership.user, membership.role) == (other, "admin")
    form = {"organization": str(organization.pk), "name": "mine", "scopes": ["*"], "allowed_cidrs": ""}
    assert client.post("/admin/api_keys/apikey/add/", form).status_code == 403
    page = client.get(f"/browse/v1/models/mental-wellness/{run['id']}", headers={"accept": "text/html"})
    assert page.status_code == 403


def test_support_reads_of_a_person_neither_the_password_nor_changes_rights(staff: User) -> None:
    staff.set_password("a long password")
    staff.save()
    user = staff_in("support")
    client = Client()
    client.force_login(user)
    for one in (staff, user):
        page = client.get(f"/admin/accounts/user/{one.pk}/change/")
        assert page.status_code == 200
        assert "argon2$" not in text(page)
        form = {"email": one.email, "is_staff": "on", "is_superuser": "on", "is_active": "on"}
        assert client.post(f"/admin/accounts/user/{one.pk}/change/", form).status_code == 403
    user.refresh_from_db()
    assert not user.is_superuser


def test_an_auditor_reads_and_exports_the_trail(make_key: MakeKey) -> None:
    make_key()
    client = signed_in("auditor")
    event = AuditEvent.objects.get(action="api_key.created")
    assert "api_key.created" in text(client.get("/admin/accounts/auditevent/"))
    assert client.get(f"/admin/accounts/auditevent/{event.pk}/change/").status_code == 200
    lines = b"".join(client.get("/admin/accounts/auditevent/export").streaming_content)  # type: ignore[attr-defined]
    assert b"api_key.created" in lines
    assert client.get(f"/admin/api_keys/apikey/{event.object_id}/history/").status_code == 403


def test_two_groups_add_up() -> None:
    client = signed_in("support", "auditor")
    for path in ("api_keys/apikey", "accounts/auditevent"):
        assert client.get(f"/admin/{path}/").status_code == 200
    assert client.get("/admin/model_runs/modelrun/").status_code == 403
