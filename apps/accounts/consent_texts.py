"""What a person agrees to before the hosted activity records: the organisation's own text, or else ours."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from apps.accounts.models import ConsentText, Organization

MAX_TEXT_CHARS = 10_000
# Changed together: a run keeps the version, which must say for good what the text was.
DEFAULT_VERSION = "helios-1"
DEFAULT_TEXT = """\
{organization} asks you to record your voice for a wellness check.

What is recorded: only what you say after you press "Start recording", and only your voice. You can listen to it first, and nothing is sent before you press "Send".

What it is for: a computer program listens to how you speak and what you say, and estimates how strained, stressed, tired or low in self-esteem you may be at the moment. {organization} receives the recording, its transcript and these estimates, and keeps them until it deletes them. They are a wellness aid, not a medical diagnosis, and they can be wrong.

Your choice: taking part is voluntary. You can stop at any time by closing this page, and ask {organization} at any time to delete the recording and all that came of it.

Nobody listens while you speak. If you need help now, call your local emergency number or a crisis line."""  # noqa: E501 - a paragraph a line


@dataclass(frozen=True, slots=True)
class Consent:
    """A text and the version of it that a run keeps."""

    version: str
    text: str


def present(organization: Organization) -> Consent:
    """The text that is shown now."""
    own = organization.consent_texts.order_by("-number").first()
    if own is not None:
        return Consent(str(own.number), own.text)
    return Consent(DEFAULT_VERSION, DEFAULT_TEXT.format(organization=organization.name))


def earlier(organization: Organization, before: int | None = None) -> QuerySet[ConsentText]:
    """Numbers and moments of the organisation's own texts before the present one, or the one of a number, newest
    first. Before the first of them, ours was shown."""
    texts = organization.consent_texts.order_by("-number").only("number", "created_at")
    return texts[1:] if before is None else texts.filter(number__lt=before)


def later(organization: Organization, after: int) -> QuerySet[ConsentText]:
    """The same of those that came after the one of a number, oldest first."""
    return organization.consent_texts.order_by("number").only("number", "created_at").filter(number__gt=after)


def clean_text(text: str) -> str:
    """The text as it is stored. Raises ValidationError for an unusable one."""
    text = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))
    if not text:
        raise ValidationError("Write what people agree to before they are recorded.")
    if len(text) > MAX_TEXT_CHARS or "\x00" in text:
        raise ValidationError(f"The text has at most {MAX_TEXT_CHARS:,} characters, without NUL.")
    return text
