"""Who may do what, as one table: every route and method against every kind of caller. A new route needs a row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.invitations import invite_member, send_due_invitations
from apps.accounts.models import Membership, Organization, User
from apps.api_keys.links import renew
from apps.api_keys.models import ApiKey, KeyReplacement
from apps.api_keys.services import revoke_key
from apps.webhooks.models import WebhookEndpoint
from tests.conftest import MakeKey, with_totp
from tests.contract.fhir.records import make_resource
from tests.contract.healos.appointments import START, book
from tests.contract.healos.notes import make_note, make_patient, make_session
from tests.contract.healos.calls import content_of
from tests.contract.healos.documents import of, upload
from tests.contract.healos.patients import PATIENTS
from tests.contract.healos.patients import create as create_patient
from tests.contract.helios.calls import create, minimal_body, post


class Row(NamedTuple):
    """The status that each caller gets."""

    own: int  # a key of the organisation that the object belongs to
    other: int  # a key of another organisation
    unscoped: int  # a key of the organisation that lacks the scope
    revoked: int
    expired: int
    anonymous: int
    staff: int  # the session of staff who belong to no organisation
    member: int  # the session of a member of the organisation
    admin: int  # the session of an admin of the organisation
    foreign: int  # the session of an admin of another organisation


NO_KEY = (401, 401, 401, 401, 401, 401, 401)
WITH_KEY = Row(200, 200, 403, *NO_KEY)
ONE_RUN = Row(200, 404, 403, *NO_KEY)
WITHOUT_LABEL = WITH_KEY._replace(own=422, other=422)  # which the query must name
CREATED = WITH_KEY._replace(own=201, other=201)
NOT_BUILT = Row(404, 404, 404, *NO_KEY)
WITH_ANY_KEY = Row(200, 200, 200, *NO_KEY)
# Keys are no sessions: the browsable API sends whoever has none to the log-in page.
TO_LOG_IN = (302, 302, 302, 302, 302, 302)
NOT_SIGNED_IN = (401, 401, 401, 401, 401, 401)
PAGE = Row(*TO_LOG_IN, 403, 200, 200, 200)
PAGE_OF_RUN = Row(*TO_LOG_IN, 403, 200, 200, 404)
WRITE = Row(*NOT_SIGNED_IN, 403, 200, 200, 200)
WRITE_RUN = Row(*NOT_SIGNED_IN, 403, 200, 200, 404)
CREATE = Row(*NOT_SIGNED_IN, 403, 201, 201, 201)
# Webhooks and keys belong to the organisation's admins: a member's session may not even read them.
PAGE_OF_ADMINS = Row(*TO_LOG_IN, 403, 403, 200, 200)
PAGE_OF_ONE = PAGE_OF_ADMINS._replace(foreign=404)
# Keys are looked after by such a session alone, never by a key.
ADMINS = Row(*NOT_SIGNED_IN, 403, 403, 200, 200)
NEW_KEY = ADMINS._replace(admin=201, foreign=201)
ONE_OF_ADMINS = ADMINS._replace(foreign=404)
NEW_KEY_FOR_OLD = ADMINS._replace(admin=201, foreign=404)
# Forms of the organisation's page, for its admins. Nothing is in the form.
FORM = Row(*TO_LOG_IN, 403, 403, 400, 400)
ACT_ON_ONE = Row(*TO_LOG_IN, 403, 403, 302, 404)
OPEN = Row(*[200] * 10)
SIGNED_OUT = Row(*[200] * 6, *[302] * 4)  # who is signed in goes on
ACCOUNT = Row(*TO_LOG_IN, 200, 200, 200, 200)
ONWARDS = Row(*[302] * 10)  # to the log-in page, to the password once more, or on
STAFF_ONLY = Row(*TO_LOG_IN, 200, 302, 302, 302)

MATRIX: dict[tuple[str, str], Row] = {
    ("GET", "v1/account"): WITH_ANY_KEY,  # any one scope will do
    ("GET", "v1/models/mental-wellness"): WITH_KEY,
    ("POST", "v1/models/mental-wellness"): WITH_KEY,
    ("GET", "v1/models/mental-wellness/<str:model_run_id>"): ONE_RUN,
    ("DELETE", "v1/models/mental-wellness/<str:model_run_id>"): ONE_RUN,
    ("GET", "v1/models/<str:model_run_id>"): ONE_RUN,
    ("POST", "v1/models/mental-wellness-activity"): NOT_BUILT,
    ("POST", "v1/models/apollo"): NOT_BUILT,
    ("GET", "v1/models/apollo/<str:model_run_id>"): NOT_BUILT,
    ("GET", "v1/webhooks"): WITH_KEY,
    ("POST", "v1/webhooks"): WITH_KEY,
    ("GET", "v1/webhooks/<str:webhook_id>"): ONE_RUN,
    ("DELETE", "v1/webhooks/<str:webhook_id>"): ONE_RUN,
    ("POST", "v1/webhooks/<str:webhook_id>/rotate"): ONE_RUN,
    ("POST", "v1/webhooks/<str:webhook_id>/enable"): ONE_RUN,
    ("POST", "v1/webhooks/<str:webhook_id>/test"): ONE_RUN,
    ("GET", "v1/webhooks/<str:webhook_id>/deliveries"): ONE_RUN,
    ("POST", "v1/webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/resend"): ONE_RUN,
    ("GET", "v1/usage"): WITH_KEY,
    ("PUT", r"^uploads/(?P<run_id>[^/]+)$"): OPEN,  # the signed URL alone decides
    ("GET", "api/v1/ext-api-keys"): ADMINS,
    ("POST", "api/v1/ext-api-keys"): NEW_KEY,
    ("GET", "api/v1/ext-api-keys/<str:key_id>"): ONE_OF_ADMINS,
    ("PATCH", "api/v1/ext-api-keys/<str:key_id>"): ONE_OF_ADMINS,
    ("DELETE", "api/v1/ext-api-keys/<str:key_id>"): ONE_OF_ADMINS,
    ("POST", "api/v1/ext-api-keys/<str:key_id>/rotate"): NEW_KEY_FOR_OLD,
    ("POST", "api/v1/ext-api-keys/report-leak"): Row(*[400] * 10),  # open to everybody, and the body has no key
    ("POST", "api/v1/secret-scanning/github"): Row(*[404] * 10),  # switched off
    ("GET", "ext-api/v1/key"): WITH_ANY_KEY,
    ("GET", "ext-api/v1/audit-events"): WITH_KEY,
    ("GET", "ext-api/v1/audit-events/export"): WITH_KEY,
    ("GET", "ext-api/v1/patients"): WITH_KEY,
    ("POST", "ext-api/v1/patients"): CREATED,
    ("GET", "ext-api/v1/patients/<str:patient_id>"): ONE_RUN,
    ("PATCH", "ext-api/v1/patients/<str:patient_id>"): ONE_RUN,
    ("DELETE", "ext-api/v1/patients/<str:patient_id>"): ONE_RUN,
    ("POST", "ext-api/v1/patients/<str:patient_id>/restore"): ONE_RUN,
    ("POST", "ext-api/v1/patients/<str:patient_id>/erase"): ONE_RUN,
    ("POST", "ext-api/v1/patients/<str:patient_id>/export"): ONE_RUN._replace(own=202),
    ("GET", "ext-api/v1/patients/<str:patient_id>/exports/<str:export_id>"): ONE_RUN,
    ("POST", "browse/ext-api/v1/patients/<str:patient_id>/erase"): WRITE_RUN,
    ("POST", "browse/ext-api/v1/patients/<str:patient_id>/export"): WRITE_RUN._replace(member=202, admin=202),
    ("GET", "browse/ext-api/v1/patients/<str:patient_id>/exports/<str:export_id>"): PAGE_OF_RUN,
    ("GET", "patient-export"): Row(*[404] * 10),  # the signed link alone decides
    ("GET", "ext-api/v1/patients/<str:patient_id>/documents"): ONE_RUN,
    ("POST", "ext-api/v1/patients/<str:patient_id>/documents"): ONE_RUN._replace(own=201),
    ("DELETE", "ext-api/v1/patients/<str:patient_id>/documents/<str:document_id>"): ONE_RUN,
    ("POST", "ext-api/v1/patients/<str:patient_id>/documents/<str:document_id>/restore"): ONE_RUN,
    ("GET", "browse/ext-api/v1/patients/<str:patient_id>/documents"): PAGE_OF_RUN,
    ("POST", "browse/ext-api/v1/patients/<str:patient_id>/documents"): WRITE_RUN._replace(member=201, admin=201),
    ("DELETE", "browse/ext-api/v1/patients/<str:patient_id>/documents/<str:document_id>"): WRITE_RUN,
    ("POST", "browse/ext-api/v1/patients/<str:patient_id>/documents/<str:document_id>/restore"): WRITE_RUN,
    ("GET", "documents/<str:document_id>"): OPEN,  # the signed link alone decides
    ("GET", "browse/ext-api/v1/patients"): PAGE,
    ("POST", "browse/ext-api/v1/patients"): CREATE,
    ("GET", "browse/ext-api/v1/patients/<str:patient_id>"): PAGE_OF_RUN,
    ("PATCH", "browse/ext-api/v1/patients/<str:patient_id>"): WRITE_RUN,
    ("DELETE", "browse/ext-api/v1/patients/<str:patient_id>"): WRITE_RUN,
    ("POST", "browse/ext-api/v1/patients/<str:patient_id>/restore"): WRITE_RUN,
    ("GET", "ext-api/v1/notes"): WITH_KEY,
    ("GET", "ext-api/v1/notes/export"): WITH_KEY,
    ("GET", "ext-api/v1/notes/<str:note_id>"): ONE_RUN,
    ("GET", "ext-api/v1/sessions/<str:session_id>/notes"): ONE_RUN,
    ("GET", "browse/ext-api/v1/notes"): PAGE,
    ("GET", "browse/ext-api/v1/notes/export"): PAGE,
    ("GET", "browse/ext-api/v1/notes/<str:note_id>"): PAGE_OF_RUN,
    ("GET", "browse/ext-api/v1/sessions/<str:session_id>/notes"): PAGE_OF_RUN,
    ("GET", "ext-api/v1/patients/<str:patient_id>/model-runs"): ONE_RUN,
    ("GET", "ext-api/v1/patients/<str:patient_id>/wellness"): ONE_RUN,
    ("GET", "browse/ext-api/v1/patients/<str:patient_id>/model-runs"): PAGE_OF_RUN,
    ("GET", "browse/ext-api/v1/patients/<str:patient_id>/wellness"): PAGE_OF_RUN,
    ("GET", "v1/users/history"): WITHOUT_LABEL,
    ("GET", "v1/users/baseline"): WITHOUT_LABEL,
    ("GET", "browse/v1/users/history"): PAGE._replace(member=422, admin=422, foreign=422),
    ("GET", "browse/v1/users/baseline"): PAGE._replace(member=422, admin=422, foreign=422),
    ("GET", "ext-api/v1/appointments"): WITH_KEY,
    ("POST", "ext-api/v1/appointments"): CREATED._replace(other=404),  # the patient whom the body names
    ("GET", "ext-api/v1/appointments/<str:appointment_id>"): ONE_RUN,
    ("PATCH", "ext-api/v1/appointments/<str:appointment_id>"): ONE_RUN,
    ("DELETE", "ext-api/v1/appointments/<str:appointment_id>"): ONE_RUN,
    ("POST", "ext-api/v1/appointments/<str:appointment_id>/restore"): ONE_RUN,
    ("GET", "browse/ext-api/v1/appointments"): PAGE,
    ("POST", "browse/ext-api/v1/appointments"): CREATE._replace(foreign=404),
    ("GET", "browse/ext-api/v1/appointments/<str:appointment_id>"): PAGE_OF_RUN,
    ("PATCH", "browse/ext-api/v1/appointments/<str:appointment_id>"): WRITE_RUN,
    ("DELETE", "browse/ext-api/v1/appointments/<str:appointment_id>"): WRITE_RUN,
    ("POST", "browse/ext-api/v1/appointments/<str:appointment_id>/restore"): WRITE_RUN,
    ("GET", "^ext-api/v1"): NOT_BUILT,  # whatever else stands under it
    ("GET", "browse"): PAGE,
    ("GET", "browse/v1/account"): PAGE,
    ("GET", "browse/v1/models/mental-wellness"): PAGE,
    ("POST", "browse/v1/models/mental-wellness"): WRITE,
    ("GET", "browse/v1/models/mental-wellness/<str:model_run_id>"): PAGE_OF_RUN,
    ("DELETE", "browse/v1/models/mental-wellness/<str:model_run_id>"): WRITE_RUN,
    ("GET", "browse/v1/models/<str:model_run_id>"): PAGE_OF_RUN,
    ("GET", "browse/v1/webhooks"): PAGE_OF_ADMINS,
    ("POST", "browse/v1/webhooks"): ADMINS,
    ("GET", "browse/v1/webhooks/<str:webhook_id>"): PAGE_OF_ONE,
    ("DELETE", "browse/v1/webhooks/<str:webhook_id>"): ONE_OF_ADMINS,
    ("POST", "browse/v1/webhooks/<str:webhook_id>/rotate"): ONE_OF_ADMINS,
    ("POST", "browse/v1/webhooks/<str:webhook_id>/enable"): ONE_OF_ADMINS,
    ("POST", "browse/v1/webhooks/<str:webhook_id>/test"): ONE_OF_ADMINS,
    ("GET", "browse/v1/webhooks/<str:webhook_id>/deliveries"): PAGE_OF_ONE,
    ("POST", "browse/v1/webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/resend"): ONE_OF_ADMINS,
    ("GET", "browse/v1/usage"): PAGE,
    ("GET", "browse/api/v1/ext-api-keys"): PAGE_OF_ADMINS,
    ("POST", "browse/api/v1/ext-api-keys"): NEW_KEY,
    ("GET", "browse/api/v1/ext-api-keys/<str:key_id>"): PAGE_OF_ONE,
    ("PATCH", "browse/api/v1/ext-api-keys/<str:key_id>"): ONE_OF_ADMINS,
    ("DELETE", "browse/api/v1/ext-api-keys/<str:key_id>"): ONE_OF_ADMINS,
    ("POST", "browse/api/v1/ext-api-keys/<str:key_id>/rotate"): NEW_KEY_FOR_OLD,
    ("GET", "usage"): PAGE,
    ("GET", "key-replacements/<str:replacement_token>"): PAGE_OF_ONE._replace(staff=404),
    ("POST", "key-replacements/<str:replacement_token>"): PAGE_OF_ONE._replace(staff=404),
    ("GET", "browse/ext-api/v1/key"): PAGE,
    ("GET", "browse/ext-api/v1/audit-events"): PAGE_OF_ADMINS,
    ("GET", "browse/ext-api/v1/audit-events/export"): PAGE_OF_ADMINS,
    ("GET", "fhir/metadata"): OPEN,
    ("GET", "fhir/CodeSystem/<str:resource_id>"): OPEN,
    ("GET", "fhir/Patient/<str:resource_id>"): ONE_RUN,
    ("GET", "fhir/Appointment/<str:resource_id>"): ONE_RUN,
    ("GET", "fhir/DocumentReference/<str:resource_id>"): ONE_RUN,
    ("GET", "fhir/Observation"): Row(400, 400, 403, *NO_KEY),  # without a patient
    ("GET", "fhir/Observation/<str:resource_id>"): ONE_RUN,
    ("GET", "fhir"): NOT_BUILT,
    ("GET", "^fhir"): NOT_BUILT,
    ("GET", "browse/fhir/metadata"): PAGE,
    ("GET", "browse/fhir/CodeSystem/<str:resource_id>"): PAGE,
    ("GET", "browse/fhir/Patient/<str:resource_id>"): PAGE_OF_RUN,
    ("GET", "browse/fhir/Appointment/<str:resource_id>"): PAGE_OF_RUN,
    ("GET", "browse/fhir/DocumentReference/<str:resource_id>"): PAGE_OF_RUN,
    ("GET", "browse/fhir/Observation"): Row(*TO_LOG_IN, 403, 400, 400, 400),
    ("GET", "browse/fhir/Observation/<str:resource_id>"): PAGE_OF_RUN,
    ("GET", "openapi.json"): OPEN,
    ("GET", "api-reference"): OPEN,
    ("GET", "api-reference/<str:name>"): OPEN,
    ("GET", "livez"): OPEN,
    ("GET", "readyz"): OPEN,
    ("GET", "metrics"): OPEN,  # to this machine; from elsewhere its own token decides
    ("GET", "start"): ONWARDS,
    ("GET", "login"): SIGNED_OUT,
    ("GET", "login/code"): ONWARDS,  # it opens after the password alone
    ("GET", "login/inactive"): OPEN,
    ("POST", "logout"): Row(*[302] * 10),
    ("GET", "organization"): PAGE,
    ("POST", "organization/switch"): Row(*[302] * 10),  # to the log-in page, or back
    ("POST", "organization/rename"): FORM,
    ("POST", "organization/invite"): FORM,
    ("POST", "organization/leave"): Row(*TO_LOG_IN, 403, 302, 409, 409),  # the last admin stays
    ("POST", "organization/members/<int:membership_id>/role"): FORM._replace(foreign=404),
    ("POST", "organization/members/<int:membership_id>/remove"): ACT_ON_ONE,
    ("POST", "organization/invitations/<uuid:invitation_id>/withdraw"): ACT_ON_ONE,
    ("GET", "invitations/<str:token>"): OPEN,  # the token alone decides
    ("GET", "first-key"): PAGE_OF_ADMINS,
    ("POST", "first-key"): Row(*TO_LOG_IN, 403, 403, 403, 403),  # addresses that nobody has verified
    ("GET", "signup"): SIGNED_OUT._replace(**dict.fromkeys(Row._fields[:6], 403)),  # by invitation alone
    ("GET", "verify-email"): OPEN,
    ("POST", "verify-email/<str:key>"): Row(*[404] * 10),  # the mailed link alone decides
    ("GET", "reset-password"): OPEN,
    ("GET", "reset-password/sent"): OPEN,
    ("GET", "reset-password/done"): OPEN,
    ("GET", "reset-password/<str:uidb36>/<str:key>"): OPEN,
    ("GET", "account"): ACCOUNT,
    ("GET", "account/email"): ACCOUNT,
    ("GET", "account/password"): ACCOUNT,
    ("GET", "account/password/new"): ONWARDS,
    ("GET", "account/sessions"): ACCOUNT,
    ("GET", "account/confirm"): ACCOUNT,
    ("GET", "account/confirm/code"): Row(*TO_LOG_IN, 200, 302, 302, 302),
    ("GET", "account/two-step"): ACCOUNT,
    ("GET", "account/two-step/on"): ONWARDS,
    ("GET", "account/two-step/off"): Row(*TO_LOG_IN, 302, 404, 404, 404),
    ("GET", "account/recovery-codes"): Row(*TO_LOG_IN, 404, 404, 404, 404),
    ("GET", "account/recovery-codes/new"): ONWARDS,
    ("GET", "account/recovery-codes/download"): Row(*TO_LOG_IN, 404, 404, 404, 404),
    ("GET", "organization/close"): PAGE_OF_ADMINS,
    ("POST", "organization/close"): Row(*TO_LOG_IN, 403, 403, 400, 400),  # without its name
    ("POST", "organization/reopen"): Row(*TO_LOG_IN, 404, 404, 404, 404),  # nothing is closing
    ("GET", "organization/archive"): Row(*TO_LOG_IN, 404, 404, 404, 404),  # without a link
}
# One row for the admin, whose pages Django guards in one place.
ADMIN = STAFF_ONLY


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if route != "admin/":
                yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route.rstrip("/"), pattern.callback


ROUTES = dict(routes(get_resolver().url_patterns))


def test_healos_111_every_route_and_method_has_a_row() -> None:
    assert {route for _, route in MATRIX} == set(ROUTES)
    for route, view in ROUTES.items():
        methods = {method.upper() for method in getattr(view, "actions", {}) if method != "head"}
        assert methods <= {method for method, named in MATRIX if named == route}, route


@pytest.fixture
def clients(
    db: None, make_key: MakeKey, organization: Organization, other_organization: Organization
) -> dict[str, Client]:
    def with_key(**fields: Any) -> Client:
        return Client(headers={"x-api-key": make_key(**fields)[1]})

    def signed_in(email: str, organization: Organization | None, role: str = "member", **fields: Any) -> Client:
        user = User.objects.create_user(email, "a long password", **fields)
        if user.is_staff:
            with_totp(user)
        if organization is not None:
            Membership.objects.create(organization=organization, user=user, role=role)
        client = Client()
        client.force_login(user)
        return client

    key, revoked = make_key()
    revoke_key(actor=SYSTEM, key_id=key.id, reason="test")
    key, expired = make_key()
    ApiKey.objects.filter(id=key.id).update(expires_at=timezone.now() - timedelta(seconds=1))
    return {
        "own": with_key(),
        "other": with_key(organization=other_organization),
        "unscoped": with_key(scopes=["usage:read"]),
        "without usage:read": with_key(scopes=["patients:read"]),
        "revoked": Client(headers={"x-api-key": revoked}),
        "expired": Client(headers={"x-api-key": expired}),
        "anonymous": Client(),
        "staff": signed_in("staff@example.org", None, is_staff=True, is_superuser=True),
        "member": signed_in("member@example.org", organization),
        "admin": signed_in("admin@example.org", organization, "admin"),
        "foreign": signed_in("foreign@example.org", other_organization, "admin"),
    }


WEBHOOK = {"url": "https://93.184.216.34/hook", "events": ["model_run.completed"]}


def own_objects(client: Client, make_key: MakeKey, method: str, route: str) -> dict[str, str]:
    """What the route names, of the organisation that `client` has a key of, and untouched by anybody."""
    names = set(re.findall(r"<\w+:(\w+)>", route)) | ({"recordingUploadUrl"} if method == "PUT" else set())
    objects = {"name": "start.js", "uidb36": "0", "key": "0"}
    if names & {"model_run_id", "recordingUploadUrl"}:
        run = create(client)
        objects |= {"model_run_id": run["id"], "recordingUploadUrl": run["recordingUploadUrl"]}
    if names & {"webhook_id", "delivery_id"}:
        WebhookEndpoint.objects.all().delete()  # an organisation may have 20
        webhook = client.post("/v1/webhooks", WEBHOOK, content_type="application/json").json()
        delivery = client.post(f"/v1/webhooks/{webhook['id']}/test").json()
        objects |= {"webhook_id": webhook["id"], "delivery_id": delivery["id"]}
    if "patient_id" in names or "appointments" in route:
    if names & {"patient_id", "document_id"}:
        objects["patient_id"] = create_patient(client)["id"]
    if "export_id" in names:
        export = client.post(f"{PATIENTS}/{objects['patient_id']}/export", content_type="application/json").json()
        objects["export_id"] = export["data"]["id"]
    if names & {"note_id", "session_id"}:
        note = make_note(make_session(make_patient(Organization.objects.get(name="Northern Clinic"))))
        objects |= {"note_id": str(note.pk), "session_id": str(note.session_id)}
    if "appointment_id" in names:
        objects["appointment_id"] = book(client, patient_id=objects["patient_id"])["id"]
    if "document_id" in names:
        document = upload(client, of({"id": objects["patient_id"]})).json()["data"]
        objects |= {"document_id": document["id"], "public_url": document["public_url"]}
    if names & {"key_id", "replacement_token"}:
        key_id = str(make_key()[0].id)
        objects |= {"key_id": key_id, "replacement_token": token_for(key_id)}
    if "resource_id" in names:
        objects["resource_id"] = make_resource(Organization.objects.get(name="Northern Clinic"), route.split("/")[-2])
    if names & {"membership_id", "invitation_id", "token"}:
        objects |= own_people()
    return objects


def own_people() -> dict[str, str]:
    """A member and an invitation with a mailed link, of the organisation in which the runs are."""
    organization = Organization.objects.get(name="Northern Clinic")
    leaver, _ = User.objects.get_or_create(email="leaver@example.org")
    member, _ = Membership.objects.get_or_create(organization=organization, user=leaver)
    invitation = invite_member(actor=SYSTEM, organization=organization, email="guest@example.org", role="member")
    send_due_invitations()
    return {
        "membership_id": str(member.pk),
        "invitation_id": str(invitation.id),
        "token": str(mail.outbox[-1].body).partition("/invitations/")[2].split()[0],
    }


def token_for(key_id: str) -> str:
    """The token of a link to a new key in place of this one."""
    offered = KeyReplacement.objects.create(key_id=key_id, expires_at=timezone.now())
    return renew(offered).rpartition("/")[2]


def ask(client: Client, method: str, route: str, objects: dict[str, str]) -> int:
    path = "/" + re.sub(r"<\w+:(\w+)>", lambda found: objects[str(found[1])], route)
    if route == "browse":
        path += "/"
    if route.startswith("^"):
        path = f"/{route[1:]}/nothing"
    if method == "PUT":
        parts = urlsplit(objects["recordingUploadUrl"])
        path = f"{parts.path}?{parts.query}"
    if route.startswith("documents/"):
        answer: Any = client.get(objects["public_url"].removeprefix(settings.HELIOS_PUBLIC_BASE_URL))
        return len(content_of(answer)) and int(answer.status_code)
    if method == "POST" and route.endswith("/documents"):
        return int(upload(client, path, headers={"accept": "text/html"}).status_code)
    body: Any = minimal_body() if "models" in route else WEBHOOK if "webhooks" in route else {}
    if method == "POST" and route.endswith("ext-api-keys"):
        body = {"name": "new", "scopes": ["model_runs:read"]}
    if method == "PATCH" or (method == "POST" and route.endswith("patients")):
        body = {"status": "COMPLETED"} if "appointments" in route else {"name": "renamed"}
    if route.endswith("/erase"):
        body = {"reason": "test_data"}
    body = {"patient_id": objects["patient_id"], "start_at": START} if route.endswith("appointments") else body
    headers = {"accept": "text/html"} if route.startswith("browse") else {}
    answer = client.generic(method, path, json.dumps(body), content_type="application/json", headers=headers)
    return int(answer.status_code)


@pytest.mark.parametrize(("method", "route"), MATRIX)
def test_the_matrix_holds(method: str, route: str, clients: dict[str, Client], make_key: MakeKey) -> None:
    seen: dict[str, int] = {}
    objects: dict[str, str] = {}
    for caller in Row._fields:
        # A read leaves them as they are, and so must a refusal: the callers after it would be answered otherwise.
        if not objects and ("<" in route or route.endswith("appointments")):
            objects = own_objects(clients["own"], make_key, method, route)
        client = clients["without usage:read" if caller == "unscoped" and "usage" in route else caller]
        seen[caller] = ask(client, method, route, objects)
        if method != "GET" and seen[caller] < 400:
            objects = {}
    assert Row(**seen) == MATRIX[method, route]


def test_the_admin_is_for_staff(clients: dict[str, Client]) -> None:
    assert Row(*[clients[caller].get("/admin/").status_code for caller in Row._fields]) == ADMIN


def test_a_post_without_csrf_token_is_refused_in_the_browsable_api(organization: Organization) -> None:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = client.post("/browse/v1/models/mental-wellness", minimal_body(), content_type="application/json")
    assert response.status_code == 403
    assert post(client, minimal_body()).status_code == 401
    assert settings.SESSION_COOKIE_HTTPONLY
