"""Every route and method with the status that each kind of caller gets."""

from __future__ import annotations

from typing import NamedTuple


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
# Those of patients, for every member.
FORM_OF_MEMBERS = Row(*TO_LOG_IN, 403, 400, 400, 400)
ACT_OF_MEMBERS = Row(*TO_LOG_IN, 403, 302, 302, 404)
FORM_OF_PATIENT = FORM_OF_MEMBERS._replace(foreign=404)
NOT_DELETED = Row(*TO_LOG_IN, 403, 404, 404, 404)  # and so not to be restored
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
    ("POST", "v1/models/mental-wellness-activity"): WITH_KEY,
    ("GET", "activity/<str:model_run_id>"): Row(*[403] * 10),  # the signed link alone decides
    ("POST", "activity/<str:model_run_id>/consent"): Row(*[403] * 10),
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
    ("GET", "ext-api/v1/export"): WITH_KEY,
    ("POST", "ext-api/v1/import"): WITH_KEY._replace(own=400, other=400),  # the body is no file of lines
    ("GET", "browse/ext-api/v1/export"): PAGE,
    ("POST", "browse/ext-api/v1/import"): WRITE._replace(member=400, admin=400, foreign=400),
    ("GET", "ext-api/v1"): NOT_BUILT,
    ("GET", "^ext-api/v1"): NOT_BUILT,  # whatever else stands under it
    ("GET", "browse"): PAGE,
    ("GET", "browse/v1/account"): PAGE,
    ("GET", "browse/v1/models/mental-wellness"): PAGE,
    ("POST", "browse/v1/models/mental-wellness"): WRITE,
    ("POST", "browse/v1/models/mental-wellness-activity"): WRITE,
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
    ("GET", "keys"): PAGE_OF_ADMINS,
    ("GET", "keys/new"): PAGE_OF_ADMINS,
    ("POST", "keys/new"): FORM,
    ("GET", "keys/<uuid:key_id>"): PAGE_OF_ONE,
    ("POST", "keys/<uuid:key_id>"): FORM._replace(foreign=404),
    ("GET", "keys/<uuid:key_id>/rotate"): PAGE_OF_ONE,
    ("POST", "keys/<uuid:key_id>/rotate"): FORM._replace(foreign=404),
    ("GET", "keys/<uuid:key_id>/revoke"): PAGE_OF_ONE,
    ("POST", "keys/<uuid:key_id>/revoke"): FORM._replace(foreign=404),
    ("GET", "usage"): PAGE,
    ("GET", "audit"): PAGE_OF_ADMINS,
    ("GET", "audit/download"): PAGE_OF_ADMINS,
    ("GET", "webhooks"): PAGE_OF_ADMINS,
    ("GET", "webhooks/new"): PAGE_OF_ADMINS,
    ("POST", "webhooks/new"): FORM,
    ("GET", "webhooks/<uuid:webhook_id>"): PAGE_OF_ONE,
    ("GET", "webhooks/<uuid:webhook_id>/deliveries"): PAGE_OF_ONE,
    ("POST", "webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/resend"): ACT_ON_ONE,
    ("POST", "webhooks/<uuid:webhook_id>/test"): ACT_ON_ONE,
    ("POST", "webhooks/<uuid:webhook_id>/enable"): ACT_ON_ONE,
    ("POST", "webhooks/<uuid:webhook_id>/disable"): ACT_ON_ONE._replace(admin=400),  # without a reason
    ("POST", "webhooks/<uuid:webhook_id>/rotate"): ACT_ON_ONE._replace(admin=200),  # the secret
    ("POST", "webhooks/<uuid:webhook_id>/delete"): ACT_ON_ONE,
    ("GET", "checks/new"): PAGE,
    ("POST", "checks/new"): Row(*TO_LOG_IN, 403, 400, 400, 400),  # nothing is in the form
    ("GET", "patients"): PAGE,
    ("GET", "patients/deleted"): PAGE,
    ("GET", "patients/new"): PAGE,
    ("POST", "patients/new"): FORM_OF_MEMBERS,
    ("GET", "patients/<int:patient_id>"): PAGE_OF_RUN,
    ("GET", "patients/<int:patient_id>/edit"): PAGE_OF_RUN,
    ("POST", "patients/<int:patient_id>/edit"): FORM_OF_MEMBERS._replace(foreign=404),
    ("POST", "patients/<int:patient_id>/consent"): ACT_OF_MEMBERS,
    ("GET", "patients/<int:patient_id>/delete"): PAGE_OF_RUN,
    ("POST", "patients/<int:patient_id>/delete"): ACT_OF_MEMBERS._replace(member=409, admin=409),  # of which version?
    ("POST", "patients/<int:patient_id>/restore"): ACT_OF_MEMBERS,
    ("GET", "patients/<int:patient_id>/archives"): PAGE_OF_RUN,
    ("POST", "patients/<int:patient_id>/archives"): ACT_OF_MEMBERS,
    ("POST", "patients/<int:patient_id>/archives/<uuid:export_id>"): ACT_OF_MEMBERS._replace(member=404, admin=404),
    ("GET", "patients/<int:patient_id>/erase"): PAGE_OF_RUN,
    ("POST", "patients/<int:patient_id>/erase"): FORM_OF_MEMBERS._replace(foreign=404),
    ("GET", ""): PAGE._replace(**dict.fromkeys(Row._fields[:6], 200)),  # strangers read what this is
    ("POST", "sample-run"): Row(*TO_LOG_IN, 403, 302, 302, 302),  # on to the run's page
    ("GET", "sample.wav"): PAGE,
    ("GET", "runs"): PAGE,
    ("GET", "runs/status"): PAGE,
    ("GET", "runs/<uuid:model_run_id>"): PAGE_OF_RUN,
    ("POST", "runs/<uuid:model_run_id>/delete"): Row(*TO_LOG_IN, 403, 302, 302, 404),
    ("GET", "runs/<uuid:model_run_id>.json"): PAGE_OF_RUN,
    ("GET", "runs/<uuid:model_run_id>.csv"): PAGE_OF_RUN,
    ("GET", "runs/<uuid:model_run_id>/model-card"): PAGE_OF_RUN,
    ("GET", "appointments"): PAGE,
    ("GET", "patients/<int:patient_id>/appointments"): PAGE_OF_RUN,
    ("GET", "patients/<int:patient_id>/appointments/new"): PAGE_OF_RUN,
    ("POST", "patients/<int:patient_id>/appointments/new"): FORM_OF_PATIENT,
    ("GET", "patients/<int:patient_id>/appointments/<uuid:appointment_id>"): PAGE_OF_RUN,
    ("POST", "patients/<int:patient_id>/appointments/<uuid:appointment_id>"): FORM_OF_PATIENT,
    ("POST", "patients/<int:patient_id>/appointments/<uuid:appointment_id>/cancel"): ACT_OF_MEMBERS,
    ("POST", "patients/<int:patient_id>/appointments/<uuid:appointment_id>/delete"): ACT_OF_MEMBERS,
    ("POST", "patients/<int:patient_id>/appointments/<uuid:appointment_id>/restore"): NOT_DELETED,
    ("GET", "patients/<int:patient_id>/documents"): PAGE_OF_RUN,
    ("POST", "patients/<int:patient_id>/documents"): ACT_OF_MEMBERS,
    ("GET", "patients/<int:patient_id>/documents/status"): PAGE,
    ("GET", "patients/<int:patient_id>/documents/<uuid:document_id>/file"): ACT_OF_MEMBERS,
    ("POST", "patients/<int:patient_id>/documents/<uuid:document_id>/delete"): ACT_OF_MEMBERS,
    ("POST", "patients/<int:patient_id>/documents/<uuid:document_id>/restore"): NOT_DELETED,
    ("GET", "patients/<int:patient_id>/notes"): PAGE_OF_RUN,
    ("GET", "patients/<int:patient_id>/notes/<uuid:note_id>"): PAGE_OF_RUN,
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
    ("GET", "docs"): OPEN,
    ("GET", "docs/<slug:page>"): OPEN,
    ("GET", "docs/<path:file>"): OPEN,
    ("GET", "livez"): OPEN,
    ("GET", "readyz"): OPEN,
    ("GET", "metrics"): OPEN,  # to this machine; from elsewhere its own token decides
    ("GET", "favicon.ico"): Row(*[302] * 10),
    ("GET", "start"): ONWARDS,
    ("GET", "login"): SIGNED_OUT,
    ("GET", "login/code"): ONWARDS,  # it opens after the password alone
    ("GET", "login/inactive"): OPEN,
    ("POST", "logout"): Row(*[302] * 10),
    ("GET", "organization"): PAGE,
    ("POST", "organization/switch"): Row(*[302] * 10),  # to the log-in page, or back
    ("GET", "organization/settings"): PAGE_OF_ADMINS,
    ("POST", "organization/rename"): FORM,
    ("POST", "organization/defaults"): FORM._replace(admin=302, foreign=302),  # nothing chosen is a choice
    ("POST", "organization/invite"): FORM,
    ("POST", "organization/activity-origins"): FORM._replace(admin=302, foreign=302),  # none is a choice
    ("POST", "organization/consent-text"): FORM,
    ("GET", "organization/consent-texts/<int:number>"): PAGE_OF_ONE,
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
