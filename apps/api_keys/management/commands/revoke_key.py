"""`manage.py revoke_key PREFIX_OR_KEY --reason TEXT`."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.audit import SYSTEM
from apps.api_keys import tokens
from apps.api_keys.models import ApiKey
from apps.api_keys.selectors import key_of_raw, keys_by_prefix
from apps.api_keys.services import revoke_key

_LISTED = 20


class Command(BaseCommand):
    help = "Revoke an API key, named whole or by its first characters; the next request with it is refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "key", metavar="PREFIX_OR_KEY", help="the whole key, or as much of its beginning as is shown"
        )
        parser.add_argument("--reason", required=True, help="stays with the key and in the audit trail")

    def handle(self, **options: Any) -> None:
        key = _find(options["key"].strip())
        try:
            key, is_new = revoke_key(actor=SYSTEM, key_id=key.pk, reason=options["reason"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if is_new:
            self.stdout.write(f"Revoked {key} of {key.organization}. The next request with it is refused.")
        else:
            self.stdout.write(
                f"{key} of {key.organization} is revoked already, since {key.revoked_at:%Y-%m-%d %H:%M:%S} UTC: "
                f"{key.revoked_reason}"
            )


def _find(text: str) -> ApiKey:
    """The one key that `text` names. An error never repeats `text`: it may be a live key of somebody else."""
    if not text.startswith(tokens.PREFIX) or text == tokens.PREFIX:
        raise CommandError(f"Give a key or the beginning of one: {tokens.PREFIX} and at least one more character.")
    if len(text) > settings.API_KEY_DISPLAY_CHARS:
        found = key_of_raw(text)
        if found is None:
            raise CommandError(
                "No key matches. A character may be wrong: try its first "
                f"{settings.API_KEY_DISPLAY_CHARS} characters alone."
            )
        return found
    candidates = keys_by_prefix(text, _LISTED)
    if not candidates:
        raise CommandError("No key begins like that.")
    if len(candidates) > 1:
        rows = "\n".join(f"  {key}  {key.organization}  {key.status()}" for key in candidates)
        more = f"\n  and perhaps more than these {_LISTED}" if len(candidates) == _LISTED else ""
        raise CommandError(f"Several keys begin like that; give more of it, or the whole key:\n{rows}{more}")
    return candidates[0]
