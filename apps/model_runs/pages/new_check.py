"""`/checks/new`: a run for somebody who records it behind a link, or whose recording is at hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods
from rest_framework.exceptions import ValidationError

from apps.accounts import audit
from apps.accounts.membership_required import for_members
from apps.accounts.models import Membership
from apps.model_runs import selectors, services, uploads
from apps.model_runs.activity.serializers import ActivityCreateSerializer
from apps.model_runs.models import ModelRun
from apps.model_runs.pages import check_forms
from apps.model_runs.pages.check_forms import LINK, UPLOAD, Values
from apps.model_runs.pages.recording_form import FIELD, SentRecording
from apps.model_runs.serializers import NO_CONSENT, NO_SUCH_PATIENT, ModelRunCreateSerializer
from apps.patients import services as patients
from apps.patients.filters import PatientFilter
from apps.patients.ids import parse_patient_id
from apps.patients.models import Patient
from apps.patients.selectors import get_patient, list_patients
from helios_site.api.bodies import drain
from helios_site.api.full_disk import full_database_is_storage_full
from helios_site.storage import StorageFull

log = structlog.get_logger(__name__)
MOST_FOUND = 10
CUT_OFF = "The form did not arrive whole. Fill it in again, and stay connected until the recording is sent."
FULL = "The recording could not be stored: the server has no room. Tell your administrator, and send it again later."
NOT_TAKEN = "This form belongs to another recording, or its check was deleted. Press the button again for a new check."


@csrf_exempt  # until somebody is signed in and the recording's way is prepared: the check of the token reads the form
@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new_check(request: HttpRequest, current: Membership) -> HttpResponse:
    """The form; a POST makes the run and leads to its page. What is wrong is said in the form, with 400."""
    recording = SentRecording(request)
    try:
        return _guarded(request, current, recording)
    except (MultiPartParserError, UnreadablePostError):
        return _anew(request, current, {"": CUT_OFF}, 400)
    except StorageFull:  # not even the form had room
        log.error("storage_full")
        drain(request)
        return _anew(request, current, {"": FULL}, 507)
    finally:
        recording.close()


@csrf_protect
def _guarded(request: HttpRequest, current: Membership, recording: SentRecording) -> HttpResponse:
    return _create(request, current, recording) if request.method == "POST" else _empty(request, current)


def _empty(request: HttpRequest, current: Membership) -> HttpResponse:
    values = check_forms.beginning(current.organization)
    if "again" in request.GET:
        values |= check_forms.as_in(_earlier(request, current, request.GET["again"]))
    patient = None
    if "patient" in request.GET:
        patient = _patient(request, current, request.GET["patient"])
        if patient is None:
            raise Http404
        last = selectors.list_runs(current.organization_id).filter(patient_id=patient.pk).first()
        if last is not None:
            _record_read(request, last)
        values |= check_forms.about_patient(patient, last)
    elif values.get("patient"):
        patient = _patient(request, current, values["patient"])
        if patient is None:  # deleted since: the check is of the person whom the label names
            values["patient"] = ""
    return _page(request, current, values, patient)


def _create(request: HttpRequest, current: Membership, recording: SentRecording) -> HttpResponse:
    values = check_forms.typed(request.POST)
    problems = _problems_of_recording(recording) if values["how"] == UPLOAD else {}
    if values["how"] not in (LINK, UPLOAD):
        problems["how"] = "Choose how the recording comes."
    if values["how"] == LINK and values["good_for"] not in check_forms.lifetimes():
        problems["good_for"] = "Choose how long the link is good."
    if recording.has_stopped:
        drain(request)
    serializer = _serializer(current, values)
    try:
        serializer.is_valid(raise_exception=True)
    except ValidationError as error:
        problems |= check_forms.problems_of(error)
    if problems:
        return _refused(request, current, values, problems)
    try:
        with full_database_is_storage_full():
            run = _run(request, current, values, serializer)
            taken = run is not None and (values["how"] == LINK or _is_taken(run, recording))
    except patients.NoSuchPatient:
        return _refused(request, current, values, {"patient": check_forms.SAID[NO_SUCH_PATIENT]})
    except patients.ConsentMissing:
        return _refused(request, current, values, {"patient": check_forms.SAID[NO_CONSENT]})
    except StorageFull:
        log.error("storage_full")
        return _refused(request, current, values, {"": FULL}, status=507)
    if run is None or not taken:
        values["form"] = check_forms.beginning(current.organization)["form"]
        return _refused(request, current, values, {"": NOT_TAKEN})
    return redirect("run", run.id)


def _serializer(current: Membership, values: Values) -> ModelRunCreateSerializer:
    """What checks the body of the API's create checks this one."""
    kind = ModelRunCreateSerializer if values["how"] == UPLOAD else ActivityCreateSerializer
    context = {"lenient": current.organization.helios_lenient_user, "origins": tuple}
    return kind(data=check_forms.body_of(values), context=context)


def _problems_of_recording(recording: SentRecording) -> dict[str, str]:
    if recording.size is None:
        return {FIELD: "Choose the file of the recording."}
    if recording.is_too_large:
        most = filesizeformat(settings.HELIOS_UPLOAD_MAX_BYTES)
        return {FIELD: f"The file is too large: at most {most} are taken. Choose a shorter or compressed recording."}
    return {} if recording.size else {FIELD: "The file is empty. Choose another one."}


def _run(
    request: HttpRequest, current: Membership, values: Values, serializer: ModelRunCreateSerializer
) -> ModelRun | None:
    """A new run, or the one that the same form made before; None where that one is gone."""
    run_id = check_forms.id_of(current.organization, values)
    try:
        return services.create_run(
            actor=audit.by_user(request.user),
            organization_id=current.organization_id,
            key_id=None,
            request=serializer.run_request(),
            good_for_seconds=values["good_for"] if values["how"] == LINK else None,
            run_id=run_id,
        )
    except services.AlreadyCreated:
        assert run_id is not None
        return selectors.get_run(current.organization_id, run_id)


def _is_taken(run: ModelRun, recording: SentRecording) -> bool:
    assert recording.size is not None
    received = uploads.take_recording(run, recording.pieces(), recording.size)
    return received in (services.Received.STARTED, services.Received.REPEATED)


def _earlier(request: HttpRequest, current: Membership, run_id: str) -> ModelRun:
    """The run whose person is checked again. Raises Http404."""
    try:
        run = selectors.get_run(current.organization_id, UUID(run_id))
    except ValueError:
        run = None
    if run is None:
        raise Http404
    _record_read(request, run)
    return run


def _record_read(request: HttpRequest, run: ModelRun) -> None:
    """The form shows when the person of the run was born."""
    services.record_read(actor=audit.by_user(request.user), organization_id=run.organization_id, run_id=run.id)


def _patient(request: HttpRequest, current: Membership, text: str) -> Patient | None:
    """The patient of that id, whose name the page shows."""
    patient_id = parse_patient_id(text)
    patient = None if patient_id is None else get_patient(current.organization_id, patient_id)
    if patient is not None:
        actor = audit.by_user(request.user)
        patients.record_read(actor=actor, organization_id=current.organization_id, patient_id=patient.pk)
    return patient


def _found(request: HttpRequest, current: Membership, text: str) -> list[Patient]:
    """The patients whose name has that part, or whose id elsewhere is that: MOST_FOUND and one more."""
    search = PatientFilter({"search": text}, list_patients(current.organization_id))
    actor = audit.by_user(request.user)
    patients.record_read(actor=actor, organization_id=current.organization_id, patient_id=None)
    return list(search.qs[: MOST_FOUND + 1]) if search.is_valid() else []


def _anew(request: HttpRequest, current: Membership, problems: dict[str, str], status: int) -> HttpResponse:
    values = check_forms.beginning(current.organization)
    return _page(request, current, values, None, problems=problems, status=status)


def _refused(
    request: HttpRequest, current: Membership, values: Values, problems: dict[str, str], *, status: int = 400
) -> HttpResponse:
    """The form again as it was sent, with what is wrong."""
    patient = _patient(request, current, values["patient"]) if values["patient"] else None
    if patient is None:
        values["patient"] = ""
    return _page(request, current, values, patient, problems=problems, status=status)


def _page(
    request: HttpRequest,
    current: Membership,
    values: Values,
    patient: Patient | None,
    *,
    problems: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    find = "" if patient else request.GET.get("find", "").strip()
    found = _found(request, current, find) if find else []
    context: dict[str, Any] = {
        "current": current,
        "values": values,
        "patient": patient,
        "find": find,
        "found": found[:MOST_FOUND],
        "has_more": len(found) > MOST_FOUND,
        "problems": problems or {},
        "sexes": check_forms.SEXES,
        "languages": check_forms.languages(),
        "lifetimes": check_forms.lifetimes(),
        "erasable": check_forms.ERASABLE,
        "erased_after_hours": settings.HELIOS_DELETE_DATA_AFTER_HOURS,
        "is_lenient": current.organization.helios_lenient_user,
        "most_bytes": settings.HELIOS_UPLOAD_MAX_BYTES,
        "needed_seconds": settings.HELIOS_MIN_SPEECH_SECONDS,
        "longest_seconds": settings.HELIOS_MAX_RECORDING_SECONDS,
    }
    return render(request, "checks/new.html", context, status=status)
