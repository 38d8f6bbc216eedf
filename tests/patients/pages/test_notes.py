"""A patient's notes in the console, which are only read there."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent, Membership, User
from apps.patients.models import Note, Patient
from tests.contract.healos.notes import at, make_note, make_patient, make_session
from tests.pages import page_text
from tests.patients.pages.reading import recorded, text_of

pytestmark = pytest.mark.django_db


def path_of(patient: Patient, *parts: object) -> str:
    return "/".join(map(str, (f"/patients/{patient.pk}/notes", *parts)))


def test_notes_come_newest_first_with_their_sessions(member: Client, doctor: User, maria: Patient) -> None:
    make_note(make_session(maria), created_at=at(1), content="Older", note_type="intake")
    run_id = uuid4()
    check = make_session(maria, title="Voice wellness check", text="I slept badly.", model_run_id=run_id)
    make_note(check, created_at=at(3), note_type="wellness_check", content="Distress 0.62")
    written = make_note(
        make_session(maria), created_at=at(2), created_by=doctor, specialty="Psychiatry",
        content="First line\n<script>alert(1)</script> & more",
    )  # fmt: skip
    make_note(make_session(make_patient(maria.organization, "Ben")), content="Somebody else's")
    answer = member.get(path_of(maria))
    text, html = text_of(answer), answer.content.decode()
    assert text.index("Distress 0.62") < text.index("First line") < text.index("Older")
    assert "Wellness check, 2026-03-15 Voice wellness check · written by a check · 2026-03-03 00:00" in text
    assert "Clinical visit, 2026-03-15 First visit · Psychiatry · by Dr Amara Osei" in text
    assert "Intake, 2026-03-15 First visit · author not known" in text
    assert '<p class="written">First line\n&lt;script&gt;alert(1)&lt;/script&gt; &amp; more</p>' in html
    assert re.search(r"<details>\s*<summary>What was said.*?</summary>\s*<p class=\"written\">I slept badly.", html)
    assert html.count(f'href="/runs/{run_id}"') == 1
    assert f'href="{path_of(maria, written.pk)}"' in html
    assert "Somebody else's" not in text
    [event] = AuditEvent.objects.all()
    assert (event.action, event.reason, event.actor_id) == (
        "note.listed",
        f"of patient {maria.pk}, with their texts",
        str(doctor.pk),
    )


def test_a_long_note_is_cut_in_the_list_and_whole_on_its_page(member: Client, maria: Patient) -> None:
    session = make_session(maria, text="said " * 1000 + "the last word", summary="In short")
    note = make_note(
        session, content="text " * 1000 + "the end", problems=["Sleep"], procedures=["Talk"],
        icd10_codes={"F41.1": "Anxiety"}, template_name="Visit",
    )  # fmt: skip
    short = text_of(member.get(path_of(maria)))
    assert ("the end" in short, "the last word" in short) == (False, False)
    assert "Read the whole note" in short
    whole = text_of(member.get(path_of(maria, note.pk)))
    for said in ("the end", "the last word", "Problems Sleep", "Procedures Talk", "ICD-10 F41.1: Anxiety", "In short"):
        assert said in whole, said
    assert recorded() == [("note.listed", "", "user"), ("note.read", str(note.pk), "user")]


@pytest.mark.parametrize(("general", "own", "leave"), [(False, None, False), (True, None, True), (True, False, False)])
def test_an_empty_page_says_where_notes_come_from(
    member: Client, doctor: User, maria: Patient, settings: Any, general: bool, own: bool | None, leave: bool
) -> None:
    settings.HEALOS_NOTES_FROM_RUNS = general
    maria.organization.notes_from_runs = own
    maria.organization.save()
    text = text_of(member.get(path_of(maria)))
    assert "There is no note yet. Notes come from imports" in text
    assert ("each finished check of this patient leaves one" in text) is leave
    assert ("An admin of your organisation can switch it on" in text) is not leave
    Membership.objects.filter(user=doctor).update(role="admin")
    assert ("Switch it on in the settings" in text_of(member.get(path_of(maria)))) is not leave


def test_two_hundred_cost_no_more_than_one_and_come_in_pages(member: Client, doctor: User, maria: Patient) -> None:
    session = make_session(maria)
    make_note(session, created_by=doctor)
    with CaptureQueriesContext(connection) as few:
        member.get(path_of(maria))
    Note.objects.bulk_create(
        Note(
            organization=maria.organization, patient=maria, session=session, created_by=doctor,
            content=f"number-{number} " + "word " * 2000,
        )
        for number in range(200)
    )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        html = member.get(path_of(maria)).content.decode()
    assert len(many) == len(few) == 7
    assert len(html) < 200_000
    pages = 1
    while older := re.findall(r'href="(\?before=[^"]+)"', html[-3000:]):
        html += member.get(path_of(maria) + older[0]).content.decode()
        pages += 1
    assert (pages, len(set(re.findall(r"number-\d+", html)))) == (5, 200)


def test_of_others_there_is_nothing(member: Client, stranger: Client, maria: Patient) -> None:
    note, ben = make_note(make_session(maria)), make_patient(maria.organization, "Ben")
    unknown = stranger.get(f"/patients/1/notes/{uuid4()}")
    for path in (path_of(maria), path_of(maria, note.pk)):
        assert (stranger.get(path).status_code, page_text(stranger.get(path))) == (404, page_text(unknown))
        assert Client().get(path).status_code == 302
    assert member.get(path_of(ben, note.pk)).status_code == 404
    assert member.get(path_of(maria) + "?before=x").status_code == 404
    assert member.post(path_of(maria)).status_code == 405
    assert not AuditEvent.objects.exists()
