"""The form of a new check: what it begins with, the body of the API's create that it stands for, and that create's
refusals in the words of the form."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.http import QueryDict
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import ValidationError

from apps.accounts.models import Organization
from apps.model_runs.models import BirthSex, DataToDelete, ModelRun
from apps.model_runs.serializers import NO_CONSENT, NO_SUCH_PATIENT
from apps.patients.models import Patient
from helios_site.api.families.helios.errors import entries

LINK, UPLOAD = "link", "upload"
LIFETIMES = {3600: "1 hour", 86_400: "1 day", 604_800: "7 days"}
USUAL_LIFETIME = 86_400  # who is sent a mail may read it in the evening; no installation allows less
SEXES = {"FEMALE": "Female", "MALE": "Male", "INTERSEX": "Intersex", "UNKNOWN": "Not known"}
ERASABLE = {"RECORDINGS": "The recording", "INPUTS": "What is said of the person here", "RESULTS": "The results"}
assert set(SEXES) == set(BirthSex.values)
assert set(ERASABLE) == set(DataToDelete.values)
# The fields, and where the create's body has what is in them.
FIELDS = {
    "label": ("user", "userLabel"),
    "date_of_birth": ("user", "dateOfBirth"),
    "birth_sex": ("user", "birthSex"),
    "language": ("language",),
    "sleep_time": ("sleepTime",),
    "wake_time": ("wakeTime",),
    "recording_time": (settings.HELIOS_RECORDING_TIME_KEYS[0],),
    "tags": ("tags",),
    "erase": ("deleteData",),
    "erase_only": (settings.HELIOS_DATA_TO_DELETE_KEYS[0],),
    "patient": ("patientId",),
}
WRONG = {
    "label": "Enter a label of at most 50 letters.",
    "date_of_birth": "Enter the date of birth, as year, month and day; it cannot be in the future.",
    "birth_sex": "Choose the birth sex.",
    "language": "Choose what is spoken.",
    "sleep_time": "Enter when sleep began as a date and a time.",
    "wake_time": "Enter the time of waking up as a date and a time.",
    "recording_time": "Enter when the recording was made as a date and a time.",
    "erase_only": "Choose what to erase among what is offered.",
}
SAID = {
    NO_SUCH_PATIENT: "There is no such patient any more. Choose another one, or enter a label.",
    NO_CONSENT: "The patient has not agreed to voice checks. Note the consent in the patient's record first, then try "
    "again.",
}

Values = dict[str, Any]


def lifetimes() -> dict[int, str]:
    """How long a link may be good, in seconds: no longer than its run is kept without a recording."""
    most = settings.HELIOS_ABANDONED_RUN_DAYS * 86_400
    return {seconds: words for seconds, words in LIFETIMES.items() if seconds <= most}


def languages() -> dict[str, str]:
    """The languages that may be spoken, and what people call them."""
    return {code: f"{_language(code)} ({code})" for code in settings.HELIOS_LANGUAGES}


def _language(code: str) -> str:
    known = LANG_INFO.get(code.partition("-")[0])
    return str(known["name"]) if known and "name" in known else "Language"


def beginning(organization: Organization) -> Values:
    """What the form of a check begins with, before anybody is named."""
    return {
        "how": LINK,
        "good_for": USUAL_LIFETIME,
        "language": organization.check_language or settings.HELIOS_LANGUAGES[0],
        "erase": organization.check_delete_data,
        "erase_only": [],
        "form": str(uuid.uuid4()),
    }


def about_patient(patient: Patient, last: ModelRun | None) -> Values:
    """What is known of a patient, by the record or else by their last run. The label says nothing of who it is, and
    stays the same from check to check."""
    sex = (patient.gender or "").strip().upper()
    day = patient.date_of_birth or (last and last.date_of_birth)
    return {
        "patient": str(patient.pk),
        "label": last.user_label if last else f"patient-{patient.pk}",
        "date_of_birth": day.isoformat() if day else "",
        "birth_sex": sex if sex in SEXES else last.birth_sex if last else "",
    }


def as_in(run: ModelRun) -> Values:
    """The person as an earlier check has them, as far as that was not erased."""
    return {
        "patient": "" if run.patient_id is None else str(run.patient_id),
        "label": run.user_label,
        "date_of_birth": "" if run.date_of_birth is None else run.date_of_birth.isoformat(),
        "birth_sex": run.birth_sex,
    } | ({"language": run.language} if run.language in settings.HELIOS_LANGUAGES else {})


def typed(post: QueryDict) -> Values:
    """The form as it was sent."""
    good_for = post.get("good_for", "")
    texts = ("label", "date_of_birth", "birth_sex", "language", "sleep_time", "wake_time", "recording_time", "tags",
             "patient")  # fmt: skip
    return {
        **{name: post.get(name, "") for name in texts},
        "how": post.get("how", ""),
        "good_for": int(good_for) if good_for.isdecimal() and len(good_for) < 9 else 0,
        "erase": bool(post.get("erase")),
        "erase_only": post.getlist("erase_only"),
        "form": post.get("form", ""),
    }


def body_of(values: Values) -> dict[str, Any]:
    """The body of the API's create; what was left empty is left out."""
    body: dict[str, Any] = {"user": {}}
    for name, path in FIELDS.items():
        value = _tags(values["tags"]) if name == "tags" else values[name]
        if value:
            of = body["user"] if path[0] == "user" else body
            of[path[-1]] = value
    if values["how"] != UPLOAD:
        body.pop(FIELDS["recording_time"][0], None)
    return body


def _tags(text: str) -> list[dict[str, str]]:
    """A tag a line, its value after the first colon."""
    name, value = settings.HELIOS_TAG_KEYS
    lines = [line.partition(":") for line in text.splitlines() if line.strip()]
    return [{name: before.strip(), value: after.strip()} for before, _, after in lines]


def problems_of(error: ValidationError) -> dict[str, str]:
    """What is wrong, by field."""
    fields = {path: name for name, path in FIELDS.items()}
    return dict(_problems(error, fields))


def _problems(error: ValidationError, fields: Mapping[tuple[str, ...], str]) -> Iterator[tuple[str, str]]:
    for entry in entries(error.detail, ()):
        place = tuple(map(str, entry["loc"]))
        name = fields.get(place[:2]) or fields.get(place[:1]) or "label"
        if name == "tags":
            text = f"A tag is a name, or a name, a colon and a value, each name once: {entry['msg']}."
        else:
            text = SAID.get(entry["msg"]) or WRONG.get(name) or f"{entry['msg']}."
        yield name, text


def id_of(organization: Organization, values: Values) -> uuid.UUID | None:
    """The id of the run that this very form asks for: sent twice, it asks for the same one; anything changed in it,
    for another. None for a form without a mark of its own."""
    mark = values["form"]
    if not 0 < len(mark) <= 64:
        return None
    said = repr((str(organization.id), sorted((name, str(value)) for name, value in values.items())))
    digest = salted_hmac("helios.new-check", said, algorithm="sha256").digest()
    return uuid.UUID(bytes=digest[:16], version=4)
