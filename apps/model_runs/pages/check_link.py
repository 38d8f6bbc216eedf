"""The link of a run that waits for its recording: to copy, to mail, and as a QR code."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import qrcode
from django.utils import timezone

from apps.model_runs.activity.links import activity_url
from apps.model_runs.models import ModelRun, Status

MAIL = """Hello,

please record your voice for {organization}. It takes about two minutes, in a quiet room, on a phone or a computer with a microphone. Open this link:

{link}

It is for you alone, and good for one recording, until {until}.
"""  # noqa: E501 - a mail's paragraphs are lines


def link_of(run: ModelRun, organization: str) -> dict[str, Any] | None:
    """None once the run takes no recording any more."""
    left = run.upload_expires_at - timezone.now()
    if run.status != Status.CREATED or left <= timedelta():
        return None
    url, until = activity_url(run), f"{run.upload_expires_at:%Y-%m-%d %H:%M} UTC"
    mail = {
        "subject": f"Your voice check for {organization}",
        "body": MAIL.format(organization=organization, link=url, until=until).replace("\n", "\r\n"),
    }
    return {
        "url": url,
        "seconds_left": math.ceil(left.total_seconds()),
        "until": until,  # as the mail has it, for the script that knows the reader's zone
        "mail": f"mailto:?{urlencode(mail, quote_via=quote)}",
        "code": qr_code(url),
    }


def qr_code(text: str) -> dict[str, Any]:
    """A square of `size` modules with its quiet edge, and the dark ones as the path of an SVG."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    return {"size": len(rows), "path": "".join(_stretches(y, row) for y, row in enumerate(rows))}


def _stretches(y: int, row: list[bool]) -> str:
    """The dark stretches of one row."""
    path, start = "", None
    for x, is_dark in enumerate([*row, False]):
        if is_dark and start is None:
            start = x
        elif not is_dark and start is not None:
            path += f"M{start} {y}h{x - start}v1h-{x - start}z"
            start = None
    return path
