"""Every call that the client has, as steps: `Client` takes them at once, `AsyncClient` lets others run meanwhile.

The docstrings and signatures of the methods here are those of both.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from helios_client.errors import WaitTimeout
from helios_client.exchange import Pause, Query, Request, Retries, Steps, asked, sent
from helios_client.patients import (
    Patient,
    PatientSummary,
    Wellness,
    read_patient,
    read_summary,
    read_wellness,
)
from helios_client.recording import Recording, Source, opened
from helios_client.runs import (
    Activity,
    CreatedRun,
    DataToDelete,
    Person,
    Run,
    Status,
    read_activity,
    read_created,
    read_run,
)

T = TypeVar("T")

RUNS = "/v1/models/mental-wellness"
ACTIVITIES = f"{RUNS}-activity"
PATIENTS = "/ext-api/v1/patients"

# Seconds between two looks at a run. The server lets a key look at one run twice a second.
FIRST_LOOK = 1.0
SLOWEST_LOOKS = 8.0
GROWTH = 1.4


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: Sequence[T]
    rest: Steps[Page[T]] | None  # the next one


class Operations:
    def __init__(self, retries: Retries) -> None:
        self.retries = retries

    # -- runs -------------------------------------------------------------------------------------------

    def create_run(
        self,
        person: Person,
        language: str = "en-GB",
        *,
        tags: Mapping[str, str] | None = None,
        patient_id: str | None = None,
        delete_data: bool = False,
        data_to_delete: Sequence[DataToDelete] = (),
        accent: str | None = None,
        sleep_time: datetime | str | None = None,
        wake_time: datetime | str | None = None,
        recording_time: datetime | str | None = None,
        idempotency_key: str | None = None,
    ) -> Steps[CreatedRun]:
        """A new run, which waits for its recording.

        Times are the person's wall clock. `delete_data` erases the run 12 hours after its end, or of it only
        `data_to_delete`. `patient_id` names a patient who has consented. The `idempotency_key` is new for each call
        unless you give one, which makes a call that your program sends again the same one for 24 hours.
        """
        body = _about(person, language, tags, patient_id, delete_data, data_to_delete) | {
            "accent": accent,
            "sleepTime": _text(sleep_time),
            "wakeTime": _text(wake_time),
            "recordingTime": _text(recording_time),
        }
        return asked(_post(RUNS, _sent(body), idempotency_key), self.retries, read_created)

    def create_activity(
        self,
        person: Person,
        language: str = "en-GB",
        *,
        tags: Mapping[str, str] | None = None,
        patient_id: str | None = None,
        delete_data: bool = False,
        data_to_delete: Sequence[DataToDelete] = (),
        return_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Steps[Activity]:
        """A new run that the person records on a page of the server: send them to its `link`.

        `return_url` is where the page leads afterwards; its origin must be on your organisation's list. The rest is as
        in `create_run`.
        """
        body = _about(person, language, tags, patient_id, delete_data, data_to_delete) | {"returnUrl": return_url}
        return asked(_post(ACTIVITIES, _sent(body), idempotency_key), self.retries, read_activity)

    def upload(self, run: CreatedRun | str, recording: Source) -> Steps[None]:
        """Send the recording, which starts the run. `run` is what `create_run` gave, or its `upload_url`.

        A path, bytes, or a file that was opened for reading bytes and is sent from where it stands; in pieces, so
        that it is never in memory whole. Sent again after a lost connection, which the server takes for the same.
        """
        url = run if isinstance(run, str) else run.upload_url
        if not url.startswith(("http://", "https://")):
            raise ValueError("upload takes what create_run gave, or its upload_url: the id alone gives no permission")
        with opened(recording) as found:
            yield from self._upload(url, found)

    def _upload(self, url: str, recording: Recording) -> Steps[None]:
        yield from sent(Request("PUT", url, recording=recording), self.retries)

    def get_run(self, run_id: str) -> Steps[Run]:
        """A run as it is now."""
        return asked(Request("GET", _path(RUNS, run_id)), self.retries, read_run)

    def wait(self, run: CreatedRun | Run | str, *, timeout: float = 120.0) -> Steps[Run]:
        """The run once it has ended, well or not: see `ok`. Looked at after a second, then less and less often.

        Raises WaitTimeout after `timeout` seconds.
        """
        run_id = run if isinstance(run, str) else run.id
        deadline = time.monotonic() + timeout
        request, pause = Request("GET", _path(RUNS, run_id)), FIRST_LOOK
        while True:
            found = yield from asked(request, self.retries, read_run, deadline=deadline)
            left = deadline - time.monotonic()
            if found.ended:
                return found
            if left <= 0:
                raise WaitTimeout(f"run {run_id} is still {found.status} after {timeout:g} s")
            yield Pause(min(left, pause * random.uniform(0.9, 1.1)))  # noqa: S311 - no secret
            pause = min(pause * GROWTH, SLOWEST_LOOKS)

    def score(
        self,
        recording: Source,
        person: Person,
        language: str = "en-GB",
        *,
        tags: Mapping[str, str] | None = None,
        patient_id: str | None = None,
        delete_data: bool = False,
        timeout: float = 120.0,
    ) -> Steps[Run]:
        """`create_run`, `upload` and `wait` in one: the ended run of a recording."""
        with opened(recording) as found:  # first, so that a file that cannot be read leaves no run behind
            run = yield from self.create_run(
                person, language, tags=tags, patient_id=patient_id, delete_data=delete_data
            )
            yield from self._upload(run.upload_url, found)
        return (yield from self.wait(run, timeout=timeout))

    def list_runs(
        self,
        *,
        user_label: str | None = None,
        status: Status | Sequence[Status] = (),
        tags: Sequence[str] = (),
        patient_id: str | None = None,
        created_from: date | datetime | str | None = None,
        created_to: date | datetime | str | None = None,
        completed_from: date | datetime | str | None = None,
        completed_to: date | datetime | str | None = None,
        page_size: int = 100,
    ) -> Steps[Page[Run]]:
        """All runs that fit, newest first, fetched as they are asked for. Any of several `status`; all `tags`, each
        `name` or `name:value`. A date means the whole UTC day; bounds are included."""
        query = [
            *_query(
                userLabel=user_label,
                patientId=patient_id,
                createdFrom=created_from,
                createdTo=created_to,
                completedFrom=completed_from,
                completedTo=completed_to,
                limit=page_size,
            ),
            *(("status", one) for one in ([status] if isinstance(status, str) else status)),
            *(("tag", tag) for tag in tags),
        ]
        return self._runs(query, None)

    def _runs(self, query: Query, cursor: str | None) -> Steps[Page[Run]]:
        request = Request("GET", RUNS, [*query, *_query(cursor=cursor)])

        def read(body: Any) -> Page[Run]:
            following = body["nextCursor"]
            return Page([*map(read_run, body["items"])], self._runs(query, following) if following else None)

        return asked(request, self.retries, read)

    def delete_run(self, run_id: str) -> Steps[None]:
        """Erase a run with its recording, inputs and results, whatever it is doing."""
        yield from sent(Request("DELETE", _path(RUNS, run_id)), self.retries)

    # -- patients ---------------------------------------------------------------------------------------

    def create_patient(
        self,
        name: str,
        *,
        external_id: str | None = None,
        consent: bool = False,
        pronouns: str | None = None,
        notes: str | None = None,
        idempotency_key: str | None = None,
    ) -> Steps[Patient]:
        """A new patient. Raises Conflict, with the one there is as `existing`, if the `external_id` is taken."""
        body = {"name": name, "external_id": external_id, "consent": consent, "pronouns": pronouns, "notes": notes}
        return asked(_post(PATIENTS, body, idempotency_key), self.retries, read_patient)

    def get_patient(self, patient_id: str) -> Steps[Patient]:
        """A patient by Helios' id."""
        return asked(Request("GET", _path(PATIENTS, patient_id)), self.retries, read_patient)

    def find_patient(self, external_id: str) -> Steps[PatientSummary | None]:
        """The patient who has this `external_id` of yours, or None."""
        request = Request("GET", PATIENTS, _query(external_id=external_id))
        return asked(request, self.retries, lambda body: next(map(read_summary, body["data"]), None))

    def change_patient(self, patient_id: str, changes: Mapping[str, Any]) -> Steps[Patient]:
        """Change those of `name`, `pronouns`, `notes` and `consent` that are named; None clears a text."""
        request = Request("PATCH", _path(PATIENTS, patient_id), body=changes)
        return asked(request, self.retries, read_patient)

    def delete_patient(self, patient_id: str) -> Steps[None]:
        """Delete a patient with appointments and documents. It can be undone for 30 days; for good is `/erase`."""
        yield from sent(Request("DELETE", _path(PATIENTS, patient_id)), self.retries)

    def list_patients(
        self, *, search: str | None = None, sort: str = "created_at", page_size: int = 100
    ) -> Steps[Page[PatientSummary]]:
        """All patients, or those whose name has a part like `search`, fetched as they are asked for.

        `sort` is `created_at` or `name`, with `-` before it for the reverse. Oldest first, which is the default, those
        who are added meanwhile come last and move nobody from one page to the next.
        """
        return self._patients(_query(search=search, sort=sort, limit=page_size), 1)

    def _patients(self, query: Query, number: int) -> Steps[Page[PatientSummary]]:
        request = Request("GET", PATIENTS, [*query, *_query(page=number)])

        def read(body: Any) -> Page[PatientSummary]:
            is_last = number >= body["meta"]["total_pages"]
            return Page([*map(read_summary, body["data"])], None if is_last else self._patients(query, number + 1))

        return asked(request, self.retries, read)

    def wellness(
        self, patient_id: str, *, first: date | str | None = None, last: date | str | None = None
    ) -> Steps[Wellness]:
        """A patient's scores over time from the `first` day to the `last`, and what is usual of the patient."""
        request = Request("GET", f"{_path(PATIENTS, patient_id)}/wellness", _query(**{"from": first, "to": last}))
        return asked(request, self.retries, read_wellness)


def _post(path: str, body: Mapping[str, Any], idempotency_key: str | None) -> Request:
    """One logical call: however often it is sent, it is done once."""
    return Request("POST", path, body=body, headers={"Idempotency-Key": idempotency_key or str(uuid.uuid4())})


def _path(collection: str, object_id: str) -> str:
    if object_id in ("", ".", ".."):
        raise ValueError(f"{object_id!r} is no id")
    return f"{collection}/{quote(object_id, safe='')}"


def _text(value: date | datetime | str | None) -> str | None:
    return value if value is None or isinstance(value, str) else value.isoformat()


def _query(**parameters: date | datetime | str | int | None) -> Query:
    return [
        (name, str(value) if isinstance(value, int) else str(_text(value)))
        for name, value in parameters.items()
        if value is not None
    ]


def _about(
    person: Person,
    language: str,
    tags: Mapping[str, str] | None,
    patient_id: str | None,
    delete_data: bool,
    data_to_delete: Sequence[DataToDelete],
) -> dict[str, Any]:
    """What both kinds of create say."""
    return {
        "user": {
            "userLabel": person.label,
            "dateOfBirth": _text(person.date_of_birth),
            "birthSex": person.birth_sex,
        },
        "language": language,
        "tags": [{"name": name, "value": value} for name, value in (tags or {}).items()],
        "deleteData": delete_data,
        "dataToDelete": list(data_to_delete) or None,
        "patientId": patient_id,
    }


def _sent(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
