"""The demo's customer: knows the base URL and a key, and speaks HTTP like anybody else."""

from __future__ import annotations

import importlib.util
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POLL_SECONDS = 1.0
GIVE_UP_SECONDS = 300.0
CREATE_BODY: dict[str, Any] = {
    "user": {"userLabel": "demo", "dateOfBirth": "1990-01-01", "birthSex": "UNKNOWN"},
    "language": "en-GB",
}
RUNS_PATH = "/v1/models/mental-wellness"


class DemoError(Exception):
    """The demo cannot go on; the message is for the person who watches it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The finished run as the API tells it, and the seconds that the client saw pass."""

    run: dict[str, Any]
    upload_seconds: float
    result_seconds: float  # from the end of the upload to the result


class DemoClient:
    """A customer's backend in a few lines."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url
        self._key = key
        # A proxy of the environment does not reach this machine's own ports.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def run(self, recording: Path, progress: Callable[[str, float], None]) -> Outcome:
        """Create a run, upload `recording`, wait for the end; `progress` hears the status and the seconds since
        the upload. Raises DemoError."""
        created = self._call("POST", self._base_url + RUNS_PATH, json.dumps(CREATE_BODY).encode())
        started = time.monotonic()
        self._call("PUT", created["recordingUploadUrl"], recording.read_bytes())
        uploaded = time.monotonic()
        while True:
            run = self._call("GET", f"{self._base_url}{RUNS_PATH}/{created['id']}")
            waited = time.monotonic() - uploaded
            progress(run["status"], waited)
            if run["status"] in ("COMPLETE_OK", "COMPLETE_ERROR"):
                return Outcome(run, uploaded - started, waited)
            if waited > GIVE_UP_SECONDS:
                raise DemoError(f"The run is still {run['status']} after {waited:.0f} s.")
            time.sleep(POLL_SECONDS)

    def _call(self, method: str, url: str, body: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(url, data=body, method=method)  # noqa: S310 - our own address
        if method != "PUT":  # the upload URL carries its own signature
            request.add_header("x-api-key", self._key)
            request.add_header("content-type", "application/json")
        try:
            with self._opener.open(request, timeout=60) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            raise DemoError(f"{method} {url} answered {error.code}: {error.read(500).decode()}") from error
        except OSError as error:
            raise DemoError(f"{method} {url} failed: {error}") from error
        answer: dict[str, Any] = json.loads(text) if text else {}
        return answer


def sample_recording() -> Path:
    """44 seconds of a person reading aloud, carried by the package `moonshine-voice`; found without its code."""
    spec = importlib.util.find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        raise DemoError("The package moonshine-voice is not installed: run `make install`.")
    return Path(spec.submodule_search_locations[0]) / "assets" / "two_cities.wav"
