"""`issue_key` and `revoke_key`, as an operator types them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent, Organization
from apps.api_keys import tokens
from apps.api_keys.models import ApiKey

pytestmark = pytest.mark.django_db
Issue = Callable[..., tuple[ApiKey, str]]


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def status(raw_key: str) -> int:
    return Client().get("/v1/account", headers={"x-api-key": raw_key}).status_code


def test_issue_key_prints_the_raw_key_alone_and_it_works() -> None:
    out, err = run("issue_key", "--organization", "Northern Clinic")
    raw_key = out.removesuffix("\n")
    assert tokens.is_well_formed(raw_key)
    assert raw_key not in err
    assert "Made the organisation Northern Clinic." in err
    assert status(raw_key) == 200
    key = ApiKey.objects.get()
    assert (key.organization.name, key.scopes, key.expires_at) == ("Northern Clinic", ["*"], None)
    actions = AuditEvent.objects.order_by("id").values_list("action", "actor_type")
    assert list(actions)[:2] == [("organization.created", "system"), ("api_key.created", "system")]


def test_issue_key_uses_the_organisation_of_that_name(organization: Organization) -> None:
    _, err = run("issue_key", "--organization", " Northern Clinic ")
    assert Organization.objects.count() == 1
    assert "Made" not in err


def test_issue_key_takes_scopes_name_and_expiry() -> None:
    run(
        "issue_key", "--organization", "A", "--scopes", "model_runs:write  model_runs:read", "--name", "EHR",
        "--expires-in", "3600",
    )  # fmt: skip
    key = ApiKey.objects.get()
    assert (key.scopes, key.name) == (["model_runs:read", "model_runs:write"], "EHR")
    assert key.expires_at is not None
    assert abs(key.expires_at - timezone.now() - timedelta(hours=1)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--scopes", "foo:read"), "Unknown scope: 'foo:read'"),
        (("--scopes", ""), "at least one scope"),
        (("--scopes", "  "), "at least one scope"),
        (("--name", ""), "needs a name"),
        (("--name", "x" * 101), "at most 100 characters"),
        (("--expires-in", "0"), "whole number of seconds"),
        (("--expires-in", "-5"), "whole number of seconds"),
        (("--expires-in", "1.5"), "whole number of seconds"),
        (("--expires-in", "tomorrow"), "whole number of seconds"),
        (("--expires-in", "9" * 30), "whole number of seconds"),
        (("--organization", ""), "organisation's name"),
        (("--organization", "x" * 201), "organisation's name"),
        (("--organization", "a\x00b"), "organisation's name"),
    ],
)
def test_issue_key_says_what_is_wrong_and_makes_nothing(arguments: tuple[str, str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("issue_key", "--organization", "A", *arguments)
    assert not ApiKey.objects.exists()
    assert not Organization.objects.exists()


@pytest.mark.parametrize("shown", [43, 12, 9])
def test_revoke_key_takes_the_whole_key_or_its_beginning(make_key: Issue, shown: int) -> None:
    key, raw_key = make_key()
    out, _ = run("revoke_key", raw_key[:shown], "--reason", "found in a log")
    assert out == f"Revoked {key} of Northern Clinic. The next request with it is refused.\n"
    assert status(raw_key) == 401
    key.refresh_from_db()
    assert key.revoked_reason == "found in a log"


def test_revoke_key_says_when_a_key_is_revoked_already(make_key: Issue) -> None:
    _, raw_key = make_key()
    run("revoke_key", raw_key, "--reason", "first")
    out, _ = run("revoke_key", raw_key, "--reason", "second")
    assert "is revoked already, since" in out
    assert out.endswith("first\n")


def test_revoke_key_lists_the_candidates_of_an_ambiguous_beginning(make_key: Issue) -> None:
    keys = [make_key(name=name)[0] for name in ("one", "two")]
    with pytest.raises(CommandError) as error:
        run("revoke_key", "hlsk", "--reason", "x")
    assert "hlsk_ and at least one more" in str(error.value)
    ApiKey.objects.update(key_prefix="hlsk_Ab3dE9x")
    with pytest.raises(CommandError) as error:
        run("revoke_key", "hlsk_Ab3", "--reason", "x")
    assert all(f"({key.name})" in str(error.value) for key in keys)
    assert not ApiKey.objects.filter(revoked_at__isnull=False).exists()


@pytest.mark.parametrize(
    "named", ["", "hlsk_", "nonsense", "hlsk_zzzzzzz", "hlsk_" + "0" * 32 + "2wUdfm", "hlsk_" + "0" * 32 + "2wUdfn"]
)
def test_revoke_key_of_no_key_fails_without_repeating_what_was_typed(make_key: Issue, named: str) -> None:
    make_key()
    with pytest.raises(CommandError) as error:
        run("revoke_key", named, "--reason", "x")
    assert len(named) < 10 or named not in str(error.value)
    assert not ApiKey.objects.filter(revoked_at__isnull=False).exists()


@pytest.mark.parametrize("reason", ["", "   "])
def test_revoke_key_needs_a_reason(make_key: Issue, reason: str) -> None:
    _, raw_key = make_key()
    with pytest.raises(CommandError, match="Say why"):
        run("revoke_key", raw_key, "--reason", reason)
    assert status(raw_key) == 200
