"""Audit events as sentences: who, then what they did, in the words of the console."""

from __future__ import annotations

from types import MappingProxyType

from apps.accounts.models import AuditEvent
from apps.api_keys.audit_events.selectors import Actors

# Group -> action -> what somebody did. An action that is not here is told by its own name.
_GROUPS = {
    "Keys": {
        "api_key.created": "issued an API key",
        "api_key.changed": "changed an API key",
        "api_key.rotated": "rotated an API key",
        "api_key.revoked": "revoked an API key",
        "api_key.refused": "refused an API key",
        "api_key.searched": "looked an API key up by its text",
        "api_key.leak_seen": "was told that an API key leaked",
        "api_key.replacement_offered": "offered a new key in place of a revoked one",
        "api_key.replaced": "took a new key in place of a revoked one",
        "api_key.notice_sent": "mailed the admins about an API key",
        "api_key.listed": "looked at the list of API keys",
        "api_key.read": "looked at an API key",
    },
    "Runs": {
        "model_run.created": "created a run",
        "model_run.recording_received": "took the recording of a run",
        "model_run.consent_given": "noted a person's consent to a run",
        "model_run.completed": "scored a run",
        "model_run.failed": "ended a run without scores",
        "model_run.rerun": "had a run scored again",
        "model_run.listed": "looked at the list of runs",
        "model_run.read": "read a run",
        "model_run.history_read": "read a person's history",
        "model_run.baseline_read": "read a person's baseline",
        "model_run.deleted": "deleted a run",
        "model_run.abandoned": "gave up a run whose recording never came",
        "model_run.recording_expired": "removed a recording whose time was over",
        "model_run.erased": "erased the data of a run",
        "wellness_model.activated": "switched to another wellness model",
        "wellness_model.rolled_back": "went back to an earlier wellness model",
    },
    "Patients": {
        "patient.created": "registered a patient",
        "patient.changed": "changed a patient",
        "patient.listed": "looked at the list of patients",
        "patient.read": "read a patient's record",
        "patient.revealed": "revealed a patient's details",
        "patient.deleted": "deleted a patient",
        "patient.restored": "restored a patient",
        "patient.purged": "removed a deleted patient for good",
        "patient.erased": "erased a patient and everything about them",
        "patient.imported": "imported patients",
        "patient.exported": "exported patients",
        "patient.export_requested": "asked for everything about a patient as a file",
        "patient.export_failed": "could not make the file about a patient",
        "patient.export_read": "looked whether the file about a patient is ready",
        "patient.export_downloaded": "sent the file about a patient to whoever has its link",
        "patient.model_runs_listed": "looked at the runs of a patient",
        "patient.wellness_read": "read a patient's wellness history",
    },
    "Appointments, documents and notes": {
        "appointment.created": "made an appointment",
        "appointment.changed": "changed an appointment",
        "appointment.listed": "looked at the list of appointments",
        "appointment.read": "read an appointment",
        "appointment.revealed": "revealed an appointment's details",
        "appointment.deleted": "deleted an appointment",
        "appointment.restored": "restored an appointment",
        "appointment.purged": "removed a deleted appointment for good",
        "document.created": "uploaded a document",
        "document.listed": "looked at a patient's documents",
        "document.read": "read what is known of a document",
        "document.opened": "opened a document",
        "document.downloaded": "sent a document to whoever has its link",
        "document.deleted": "deleted a document",
        "document.restored": "restored a document",
        "document.purged": "removed a deleted document for good",
        "session.read": "read the notes of a session",
        "session.purged": "removed a session of a deleted patient for good",
        "note.created": "wrote a note",
        "note.changed": "changed a note",
        "note.listed": "looked at the list of notes",
        "note.read": "read a note",
        "note.revealed": "revealed a note",
        "note.exported": "exported notes",
        "note.deleted": "deleted a note",
        "note.restored": "restored a note",
        "note.purged": "removed a deleted note for good",
    },
    "Webhooks": {
        "webhook.created": "made a webhook",
        "webhook.test_sent": "sent a test event to a webhook",
        "webhook.resent": "sent an event again to a webhook",
        "webhook.secret_rotated": "rotated the secret of a webhook",
        "webhook.disabled": "disabled a webhook",
        "webhook.enabled": "enabled a webhook",
        "webhook.deleted": "deleted a webhook",
        "webhook.notice_sent": "mailed the admins about a webhook",
        "webhook.read": "looked at a webhook",
        "webhook_delivery.read": "looked at a delivery to a webhook",
    },
    "People and sign-in": {
        "user.signed_up": "signed up",
        "user.email_verified": "confirmed an e-mail address",
        "user.signed_in": "signed in",
        "user.signed_out": "signed out",
        "user.sign_in_failed": "refused a sign-in",
        "user.session_ended": "ended a session",
        "user.password_changed": "changed the own password",
        "user.password_reset": "set a new password by a mailed link",
        "user.email_changed": "changed the own e-mail address",
        "user.totp_added": "switched two-step sign-in on",
        "user.totp_removed": "switched two-step sign-in off",
        "user.recovery_codes_made": "made recovery codes",
        "invitation.created": "invited somebody",
        "invitation.accepted": "accepted an invitation",
        "invitation.withdrawn": "withdrew an invitation",
        "membership.created": "added a member",
        "membership.changed": "changed a member's role",
        "membership.removed": "removed a member",
    },
    "Organisation": {
        "organization.created": "created the organisation",
        "organization.changed": "changed the organisation",
        "organization.renamed": "renamed the organisation",
        "organization.plan_changed": "changed the plan",
        "organization.defaults_changed": "changed what new checks begin with",
        "organization.activity_origins_changed": "changed the allowed origins of the hosted activity",
        "organization.consent_text_changed": "changed the consent text",
        "organization.suspended": "suspended the organisation",
        "organization.resumed": "ended the suspension of the organisation",
        "organization.closing": "began to close the organisation",
        "organization.reopened": "opened the organisation again",
        "organization.exported": "made the archive of the organisation",
        "organization.archive_downloaded": "sent the archive to whoever has its link",
        "organization.erased": "erased the organisation's data",
        "organization.notice_sent": "mailed the admins about the organisation",
        "organization.read": "looked at the organisation",
        "request.replayed": "got the kept answer to an earlier call again",
    },
    "Audit log": {
        "audit_event.listed": "looked at the audit log",
        "audit_event.exported": "downloaded the audit log",
    },
}
GROUPS = MappingProxyType(_GROUPS)
ACTIONS = MappingProxyType({action: words for group in _GROUPS.values() for action, words in group.items()})

# Outcomes that the words of their actions tell already, and others.
TOLD = frozenset({"ok", "failed", "refused", "error"})
OUTCOMES = MappingProxyType({"rolled_back": "undone"})


def did(event: AuditEvent) -> str:
    return ACTIONS.get(event.action) or f"did “{event.action}”"


def outcome(event: AuditEvent) -> str:
    """How it ended, where that is not told yet."""
    return "" if event.outcome in TOLD else OUTCOMES.get(event.outcome, event.outcome)


def who(event: AuditEvent, actors: Actors) -> str:
    """As the API tells it: a member by address, a key by its first characters; of staff only that it was staff."""
    match event.actor_type:
        case AuditEvent.Actor.USER:
            return actors.emails.get(event.actor_id, "Somebody who is no member")
        case AuditEvent.Actor.KEY:
            prefix = actors.key_prefixes.get(event.actor_id)
            return f"Key {prefix}…" if prefix else "A key that is gone"
        case AuditEvent.Actor.STAFF:
            return "Staff"
        case _:
            return "Helios"
