"""Customers of the installation: they send recordings over the public API, and try again when it fails."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests import audio
from tests.chaos.sizes import SIZES

RUNS = "/v1/models/mental-wellness"
PATIENCE_SECONDS = 120.0
TERMINAL = ("COMPLETE_OK", "COMPLETE_ERROR")
# The least that still holds ten seconds of speech, so that the suite keeps its time.
SPEECH_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Recording:
    """Bytes to upload, and how their run must end: COMPLETE_OK or an error code."""

    content: bytes
    outcome: str


class Customer:
    """One key. Calls are tried again as a careful backend would: when the connection breaks, on 429 and on 5xx."""

    def __init__(self, base_url: str, key: str) -> None:
        parts = urlsplit(base_url)
        self._host, self._port = str(parts.hostname), parts.port
        self._key = key

    def send(self, recording: Recording) -> str:
        """Create a run and upload its recording; the run's id."""
        body = {
            "user": {"userLabel": "chaos", "dateOfBirth": "1990-01-01", "birthSex": "UNKNOWN"},
            "language": "en-GB",
        }
        created = self.call("POST", RUNS, json.dumps(body).encode())
        self.call("PUT", created["recordingUploadUrl"], recording.content)
        return str(created["id"])

    @contextmanager
    def sending(self, recordings: list[Recording], per_second: float) -> Iterator[Sent]:
        """Send at a steady pace in the background; on leaving, all are sent, and the value knows their runs."""
        sent = Sent({})
        with ThreadPoolExecutor(8) as pool:
            futures: list[tuple[Future[str], Recording]] = []
            start = pool.submit(self._pace, pool, recordings, per_second, futures)
            try:
                yield sent
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)  # a scenario that failed says so at once
                raise
            start.result()
        sent.runs.update((future.result(), recording) for future, recording in futures)

    def _pace(
        self,
        pool: ThreadPoolExecutor,
        recordings: list[Recording],
        per_second: float,
        futures: list[tuple[Future[str], Recording]],
    ) -> None:
        begun = time.monotonic()
        for number, recording in enumerate(recordings):
            time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
            futures.append((pool.submit(self.send, recording), recording))

    def read(self, run_id: str) -> dict[str, Any]:
        return self.call("GET", f"{RUNS}/{run_id}")

    def read_all(self) -> dict[str, dict[str, Any]]:
        """Every run of the organisation by id, page by page."""
        found: dict[str, dict[str, Any]] = {}
        path = f"{RUNS}?limit=100"
        while True:
            page = self.call("GET", path)
            found |= {run["id"]: run for run in page["items"]}
            if page["nextCursor"] is None:
                return found
            path = f"{RUNS}?limit=100&cursor={page['nextCursor']}"

    def call(self, method: str, url: str, body: bytes | None = None) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            status, answer = self.try_once(method, url, body)
            if status == 200:
                return answer
            assert status in (0, 429) or status >= 500, f"{method} {url} answered {status}: {answer}"
            assert time.monotonic() < deadline, f"{method} {url} fails for {PATIENCE_SECONDS:.0f} s: {status} {answer}"
            time.sleep(0.5)

    def try_once(self, method: str, url: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
        """Status, 0 when there was no answer, and the body."""
        parts = urlsplit(url)
        headers = {} if method == "PUT" else {"x-api-key": self._key, "content-type": "application/json"}
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        try:
            connection.request(method, f"{parts.path}?{parts.query}" if parts.query else parts.path, body, headers)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else {}
        except (OSError, http.client.HTTPException, ValueError) as error:
            return 0, {"error": repr(error)}
        finally:
            connection.close()


@dataclass(slots=True)
class Sent:
    runs: dict[str, Recording]


def recordings(scenario: str) -> list[Recording]:
    """Files that the worker refuses quickly, with good speech spread evenly among them; no two alike, and the same
    ones each time."""
    refused, spoken = SIZES[scenario]
    source = random.Random(scenario)
    made = [_refused(number, source) for number in range(refused)]
    for number in range(spoken):
        made.insert(round((number + 0.5) * len(made) / spoken), spoken_recording(source))
    return made


def spoken_recording(source: random.Random) -> Recording:
    """Fifteen seconds out of the reading, from another place each time."""
    start = source.uniform(0.0, 44.0 - SPEECH_SECONDS)
    speech = audio.cut(audio.speech_44s(), start, start + SPEECH_SECONDS)
    return Recording(audio.encode(speech), "COMPLETE_OK")


def _refused(number: int, source: random.Random) -> Recording:
    if number % 12 == 5:  # decoded and judged before it is refused
        start = source.uniform(0.0, 39.0)
        short = audio.cut(audio.speech_44s(), start, start + 5.0)
        return Recording(audio.encode(short), "ERR_RECORDING_TOO_SHORT")
    content = source.randbytes(8192) if number % 2 else f"No sound, only words: {source.random()}".encode()
    return Recording(content, "ERR_RECORDING_INVALID_FORMAT")
