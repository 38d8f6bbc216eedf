"""What a create takes, and what a run looks like: contract keys in camelCase on the outside, model fields inside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.model_runs.models import BirthSex, DataToDelete, Status
from apps.model_runs.services import RunRequest
from apps.model_runs.wellness.interface import DIMENSIONS
from apps.patients import ids as patient_ids
from helios_site.api.families.helios.fields import (
    Flag,
    LocalTime,
    Member,
    Members,
    PastDay,
    Text,
    fail,
    moment,
)
from helios_site.api.families.schema import Described

LABEL_MAX_CHARS = 50
ACCENT_MAX_CHARS = 1000  # any text, but no more than a label of a few words can need

SEX_READ_AS_UNKNOWN = "birthSex was not one of the known values and was read as UNKNOWN."
SEX_MISSING = "birthSex was not given; results compare with all sexes."
NO_SUCH_PATIENT = "no such patient"
NO_CONSENT = "the patient has not consented: set `consent` of the patient to true before a run is linked to it"
_WALL_CLOCK = "The person's wall clock, such as `2026-01-05T23:10:00`; an offset is dropped."
_TAGS_FORM = {"template": "browse/json_list.html", "placeholder": '[{"name": "site", "value": "north"}]'}
BIRTH_DATE_MISSING = "dateOfBirth was not given; results compare with all ages."


class _Dialect(serializers.Serializer):
    """Unknown keys are ignored; `null` for an optional key equals leaving it out."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            fail("type_error.dict")
        return {key: value for key, value in super().to_internal_value(data).items() if value is not None}


class UserSerializer(_Dialect):
    """The person whose voice is recorded; results compare with speakers of the same birth sex."""

    # With `lenient` in the context, unknown and missing values pass with a warning.
    def get_fields(self) -> dict[str, serializers.Field]:
        optional: dict[str, Any] = {"required": False, "allow_null": True} if self.context.get("lenient") else {}
        return {
            "userLabel": Text(
                min_length=1,
                max_length=LABEL_MAX_CHARS,
                help_text="Your own identifier of the person: same label, same person. Kept as it is sent.",
            ),
            "dateOfBirth": PastDay(help_text="Send 01 for an unknown month or day.", **optional),
            "birthSex": Member(choices=BirthSex.values, **optional),
        }

    def to_internal_value(self, data: Any) -> Any:
        lenient = self.context.get("lenient") and isinstance(data, Mapping)
        warnings = []
        if lenient and isinstance(data.get("birthSex"), str) and data["birthSex"] not in BirthSex.values:
            data = {**data, "birthSex": BirthSex.UNKNOWN.value}
            warnings.append(SEX_READ_AS_UNKNOWN)
        person = super().to_internal_value(data)
        if "birthSex" not in person:
            person["birthSex"] = BirthSex.UNKNOWN.value
            warnings.append(SEX_MISSING)
        if "dateOfBirth" not in person:
            warnings.append(BIRTH_DATE_MISSING)
        return {**person, "warnings": warnings}


class PatientId(Text):
    """The id of a patient. One that no patient can have is refused as one that none has."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=len(str(patient_ids.HIGHEST)), **options)

    def to_internal_value(self, data: Any) -> Any:
        sent = str(data) if isinstance(data, int) and not isinstance(data, bool) else data
        found = patient_ids.parse_patient_id(sent) if isinstance(sent, str) else None
        if found is None:
            fail("value_error", NO_SUCH_PATIENT)
        return found

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": f"^{patient_ids.PATTERN}$"}


class TagSerializer(_Dialect):
    def get_fields(self) -> dict[str, serializers.Field]:
        name, value = settings.HELIOS_TAG_KEYS
        longest = settings.HELIOS_TAG_MAX_CHARS
        return {
            name: Text(min_length=1, max_length=longest),
            value: Text(max_length=longest, required=False, allow_null=True),
        }


class TagsSerializer(Described, serializers.ListSerializer):
    """At most so many tags, each name once."""

    def json_schema(self) -> dict[str, Any]:
        fields = TagSerializer().get_fields()
        forms = {key: field.json_schema() for key, field in fields.items() if isinstance(field, Described)}
        name, value = settings.HELIOS_TAG_KEYS
        forms[value]["anyOf"].append({"type": "null"})
        return {
            "type": "array",
            "items": {"type": "object", "properties": forms, "required": [name]},
            "maxItems": settings.HELIOS_TAG_MAX_COUNT,
            "description": "The names of the tags must differ.",
        }

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, list):
            fail("type_error.list")
        if len(data) > settings.HELIOS_TAG_MAX_COUNT:
            fail("value_error.list.max_items", limit_value=settings.HELIOS_TAG_MAX_COUNT)
        tags = super().to_internal_value(data)
        name, _ = settings.HELIOS_TAG_KEYS
        if len({tag[name] for tag in tags}) < len(tags):
            fail("value_error", "tag names must be unique")
        return tags


class ModelRunCreateSerializer(_Dialect):
    """Whose recording is to come, and what is to happen with it. Unknown keys are ignored; `null` for an optional
    key equals leaving it out."""

    def get_fields(self) -> dict[str, serializers.Field]:
        optional: dict[str, Any] = {"required": False, "allow_null": True, "initial": None}
        recording_time, data_to_delete = settings.HELIOS_RECORDING_TIME_KEYS[0], settings.HELIOS_DATA_TO_DELETE_KEYS[0]
        accents = settings.HELIOS_ACCENTS
        accent = Member(choices=accents, **optional) if accents else Text(max_length=ACCENT_MAX_CHARS, **optional)
        return {
            "user": UserSerializer(),
            "language": Member(choices=settings.HELIOS_LANGUAGES, help_text="What is spoken, and how."),
            "accent": accent,
            "sleepTime": LocalTime(help_text="When the last main sleep began. " + _WALL_CLOCK, **optional),
            "wakeTime": LocalTime(help_text="When it ended. " + _WALL_CLOCK, **optional),
            recording_time: LocalTime(help_text="When the person was recorded. " + _WALL_CLOCK, **optional),
            "tags": TagsSerializer(child=TagSerializer(), style=_TAGS_FORM, **optional),
            "deleteData": Flag(help_text="Erase data 12 hours after the run has finished.", **optional),
            data_to_delete: Members(
                choices=DataToDelete.values,
                help_text="With `deleteData`: what to erase; none named means everything.",
                **optional,
            ),
            "patientId": PatientId(
                help_text="The id of a patient of your organisation who has consented; the key also needs "
                "`patients:read`. With `deleteData` it is one of the INPUTS, and so is a note that came of the run.",
                **optional,
            ),
        }

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            fail("type_error.dict")
        aliases = {}
        for keys in (settings.HELIOS_RECORDING_TIME_KEYS, settings.HELIOS_DATA_TO_DELETE_KEYS):
            sent = next((key for key in keys if data.get(key) is not None), keys[0])
            if sent != keys[0]:
                data = {**data, keys[0]: data[sent]}
                aliases[keys[0]] = sent
        errors: dict[str, Any] = {}
        values: dict[str, Any] = {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            # The caller knows a key by the name that was sent.
            errors = {aliases.get(key, key): inner for key, inner in error.detail.items()}  # type: ignore[union-attr]
        if errors:
            raise serializers.ValidationError(errors)
        return values

    def run_request(self) -> RunRequest:
        """The request for `create_run`. Call after `is_valid`."""
        values = self.validated_data
        user, delete = values["user"], values.get("deleteData", False)
        name, value = settings.HELIOS_TAG_KEYS
        return RunRequest(
            user_label=user["userLabel"],
            date_of_birth=user.get("dateOfBirth"),
            birth_sex=user["birthSex"],
            language=values["language"],
            accent=values.get("accent"),
            sleep_time=values.get("sleepTime"),
            wake_time=values.get("wakeTime"),
            recording_time=values.get(settings.HELIOS_RECORDING_TIME_KEYS[0]),
            tags=tuple({"name": tag[name], "value": tag.get(value, "")} for tag in values.get("tags", ())),
            delete_data=delete,
            data_to_delete=tuple(values.get(settings.HELIOS_DATA_TO_DELETE_KEYS[0], ())) if delete else (),
            warnings=tuple(user["warnings"]),
            patient_id=values.get("patientId"),
            return_url=values.get("returnUrl", ""),
        )


# -- What a run looks like -----------------------------------------------------------------------------

ENVELOPE_FIELDS = (
    "id", "created_at", "status", "user_label", "delete_data", "run_at", "completed_at", "error_code",
    "error_reason", "warnings", "scores", "transcript", "duration_seconds",
)  # fmt: skip
EXTENSION_FIELDS = (
    "patient_id", "language", "tags", "speech_seconds", "quality", "confidence", "evidence", "explanation", "safety",
    "model_version",
)  # fmt: skip
CONTINUOUS = tuple(f"uniform{name[0].upper()}{name[1:]}" for name in DIMENSIONS)
SCORES = ("mentalStrain", *DIMENSIONS, *CONTINUOUS)
EXPLANATION_KEYS = (
    "score", "kind", "feature", "value", "unit", "referenceLow", "referenceHigh", "direction", "weight",
    "phrase", "text",
)  # fmt: skip


def run_fields() -> tuple[str, ...]:
    """The columns that `run_body` needs."""
    return ENVELOPE_FIELDS + (EXTENSION_FIELDS if settings.HELIOS_EXTENSIONS_IN_RUN else ())


def run_body(row: Mapping[str, Any]) -> dict[str, Any]:
    """A run as the API shows it; `row` holds the columns of `run_fields`. Eleven keys, always all, and `extensions`."""
    body = {
        "id": str(row["id"]),
        "createdAt": moment(row["created_at"]),
        "status": row["status"],
        "userLabel": row["user_label"],
        "deleteData": row["delete_data"],
        "runAt": moment(row["run_at"]),
        "completedAt": moment(row["completed_at"]),
        "errorCode": row["error_code"] or None,
        "errorReason": row["error_reason"] or None,
        "warnings": row["warnings"] or None,
        "results": _results(row) if row["status"] == Status.COMPLETE_OK else None,
    }
    if settings.HELIOS_EXTENSIONS_IN_RUN:
        body["extensions"] = _extensions(row)
    return body


def _results(row: Mapping[str, Any]) -> dict[str, Any]:
    section: dict[str, Any] = {
        "startSecs": 0,
        "finishSecs": row["duration_seconds"],
        "transcript": row["transcript"],
    }
    section.update((name, {"value": row["scores"][name]}) for name in SCORES)
    return {"sections": [section]}


def _extensions(row: Mapping[str, Any]) -> dict[str, Any]:
    name, value = settings.HELIOS_TAG_KEYS
    return {
        "patientId": None if row["patient_id"] is None else str(row["patient_id"]),
        "language": row["language"] or None,
        "tags": [{name: tag["name"], value: tag["value"]} for tag in row["tags"]],
        "durationSeconds": row["duration_seconds"],
        "speechSeconds": row["speech_seconds"],
        "quality": _quality(row["quality"]),
        "confidence": row["confidence"],
        "evidence": row["evidence"],
        "explanation": row["explanation"]
        and [{key: item.get(key) for key in EXPLANATION_KEYS} for item in row["explanation"]],
        "safety": row["safety"],
        "model": {"name": "helios", "version": row["model_version"]} if row["model_version"] else None,
    }


def _quality(stored: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if stored is None:
        return None
    return {
        "level": stored["level"],
        "snrDb": stored["snr_db"],
        "clippingRatio": stored["clipping_ratio"],
        "issues": stored["issues"],
    }
