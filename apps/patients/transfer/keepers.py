"""How patients, appointments and notes are kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4, uuid5

from django.conf import settings
from django.db import connection

from apps.accounts.models import Membership
from apps.patients.appointments.services import check_rule
from apps.patients.ids import new_patient_id, parse_patient_id
from apps.patients.models import Appointment, Note, Patient, Session
from apps.patients.services.patients import apply_changes, with_consent_time, with_search_name
from apps.patients.transfer.keeping import Import, Keeper, present
from apps.patients.transfer.lines import APPOINTMENT, NOTE, PATIENT, Line
from helios_site.api.families.healos.fields import parse_uuid

_OURS = UUID("6f1c5b1e-5d4e-4f0c-9d0e-0c6f5a3f7b52")
_HOLD = """
SELECT id, external_id FROM patients_patient
WHERE organization_id = %s AND deleted_at IS NULL AND (id = ANY(%s) OR external_id = ANY(%s))
ORDER BY id FOR SHARE
"""


class PatientKeeper(Keeper):
    kind, model = PATIENT, Patient

    def new_pk(self, line: Line, attempt: int) -> int:
        return new_patient_id()

    def own_pks(self, line: Line, new_pk: Any) -> list[Any]:
        return [parse_patient_id(line.file_id or "")]

    def values(self, line: Line, *, new: bool) -> dict[str, Any]:
        values = with_search_name(super().values(line, new=new))
        return with_consent_time(values) if new else values

    def change(self, record: Patient, changes: dict[str, Any]) -> bool:
        return apply_changes(record, changes)

    def made_known(self, line: Line) -> int:
        if line.created:
            self.wanted.made[line.pk] = line.number
        return line.pk or 0


class KeeperOfPatient(Keeper):
    """Keeps what belongs to a patient, who is in a line above or in the organisation already."""

    def prepared(self, lines: list[Line]) -> list[Line]:
        known = self.wanted.known
        by_id = known.find(f"{PATIENT}.id", present(line.patient_file_id for line in lines))
        by_name = known.find(f"{PATIENT}.external_id", present(line.patient_external_id for line in lines))
        for line in lines:
            above = by_id.get(line.patient_file_id or "") or by_name.get(line.patient_external_id or "")
            if above is not None and above.line < line.number:
                line.patient_id = above.pk
            else:
                line.patient_id = parse_patient_id(line.patient_file_id or "")
        ids, by_external_id = self._held(lines)
        for line in lines:
            if line.patient_id is None:
                line.patient_id = by_external_id.get(line.patient_external_id)
            elif line.patient_id not in ids and not (self.wanted.dry_run and line.patient_id == 0):
                line.patient_id = None
            if line.patient_id is None or self.wanted.made.get(line.patient_id, 0) > line.number:
                line.fail(settings.HEALOS_ERROR_TEXTS["patient"])
        return [line for line in lines if line.reply is None]

    def _held(self, lines: list[Line]) -> tuple[set[int], dict[str | None, int]]:
        """The ids of those patients who are there, also by external id. None of them can be deleted before the end of
        the transaction."""
        ids, names = (present(getattr(line, name) for line in lines) for name in ("patient_id", "patient_external_id"))
        with connection.cursor() as cursor:
            cursor.execute(_HOLD, [self.wanted.organization_id, list(ids), list(names)])
            rows = cursor.fetchall()
        return {pk for pk, _ in rows}, {name: pk for pk, name in rows if name is not None}

    def new_pk(self, line: Line, attempt: int) -> UUID:
        """Without an `external_id` it follows from the id in the file, so that the line is known when the file is sent
        again. After an attempt it is another, since a deleted record may have it."""
        if line.file_id is None or line.external_id is not None:
            return uuid4()
        return uuid5(_OURS, f"{self.kind} {attempt} {line.patient_id} {line.file_id}")

    def own_pks(self, line: Line, new_pk: Any) -> list[Any]:
        return [parse_uuid(line.file_id or ""), new_pk]

    def is_of(self, line: Line, record: Any) -> bool:
        return bool(record.patient_id == line.patient_id)

    def values(self, line: Line, *, new: bool) -> dict[str, Any]:
        return super().values(line, new=new) | {"patient_id": line.patient_id}


class AppointmentKeeper(KeeperOfPatient):
    kind, model = APPOINTMENT, Appointment

    def values(self, line: Line, *, new: bool) -> dict[str, Any]:
        return (settings.HEALOS_APPOINTMENT_DEFAULTS if new else {}) | super().values(line, new=new)

    def check(self, record: Appointment, changes: dict[str, Any]) -> None:
        check_rule(changes["start_at"], changes.get("repeat_rule", record.repeat_rule))


class NoteKeeper(KeeperOfPatient):
    """A note comes with its session, which notes of one patient and one `session_id` share."""

    kind, model = NOTE, Note

    def __init__(self, wanted: Import) -> None:
        super().__init__(wanted)
        members = Membership.objects.filter(organization_id=wanted.organization_id)
        self._members = {str(member) for member in members.values_list("user_id", flat=True)}
        self._sessions: set[tuple[UUID, int]] = set()  # that the patients of the batch have already

    def prepared(self, lines: list[Line]) -> list[Line]:
        lines = super().prepared(lines)
        sessions = Session.objects.filter(
            organization_id=self.wanted.organization_id,
            pk__in=present(parse_uuid(line.fields.get("session_id") or "") for line in lines),
        )
        self._sessions = set(sessions.values_list("pk", "patient_id"))
        return lines

    def values(self, line: Line, *, new: bool) -> dict[str, Any]:
        values = super().values(line, new=new)
        values.pop("transcript", None)
        session = values.pop("session_id", None)
        author = values.pop("created_by", None)
        if new:
            values["session_id"] = self._session(line, session)
        if author in self._members:
            values["created_by_id"] = UUID(author)
        return values

    def _session(self, line: Line, named: str | None) -> UUID:
        """The patient's session of that id, or else a new one."""
        own = parse_uuid(named or "")
        if own is not None and (own, line.patient_id) in self._sessions:
            return own
        return uuid4() if named is None else uuid5(_OURS, f"session {line.patient_id} {named}")

    def before_insert(self, rows: list[tuple[Line, Any]]) -> None:
        sessions: dict[UUID, Session] = {}
        for line, note in rows:
            said = {"session_date": note.created_at.date()} | (line.fields.get("transcript") or {})
            sessions.setdefault(
                note.session_id,
                Session(
                    pk=note.session_id, organization_id=note.organization_id, patient_id=note.patient_id,
                    created_at=note.created_at, **said,
                ),
            )  # fmt: skip
        Session.objects.bulk_create(sorted(sessions.values(), key=lambda one: one.pk), ignore_conflicts=True)
