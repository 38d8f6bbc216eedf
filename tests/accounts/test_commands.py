"""`create_staff`, as an operator types it."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import AuditEvent, User
from tests.accounts.staff_groups import make_groups
from tests.conftest import with_totp

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_staff", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_it_prints_the_password_alone_and_the_admin_opens_with_it() -> None:
    out, err = run("Staff@Example.org")
    password = out.removesuffix("\n")
    assert len(password) >= 24
    assert password not in err
    client = Client()
    assert client.login(username="staff@example.org", password=password)
    with_totp(User.objects.get())
    assert client.get("/admin/accounts/user/").status_code == 200
    assert list(AuditEvent.objects.values_list("action", "actor_type")) == [("user.created", "system")]


def test_reset_gives_a_new_password_and_ends_sessions() -> None:
    old = run("staff@example.org")[0].strip()
    client = Client()
    client.login(username="staff@example.org", password=old)
    User.objects.update(is_staff=False, is_active=False)
    new = run("STAFF@example.org", "--reset")[0].strip()
    assert new != old
    assert not Client().login(username="staff@example.org", password=old)
    assert Client().login(username="staff@example.org", password=new)
    assert client.get("/admin/").status_code == 302
    assert AuditEvent.objects.filter(action="user.reset").count() == 1


@pytest.mark.parametrize(
    "email", ["", "nonsense", "a@b", "a b@example.org", "x@" + ("a" * 60 + ".") * 4 + "example.org"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(CommandError, match=r"valid email|at most 254"):
        run(email)
    assert not User.objects.exists()


def test_an_existing_user_is_not_touched_without_reset() -> None:
    User.objects.create_user("member@example.org", "a long password")
    with pytest.raises(CommandError, match="--reset"):
        run("member@example.org")
    assert Client().login(username="member@example.org", password="a long password")
    assert not User.objects.get().is_staff


def test_reset_of_nobody_fails() -> None:
    with pytest.raises(CommandError, match="no such user"):
        run("nobody@example.org", "--reset")


def test_groups_limit_what_it_allows_and_reset_without_any_gives_everything_again() -> None:
    make_groups()
    run("ada@example.org", "--group", "support", "--group", "auditor")
    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert sorted(group.name for group in user.groups.all()) == ["auditor", "support"]
    client = Client()
    client.force_login(with_totp(user))
    assert client.get("/admin/api_keys/apikey/").status_code == 200
    assert client.get("/admin/model_runs/modelrun/").status_code == 403
    run("ada@example.org", "--reset", "--group", "clinical")
    user.refresh_from_db()
    assert (user.is_superuser, [group.name for group in user.groups.all()]) == (False, ["clinical"])
    run("ada@example.org", "--reset")
    user.refresh_from_db()
    assert (user.is_superuser, user.groups.exists()) == (True, False)
    made = AuditEvent.objects.filter(action__in=["user.created", "user.reset"]).order_by("id")
    assert list(made.values_list("reason", flat=True)) == [
        "staff in auditor, support",
        "staff in clinical, new password",
        "staff with every permission, new password",
    ]


@pytest.mark.parametrize("arguments", [(), ("--reset",)])
def test_an_unknown_group_is_named_and_changes_nothing(arguments: tuple[str, ...]) -> None:
    make_groups()
    if arguments:
        User.objects.create_user("ada@example.org")
    with pytest.raises(CommandError, match=r"no group admins\. The groups are auditor, clinical, support"):
        run("ada@example.org", *arguments, "--group", "support", "--group", "admins")
    assert not User.objects.filter(is_staff=True).exists()
    assert User.objects.count() == len(arguments)
