"""The page of a new check: the form, the link or the upload that comes of it, and what is refused in which words."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.model_runs.models import ModelRun
from apps.model_runs.pages.check_link import qr_code
from apps.patients.models import Patient
from apps.patients.services import delete_patient
from tests.model_runs.conftest import FAILED, MakeRun, exists
from tests.model_runs.test_full_disk import refusing, stored
from tests.model_runs.test_result_pages import SignIn, member, on_record, sign_in, text_of
from tests.pages import INLINE, page_text
from tests.patients.people import make_patient

__all__ = ["member", "sign_in"]  # fixtures

pytestmark = pytest.mark.django_db
PAGE = "/checks/new"
PERSON = {"label": "person-1", "date_of_birth": "1990-08-24", "birth_sex": "FEMALE", "language": "en-GB"}
BY_LINK = {**PERSON, "how": "link", "good_for": "86400"}
RECORDING = b"RIFF" + b"\0" * 5000
Send = Callable[..., Any]


@pytest.fixture
def send(member: Client) -> Send:
    def post(client: Client = member, **changes: Any) -> Any:
        return client.post(PAGE, {**BY_LINK, "form": str(uuid4()), **changes})

    return post


def by_upload(content: bytes = RECORDING) -> dict[str, Any]:
    return {"how": "upload", "recording": SimpleUploadedFile("me.wav", content)}


def said_by(answer: Any) -> str:
    """What a form that was refused says is wrong."""
    assert answer.status_code == 400, answer.content
    assert answer.content.decode().count("<title>Error: ") == 1
    alert = re.search(r'role="alert"[^>]*>(.*?)</div>', answer.content.decode(), re.DOTALL)
    assert alert is not None
    return html.unescape(re.sub(r"<[^>]+>|\s+", " ", alert[1])).strip()


def link_on(client: Client, run: ModelRun) -> str:
    found = re.search(r'id="check-link" value="([^"]+)"', client.get(f"/runs/{run.id}").content.decode())
    return html.unescape(found[1]) if found else ""


@pytest.mark.parametrize(("seconds", "role"), [("3600", "member"), ("604800", "admin")])
def test_a_link_is_made_that_is_good_as_long_as_was_chosen(
    organization: Organization, seconds: str, role: str, send: Send
) -> None:
    user = User.objects.create_user("somebody@example.org")
    Membership.objects.create(organization=organization, user=user, role=role)
    client = Client()
    client.force_login(user)
    answer = send(client, good_for=seconds, tags="site: north\nfirst", sleep_time="2026-01-05T23:10", erase="on")
    run = ModelRun.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.id}")
    assert (run.organization_id, run.user_label, run.status) == (organization.id, "person-1", "CREATED")
    assert (run.date_of_birth, run.birth_sex, run.language) == (date(1990, 8, 24), "FEMALE", "en-GB")
    assert run.tags == [{"name": "site", "value": "north"}, {"name": "first", "value": ""}]
    assert (run.sleep_time, run.delete_data, run.data_to_delete) == ("2026-01-05T23:10", True, [])
    assert run.upload_expires_at - run.created_at == timedelta(seconds=int(seconds))
    event = AuditEvent.objects.get(action="model_run.created")
    assert (event.actor_type, event.actor_id, event.object_id) == ("user", str(user.pk), str(run.id))


def test_the_link_can_be_copied_mailed_and_scanned_until_it_expires(member: Client, send: Send) -> None:
    send()
    run = ModelRun.objects.get()
    page = member.get(f"/runs/{run.id}")
    html_text, link = page.content.decode(), link_on(member, run)
    opened = Client().get(f"{urlsplit(link).path}?{urlsplit(link).query}")
    assert opened.status_code == 200, "it is the activity's"
    assert 'data-copy="check-link"' in html_text
    mail = re.search(r'href="(mailto:[^"]+)"', html_text)
    assert mail is not None
    message = parse_qs(html.unescape(mail[1]).partition("?")[2])
    assert message["subject"] == ["Your voice check for Northern Clinic"]
    assert link in message["body"][0]
    assert f"{run.upload_expires_at:%Y-%m-%d %H:%M} UTC" in message["body"][0]
    assert not re.search("strain|stress|distress|fatigue", message["body"][0], re.IGNORECASE)
    assert qr_code(link)["path"] in html_text
    left = re.search(r'data-seconds-left="(\d+)"', html_text)
    assert left is not None
    assert 86_300 < int(left[1]) <= 86_400
    assert "good for one recording" in text_of(page)
    assert not INLINE.search(html_text)
    assert "no-store" in page["Cache-Control"]

    ModelRun.objects.filter(id=run.id).update(upload_expires_at=timezone.now())
    assert link_on(member, run) == ""
    late = member.get(f"/runs/{run.id}")
    assert "Nothing was recorded in time" in text_of(late)
    again = member.get(f"{PAGE}?again={run.id}").content.decode()
    assert f"{PAGE}?again={run.id}" in late.content.decode()
    assert 'value="person-1"' in again
    assert 'value="1990-08-24"' in again


def test_a_qr_code_is_the_text_in_squares() -> None:
    code = qr_code("https://example.org/")
    assert code["size"] == 25 + 2 * 4, "version 2 with its quiet edge"
    rows = [[False] * code["size"] for _ in range(code["size"])]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", code["path"]):
        for column in range(int(x), int(x) + int(width)):
            rows[int(y)][column] = True
    finder = [row[4:11] for row in rows[4:11]]
    assert ["".join("#" if dark else "." for dark in row) for row in finder] == [
        "#######", "#.....#", "#.###.#", "#.###.#", "#.###.#", "#.....#", "#######",
    ]  # fmt: skip
    assert not any(map(any, rows[:4]))


def test_an_uploaded_recording_runs(member: Client, send: Send) -> None:
    answer = send(**by_upload(), recording_time="2026-01-05T10:00")
    run = ModelRun.objects.get()
    assert answer["Location"] == f"/runs/{run.id}"
    assert (run.status, run.recording_bytes, run.recording_time) == ("RUNNING", len(RECORDING), "2026-01-05T10:00")
    assert exists(run.recording_key)
    assert list(AuditEvent.objects.order_by("id").values_list("action", flat=True)) == [
        "model_run.created", "model_run.recording_received",
    ]  # fmt: skip
    assert link_on(member, run) == ""


def test_a_form_that_is_sent_twice_makes_one_run_and_a_changed_one_another(send: Send) -> None:
    form = str(uuid4())
    first, second = (send(form=form, **by_upload())["Location"] for _ in range(2))
    assert first == second
    assert ModelRun.objects.count() == 1
    assert "belongs to another recording" in said_by(send(form=form, **by_upload(b"another")))
    assert send(form=form, label="somebody else", **by_upload())["Location"] != first
    assert send(form="", label="no mark").status_code == 302
    assert ModelRun.objects.count() == 3
    assert AuditEvent.objects.filter(action="model_run.created").count() == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label": ""}, "Enter a label"),
        ({"label": "x" * 51}, "Enter a label of at most 50 letters."),
        ({"label": "a\0b"}, "Enter a label"),
        ({"date_of_birth": ""}, "Enter the date of birth"),
        ({"date_of_birth": "2999-01-01"}, "it cannot be in the future"),
        ({"birth_sex": ""}, "Choose the birth sex."),
        ({"language": "xx-XX"}, "Choose what is spoken."),
        ({"sleep_time": "yesterday"}, "Enter when sleep began"),
        ({"tags": "a\na"}, "each name once"),
        ({"erase": "on", "erase_only": "ALL"}, "Choose what to erase"),
        ({"good_for": "999999"}, "Choose how long the link is good."),
        ({"good_for": "x"}, "Choose how long the link is good."),
        ({"how": ""}, "Choose how the recording comes."),
        ({"how": "upload"}, "Choose the file of the recording."),
        (by_upload(b""), "The file is empty."),
        ({"patient": "5"}, "There is no such patient any more."),
        ({"patient": "x"}, "There is no such patient any more."),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(send: Send, changes: dict[str, Any], said: str) -> None:
    answer = send(**{"label": "kept label", **changes})
    assert said in said_by(answer)
    page = answer.content.decode()
    assert "label" in changes or 'value="kept label"' in page
    named = set(re.findall(r'(\w+-error)[ "]', "".join(re.findall(r'aria-describedby="[^"]*"', page))))
    assert named == set(re.findall(r'id="(\w+-error)"', page)) - {"how-error"}, "each field says what is wrong with it"
    assert not ModelRun.objects.exists()


def test_too_large_a_recording_is_refused_and_leaves_nothing(send: Send, settings: Any) -> None:
    settings.HELIOS_UPLOAD_MAX_BYTES = 1_048_576
    for size in (1_048_577, 2_000_000):  # one by its own size, one by what is announced of the form
        answer = send(label="kept label", **by_upload(b"\0" * size))
        assert said_by(answer).startswith("The file is too large: at most 1.0 MB are taken.")
        assert 'value="kept label"' in answer.content.decode()
    assert not ModelRun.objects.exists()


def test_a_form_that_was_cut_off_is_refused(member: Client) -> None:
    whole = b"--x\r\nContent-Disposition: form-data; name=how\r\n\r\nupload\r\n"
    whole += b'--x\r\nContent-Disposition: form-data; name=recording; filename="a.wav"\r\n\r\nRIFF'
    answer = member.generic("POST", PAGE, whole, content_type="multipart/form-data; boundary=x")
    assert said_by(answer).startswith("The form did not arrive whole.")
    assert not ModelRun.objects.exists()


def test_a_full_disk_is_told_and_the_same_form_goes_on_later(send: Send) -> None:
    form, before = str(uuid4()), stored()
    with refusing("model_runs_modelrun", when="UPDATE"):  # the run is made, and its recording finds no room
        answer = send(form=form, **by_upload())
    assert answer.status_code == 507
    assert 'value="person-1"' in answer.content.decode()
    assert "the server has no room" in answer.content.decode()
    assert stored() == before
    assert send(form=form, **by_upload()).status_code == 302
    assert ModelRun.objects.get().status == "RUNNING"


def test_a_patient_is_found_and_their_check_is_linked(
    member: Client, organization: Organization, other_organization: Organization, send: Send
) -> None:
    ada = make_patient(organization, name="Ada Lovelace", gender="Female", external_id=None)
    make_patient(other_organization, name="Ada Elsewhere")
    found = member.get(f"{PAGE}?find=LOVE").content.decode()
    assert f'href="{PAGE}?patient={ada.pk}"' in found
    assert "Elsewhere" not in member.get(f"{PAGE}?find=ada").content.decode()
    assert "No patient has that name" in text_of(member.get(f"{PAGE}?find=nobody"))
    assert on_record(member, f"{PAGE}?find=ada") == ["patient.listed"]
    assert on_record(member, f"{PAGE}?patient={ada.pk}") == ["patient.read"]
    page = member.get(f"{PAGE}?patient={ada.pk}")
    assert "Ada Lovelace" in text_of(page)
    assert "Has agreed to voice checks" in text_of(page)
    for value in (f'value="patient-{ada.pk}"', 'value="1931-07-09"', 'value="FEMALE" selected'):
        assert value in page.content.decode()
    assert send(patient=str(ada.pk), label="ada-1").status_code == 302
    assert ModelRun.objects.get().patient_id == ada.pk
    Patient.objects.update(date_of_birth=None, gender=None)
    again = member.get(f"{PAGE}?patient={ada.pk}").content.decode()
    for value in ('value="ada-1"', 'value="1990-08-24"', 'value="FEMALE" selected'):
        assert value in again, "as in the last check"
    assert on_record(member, f"{PAGE}?patient={ada.pk}") == ["patient.read", "model_run.read"]


def test_a_person_whose_record_was_deleted_is_checked_again_without_it(
    member: Client, organization: Organization, make_finished: MakeRun, send: Send
) -> None:
    patient = make_patient(organization)
    run = make_finished(user_label="ada-1", patient_id=patient.pk)
    delete_patient(actor=SYSTEM, organization_id=organization.id, patient_id=patient.pk)
    page = member.get(f"{PAGE}?again={run.id}").content.decode()
    assert 'value="ada-1"' in page
    kept = re.search(r'name="patient" value="(\d*)"', page)
    assert kept is not None
    assert send(label="ada-1", patient=kept[1]).status_code == 302


def test_the_form_says_when_data_is_erased(member: Client, settings: Any) -> None:
    settings.HELIOS_DELETE_DATA_AFTER_HOURS = 36
    assert "Erase everything 36 hours after the result" in text_of(member.get(PAGE))


def test_without_consent_nothing_is_linked(member: Client, organization: Organization, send: Send) -> None:
    patient = make_patient(organization, name="Ada Lovelace", consent=False)
    page = member.get(f"{PAGE}?patient={patient.pk}")
    assert "Has not agreed to voice checks" in text_of(page)
    assert "Make the link" not in page.content.decode()
    assert "The patient has not agreed to voice checks." in said_by(send(patient=str(patient.pk)))
    assert not ModelRun.objects.exists()


def test_another_organisation_s_patient_and_run_are_as_missing_ones(
    member: Client, other_organization: Organization, make_run: MakeRun, send: Send
) -> None:
    patient, run = make_patient(other_organization), make_run(organization=other_organization)
    for name, foreign, missing in (("patient", patient.pk, 5), ("again", run.id, uuid4()), ("again", run.id, "x")):
        answers = [member.get(f"{PAGE}?{name}={value}") for value in (foreign, missing)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert page_text(answers[0]) == page_text(answers[1])
    assert said_by(send(patient=str(patient.pk))) == said_by(send(patient="5"))
    assert Patient.objects.get() == patient
    assert not AuditEvent.objects.filter(organization_id=other_organization.id, action="patient.read").exists()


def test_the_form_says_what_for_and_that_the_person_must_have_agreed(member: Client) -> None:
    page = member.get(PAGE).content.decode()
    assert "Upload only what the person has agreed to" in page
    assert "Scores compare with women, with men, or else with both." in page
    assert "same age" not in page


def test_the_form_begins_as_the_organisation_decided(member: Client, organization: Organization) -> None:
    assert 'value="en-GB" selected' in member.get(PAGE).content.decode()
    Organization.objects.filter(id=organization.id).update(check_language="en-US", check_delete_data=True)
    page = member.get(PAGE).content.decode()
    assert 'value="en-US" selected' in page
    assert re.search(r'name="erase" checked', page)
    assert not INLINE.search(page)


def test_an_organisation_that_takes_less_takes_it_here_too(organization: Organization, send: Send) -> None:
    Organization.objects.filter(id=organization.id).update(helios_lenient_user=True)
    assert send(date_of_birth="", birth_sex="").status_code == 302
    assert len(ModelRun.objects.get().warnings) == 2


def test_links_are_good_no_longer_than_runs_are_kept(member: Client, send: Send, settings: Any) -> None:
    settings.HELIOS_ABANDONED_RUN_DAYS = 1
    assert "7 days" not in member.get(PAGE).content.decode()
    assert "Choose how long" in said_by(send(good_for="604800"))


def test_a_form_of_another_site_is_refused(organization: Organization) -> None:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post(PAGE, {**BY_LINK, **by_upload()}).status_code == 403
    token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', client.get(PAGE).content.decode())
    assert token is not None
    assert client.post(PAGE, {**BY_LINK, "csrfmiddlewaretoken": token[1], **by_upload()}).status_code == 302
    assert Client().post(PAGE, BY_LINK)["Location"].startswith("/login")


def test_a_run_is_deleted_from_its_page_in_a_second_step(
    member: Client, sign_in: SignIn, other_organization: Organization, make_finished: MakeRun
) -> None:
    run = make_finished(analysis=FAILED)
    page = member.get(f"/runs/{run.id}").content.decode()
    assert re.search(rf'<summary>Delete this run</summary>\s*<form method="post" action="/runs/{run.id}/delete">', page)
    stranger = sign_in(other_organization)
    foreign, missing = stranger.post(f"/runs/{run.id}/delete"), stranger.post(f"/runs/{uuid4()}/delete")
    assert (foreign.status_code, page_text(foreign)) == (404, page_text(missing))
    assert member.get(f"/runs/{run.id}/delete").status_code == 405
    answer = member.post(f"/runs/{run.id}/delete", follow=True)
    assert "The run was deleted." in text_of(answer)
    assert not ModelRun.objects.exists()
    event = AuditEvent.objects.get(action="model_run.deleted")
    assert (event.actor_type, event.object_id) == ("user", str(run.id))
    assert member.post(f"/runs/{run.id}/delete").status_code == 404
