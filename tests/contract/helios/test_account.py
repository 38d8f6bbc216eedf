from __future__ import annotations

from uuid import UUID

from django.test import Client

from apps.accounts.models import Organization
from tests.conftest import MakeKey
from tests.contract.helios.calls import minimal_body, post


def test_1_account_tells_its_id_and_features(api: Client, organization: Organization) -> None:
    response = api.get("/v1/account")
    assert response.status_code == 200
    body = response.json()
    assert body == {"id": str(organization.id), "features": ["helios", "activity", "history", "webhooks"]}
    assert UUID(body["id"])


def test_features_are_those_of_the_key(make_key: MakeKey) -> None:
    client = Client(headers={"x-api-key": make_key(scopes=["patients:read"])[1]})
    assert client.get("/v1/account").json()["features"] == []
    client = Client(headers={"x-api-key": make_key(scopes=["webhooks:read"])[1]})
    assert client.get("/v1/account").json()["features"] == ["webhooks"]
    client = Client(headers={"x-api-key": make_key(scopes=["model_runs:write"])[1]})
    assert client.get("/v1/account").json()["features"] == ["helios", "activity"], "history is read"


def test_86_missing_scopes_are_403(make_key: MakeKey) -> None:
    other_scope = Client(headers={"x-api-key": make_key(scopes=["patients:read"])[1]})
    response = post(other_scope, minimal_body())
    assert (response.status_code, response.json()) == (403, {"detail": "Insufficient scope"})

    key, raw = make_key(scopes=["patients:read"])
    type(key).objects.filter(id=key.id).update(scopes=[])
    response = Client(headers={"x-api-key": raw}).get("/v1/account")
    assert (response.status_code, response.json()) == (403, {"detail": "Insufficient scope"})
