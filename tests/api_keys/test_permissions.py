"""Scopes on requests: the right answer, in the right order, and a trace of what was refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import AuditEvent, Membership, Organization, User
from apps.accounts.selectors import CURRENT_ORGANIZATION
from apps.api_keys.authentication import MemberAuthentication
from apps.api_keys.models import ApiKey
from apps.api_keys.permissions import HasScope
from apps.api_keys.scopes import API_KEY_SCOPES

pytestmark = pytest.mark.django_db
Issue = Callable[..., tuple[ApiKey, str]]
RUNS = "/v1/models/mental-wellness"
ONE_RUN = f"{RUNS}/00000000-0000-4000-8000-000000000000"


def answer(view: type[APIView], raw_key: str, method: str = "get") -> int:
    request = getattr(RequestFactory(), method)("/x", headers={"x-api-key": raw_key})
    return int(view.as_view()(request).status_code)


class _Silent(APIView):
    """Names no scope at all."""

    permission_classes = (HasScope,)

    def get(self, request: Request) -> Response:
        return Response()


class _Named(_Silent):
    required_scopes = {"GET": "audit:read"}  # noqa: RUF012

    def post(self, request: Request) -> Response:
        return Response()


def test_a_view_that_names_no_scope_refuses_everyone(make_key: Issue) -> None:
    assert answer(_Silent, make_key(scopes=["*"])[1]) == 403


def test_a_method_that_is_not_named_refuses_everyone(make_key: Issue) -> None:
    raw_key = make_key(scopes=["*"])[1]
    assert answer(_Named, raw_key) == 200
    assert answer(_Named, raw_key, "post") == 403


def test_named_scopes_decide_by_method(make_key: Issue) -> None:
    assert answer(_Named, make_key(scopes=["audit:read"])[1]) == 200
    assert answer(_Named, make_key(scopes=[s for s in API_KEY_SCOPES if s not in ("*", "audit:read")])[1]) == 403


class _Twofold(_Silent):
    scope_resource = "patients"
    also_required_scopes = ("model_runs:read",)


def test_a_view_may_need_several_scopes(make_key: Issue) -> None:
    assert answer(_Twofold, make_key(scopes=["patients:read"])[1]) == 403
    assert answer(_Twofold, make_key(scopes=["model_runs:read"])[1]) == 403
    assert answer(_Twofold, make_key(scopes=["patients:read", "model_runs:read"])[1]) == 200


class _AnyOfSome(_Silent):
    any_scope = ("patients:write", "appointments:write")


def test_any_one_of_some_scopes_will_do(make_key: Issue) -> None:
    for scope, status in (("*", 200), ("appointments:write", 200), ("patients:read", 403)):
        assert answer(_AnyOfSome, make_key(scopes=[scope])[1]) == status


def test_a_method_that_the_view_lacks_passes_to_405(make_key: Issue) -> None:
    raw_key = make_key(scopes=["patients:read"])[1]
    assert answer(_Named, raw_key, "delete") == 405


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        (["model_runs:read"], "get", RUNS, 200),
        (["model_runs:read"], "get", ONE_RUN, 404),
        (["model_runs:read"], "post", RUNS, 403),
        (["model_runs:read"], "delete", ONE_RUN, 403),
        (["model_runs:write"], "get", RUNS, 403),
        (["model_runs:write"], "get", ONE_RUN, 403),
        (["model_runs:write"], "post", RUNS, 422),
        (["model_runs:write"], "delete", ONE_RUN, 404),
        (["*"], "get", RUNS, 200),
        (["*"], "post", RUNS, 422),
        (["patients:read"], "get", RUNS, 403),
        (["patients:read"], "put", RUNS, 405),  # the method is judged before the scope
        (["patients:read"], "get", "/v1/account", 200),  # any one scope will do
    ],
)
def test_helios_scopes_decide_what_a_key_may_do(
    make_key: Issue, scopes: list[str], method: str, path: str, status: int
) -> None:
    client = Client(headers={"x-api-key": make_key(scopes=scopes)[1]})
    assert getattr(client, method)(path).status_code == status


def test_helios_86_patients_read_alone_may_not_create_and_no_scopes_may_do_nothing(make_key: Issue) -> None:
    body = {"user": {"userLabel": "a", "dateOfBirth": "1990-01-01", "birthSex": "MALE"}, "language": "en-GB"}
    patients = Client(headers={"x-api-key": make_key(scopes=["patients:read"])[1]})
    response = patients.post(RUNS, body, content_type="application/json")
    assert (response.status_code, response.json()) == (403, {"detail": "Insufficient scope"})
    key, raw_key = make_key()
    ApiKey.objects.filter(pk=key.pk).update(scopes=[])
    nothing = Client(headers={"x-api-key": raw_key})
    for path in ("/v1/account", RUNS, ONE_RUN):
        assert nothing.get(path).status_code == 403
    assert nothing.post(RUNS, body, content_type="application/json").status_code == 403


def test_a_missing_scope_is_recorded_once_a_minute_for_each_scope(make_key: Issue) -> None:
    key, raw_key = make_key(scopes=["patients:read"])
    client = Client(headers={"x-api-key": raw_key})
    for _ in range(3):
        client.get(RUNS)
        client.post(RUNS)
    rows = AuditEvent.objects.filter(action="api_key.refused", object_id=str(key.pk)).order_by("id")
    assert [row.reason for row in rows] == ["missing scope: model_runs:read", "missing scope: model_runs:write"]


# -- Members of an organisation, in a session ---------------------------------------------------------


@pytest.fixture
def member(organization: Organization) -> User:
    user = User.objects.create_user("member@example.org")
    Membership.objects.create(organization=organization, user=user)
    return user


def as_member(user: User | None, session: dict[str, str] | None = None) -> Any:
    http_request = RequestFactory().get("/browse/")
    http_request.session = SessionStore()
    http_request.session.update(session or {})
    if user is not None:
        http_request.user = user
    return MemberAuthentication().authenticate(Request(http_request))


def test_a_member_acts_for_the_organisation_with_the_scopes_of_the_role(
    member: User, organization: Organization
) -> None:
    principal, record = as_member(member)
    assert (principal.organization_id, principal.user, record.key_id) == (organization.pk, member, None)
    assert "model_runs:write" in record.scopes
    assert "audit:read" not in record.scopes
    assert (record.actor.type, record.actor.id) == ("user", str(member.pk))
    Membership.objects.update(role="admin")
    assert as_member(member)[1].scopes == {"*"}


def test_the_session_chooses_between_several_organisations(
    member: User, organization: Organization, other_organization: Organization
) -> None:
    Membership.objects.create(organization=other_organization, user=member)
    assert as_member(member)[0].organization_id == organization.pk
    chosen = {CURRENT_ORGANIZATION: str(other_organization.pk)}
    assert as_member(member, chosen)[0].organization_id == other_organization.pk


def test_a_choice_that_is_no_membership_gives_no_access(
    member: User, organization: Organization, other_organization: Organization
) -> None:
    chosen = {CURRENT_ORGANIZATION: str(other_organization.pk)}
    assert as_member(member, chosen)[0].organization_id == organization.pk


def test_without_a_session_an_active_user_or_an_organisation_nobody_comes_in(member: User) -> None:
    with pytest.raises(exceptions.NotAuthenticated):
        as_member(None)
    Organization.objects.update(is_active=False)
    with pytest.raises(exceptions.PermissionDenied):
        as_member(member)
    member.is_active = False
    with pytest.raises(exceptions.NotAuthenticated):
        as_member(member)


def test_a_session_opens_nothing_under_v1(member: User) -> None:
    client = Client()
    client.force_login(member)
    assert client.get("/v1/account").status_code == 401
