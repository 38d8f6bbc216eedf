"""What staff do in the admin, as one table: every page and action, made from the registry, and the event that tells of
it. A new page or action needs a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import AuditEvent, Invitation, Membership, Organization, User
from apps.accounts.staff_admin import StaffModelAdmin
from apps.api_keys.models import UsageDay
from apps.api_keys.tokens import generate
from apps.model_runs.models import ModelRun, WellnessModelActivation
from tests.conftest import MakeKey
from tests.contract.healos.calls import content_of
from tests.model_runs.conftest import make_run, make_running  # noqa: F401 - fixtures
from tests.model_runs.trained import activate, store
from tests.patients.people import keep, make_patient
from tests.webhooks.conftest import MakeEndpoint, make_endpoint, say  # noqa: F401 - a fixture among them

Things = dict[str, Any]  # an object of each model, by the model's label
Form = Callable[[Things], dict[str, Any]]
_DJANGOS_OWN = {"changelist", "add", "change", "delete", "history"}
PASSWORD = "a long password of hers"


class Act(NamedTuple):
    action: str  # of the event
    form: Form | None = None  # what is posted; None where the page is only opened
    has_object: bool = True


def posted(action: str, has_object: bool = True, **form: Any) -> Act:
    return Act(action, lambda _: form, has_object)


GROUP, USER, MEMBERSHIP, KEY = "auth.group", "accounts.user", "accounts.membership", "api_keys.apikey"
ORGANIZATION, STEP = "accounts.organization", "model_runs.wellnessmodelactivation"
PATIENT, NOTE = "patients.patient", "patients.note"
ROWS: dict[tuple[str, str], Act] = {
    (GROUP, "add"): posted("group.created", False, name="day shift"),
    (GROUP, "change"): posted("group.changed", name="renamed"),
    (GROUP, "delete"): posted("group.deleted", post="yes"),
    (GROUP, "delete_selected"): posted("group.deleted", post="yes"),
    (ORGANIZATION, "add"): posted("organization.created", False, name="Third Clinic", plan="free"),
    (ORGANIZATION, "change"): posted("organization.changed", name="Renamed Clinic", plan="free"),
    (ORGANIZATION, "suspension"): posted("organization.suspended", verb="suspend", reason="does not pay"),
    (ORGANIZATION, "close"): posted("organization.closing", verb="close", reason="does not pay"),
    (USER, "add"): posted(
        "user.created", False, email="new@example.org", usable_password="true", password1=PASSWORD, password2=PASSWORD
    ),
    (USER, "change"): posted("user.changed", email="renamed@example.org"),
    (USER, "auth_user_password_change"): posted(
        "user.changed", usable_password="true", password1=PASSWORD, password2=PASSWORD
    ),
    (MEMBERSHIP, "add"): Act(
        "membership.created",
        lambda things: {"user": things["staff"].pk, "organization": things[ORGANIZATION].pk, "role": "admin"},
        has_object=False,
    ),
    (MEMBERSHIP, "change"): posted("membership.changed", role="admin"),
    (MEMBERSHIP, "delete"): posted("membership.removed", post="yes"),
    (KEY, "add"): Act(
        "api_key.created",
        lambda things: {"organization": things[ORGANIZATION].pk, "name": "new", "scopes": ["model_runs:read"]},
        has_object=False,
    ),
    (KEY, "change"): posted("api_key.changed", name="renamed", scopes=["model_runs:read"]),
    (KEY, "revoke"): posted("api_key.revoked", reason="leaked"),
    (KEY, "revoke_selected"): posted("api_key.revoked", reason="leaked"),
    (KEY, "replace"): posted("api_key.replacement_offered", reason="leaked"),
    (KEY, "replace_selected"): posted("api_key.replacement_offered", reason="leaked"),
    (KEY, "revoke_organization"): posted("api_key.revoked", reason="leaked"),
    (KEY, "find"): Act("api_key.searched", lambda _: {"text": generate()}, has_object=False),
    ("accounts.auditevent", "export"): Act("audit_event.exported", has_object=False),
    ("webhooks.webhookendpoint", "switch"): posted("webhook.disabled", verb="disable", reason="floods its logs"),
    ("model_runs.modelrun", "run_again"): posted("model_run.rerun", has_object=False),
    (PATIENT, "reveal"): posted("patient.revealed", reason="asked by phone"),
    (PATIENT, "edit"): posted("patient.changed", reason="misspelt", save="Save", version=1, last_name="Renamed"),
    (PATIENT, "add_note"): posted(
        "note.created", False, reason="dictated", save="Save", note_type="clinical_visit", session_date="2026-03-15"
    ),
    (PATIENT, "deletion"): posted("patient.deleted", verb="delete", reason="a double"),
    ("patients.appointment", "reveal"): posted("appointment.revealed", reason="asked by phone"),
    ("patients.document", "download"): posted("document.downloaded", reason="asked by phone"),
    (NOTE, "reveal"): posted("note.revealed", reason="asked by phone"),
    (NOTE, "edit"): posted("note.changed", reason="misspelt", save="Save", version=1, note_type="other"),
    (NOTE, "deletion"): posted("note.deleted", verb="delete", reason="a double"),
    (STEP, "add"): Act(
        "wellness_model.activated",
        lambda things: {"organization": things["other organization"].pk, "model": "clinic-1", "reason": "better"},
        has_object=False,
    ),
    (STEP, "roll_back"): posted("wellness_model.rolled_back", has_object=False, reason="worse"),
}
# Pages that show nothing but a list, to which they lead.
NOTHING_SHOWN = {(STEP, "open history")}


@pytest.fixture
def things(
    staff: User, organization: Organization, other_organization: Organization, make_key: MakeKey,
    make_endpoint: MakeEndpoint, make_running: Callable[..., ModelRun],  # noqa: F811 - fixtures
) -> Things:  # fmt: skip
    user = User.objects.create_user("member@example.org")
    endpoint = make_endpoint()
    say(organization)
    run = make_running()
    ModelRun.objects.filter(id=run.id).update(
        status="COMPLETE_ERROR", error_code="ERR_INTERNAL", error_reason="x", completed_at=timezone.now()
    )
    model = store("clinic-1")
    activate(organization, "clinic-1")
    return {
        "staff": staff,
        "other organization": other_organization,
        GROUP: Group.objects.create(name="night shift"),
        ORGANIZATION: organization,
        USER: user,
        MEMBERSHIP: Membership.objects.create(organization=organization, user=user),
        "accounts.invitation": invite(organization),
        KEY: make_key()[0],
        "api_keys.usageday": UsageDay.objects.create(organization=organization, day=timezone.now().date()),
        "accounts.auditevent": AuditEvent.objects.latest("id"),
        "webhooks.webhookendpoint": endpoint,
        "webhooks.webhookdelivery": endpoint.deliveries.latest("created_at"),
        "model_runs.modelrun": run,
        "model_runs.wellnessmodelversion": model,
        STEP: WellnessModelActivation.objects.get(),
        **{f"patients.{kind}": record for kind, record in keep(make_patient(organization))._asdict().items()},
    }


def invite(organization: Organization) -> Invitation:
    return Invitation.objects.create(
        organization=organization, email="invited@example.org", role="member", expires_at=timezone.now()
    )


def is_action(model_admin: Any, name: str) -> bool:
    return name == "delete_selected" or name in (model_admin.actions or ())


def acts(staff: User) -> Iterator[tuple[str, str]]:
    """Every page and action by which somebody with all permissions writes, or takes something away."""
    request = RequestFactory().get("/admin/")
    request.user = staff
    for model, model_admin in django_admin.site._registry.items():
        label = model._meta.label_lower
        prefix = label.replace(".", "_") + "_"
        names = {str(url.name).removeprefix(prefix) for url in model_admin.get_urls() if url.name}
        allowed = {
            name for name in ("add", "change", "delete") if getattr(model_admin, f"has_{name}_permission")(request)
        }
        for name in {*(names - _DJANGOS_OWN), *model_admin.get_actions(request), *allowed}:
            yield label, name


def perform(client: Client, things: Things, label: str, name: str, act: Act) -> Any:
    """Do it, as its page would."""
    site = f"admin:{label.replace('.', '_')}_"
    model_admin = next(one for model, one in django_admin.site._registry.items() if model._meta.label_lower == label)
    form = {} if act.form is None else act.form(things)
    if is_action(model_admin, name):
        page = reverse(f"{site}changelist")
        return client.post(page, {"action": name, "_selected_action": [things[label].pk], **form})
    if name in ("add", "find", "export"):
        page = reverse(site + name)
    elif name == "revoke_organization":
        page = reverse(site + name, args=[things[ORGANIZATION].pk])
    else:
        page = reverse(f"admin:{name}" if name.startswith("auth_user") else site + name, args=[things[label].pk])
    return client.get(page) if act.form is None else client.post(page, form)


def test_every_page_and_action_of_the_admin_has_a_row(staff: User) -> None:
    assert set(ROWS) == set(acts(staff))
    assert all(isinstance(model_admin, StaffModelAdmin) for model_admin in django_admin.site._registry.values())


def test_all_that_staff_do_and_open_is_on_the_record(admin: Client, staff: User, things: Things) -> None:
    rows = dict(ROWS)
    for model, model_admin in django_admin.site._registry.items():
        for page, verb in (("change", "viewed"), ("history", "history_viewed")):
            action = f"{model_admin.audit_object_type}.{verb}"  # type: ignore[attr-defined]
            rows[model._meta.label_lower, f"open {page}"] = Act(action)
    for place in NOTHING_SHOWN:
        del rows[place]
    missing = {}
    for (label, name), act in rows.items():
        before = AuditEvent.objects.latest("id").pk
        with transaction.atomic():
            admin.force_login(staff)  # some pages change the session, and the roll-back takes it away
            response = perform(admin, things, label, name.removeprefix("open "), act)
            content_of(response)  # a file is closed once it is read
            events = AuditEvent.objects.filter(
                id__gt=before, action=act.action, actor_type="staff", actor_id=str(staff.pk), outcome="ok",
                address="127.0.0.1", method=response.wsgi_request.method, path=response.wsgi_request.path,
                request_id=response["X-Request-ID"], object_type=act.action.split(".")[0],
            )  # fmt: skip
            if act.has_object:
                events = events.filter(object_id=str(things[label].pk))
            if response.status_code not in (200, 302) or not events.exists():
                missing[label, name] = response.status_code
            transaction.set_rollback(True)
    assert missing == {}


def test_opening_another_organisations_object_stands_in_its_trail(admin: Client, things: Things) -> None:
    labels = (ORGANIZATION, MEMBERSHIP, KEY, "webhooks.webhookdelivery", "model_runs.modelrun", PATIENT, NOTE)
    for label in labels:
        admin.get(reverse(f"admin:{label.replace('.', '_')}_change", args=[things[label].pk]))
    seen = AuditEvent.objects.filter(action__endswith=".viewed").values_list("organization_id", flat=True)
    assert list(seen) == [things[ORGANIZATION].pk] * len(labels)
