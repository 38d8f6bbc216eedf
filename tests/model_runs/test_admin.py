"""What staff can see and do with runs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import AuditEvent, Organization, User
from apps.model_runs.models import ModelRun
from tests.conftest import with_totp
from tests.model_runs.conftest import MakeRun

pytestmark = pytest.mark.django_db

LIST = "/admin/model_runs/modelrun/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(with_totp(User.objects.create_superuser("staff@example.org", "a long password")))
    return client


def fail_internally(run: ModelRun) -> None:
    ModelRun.objects.filter(id=run.id).update(
        status="COMPLETE_ERROR", error_code="ERR_INTERNAL", error_reason="x", completed_at=timezone.now()
    )


def test_staff_see_the_life_of_a_run_and_not_its_content(staff: Client, make_finished: MakeRun) -> None:
    run = make_finished(user_label="label-canary")
    for path in (LIST, f"{LIST}{run.id}/change/"):
        page = staff.get(path)
        assert page.status_code == 200
        text = page.content.decode()
        assert str(run.id) in text
        assert "label-canary" not in text
        assert run.transcript not in text
        assert "phrase-canary" not in text
        assert "selfHarm" not in text
        assert "uniformDistress" not in text


def test_runs_are_found_by_id_and_by_organisation(
    staff: Client, make_run: MakeRun, other_organization: Organization
) -> None:
    here, there = make_run(), make_run(organization=other_organization)
    for term, found, absent in ((str(here.id), here, there), ("Southern", there, here)):
        text = staff.get(LIST, {"q": term}).content.decode()
        assert str(found.id) in text
        assert str(absent.id) not in text


def test_a_run_that_failed_internally_is_run_again_from_the_list(staff: Client, make_running: MakeRun) -> None:
    run = make_running()
    fail_internally(run)
    page = staff.post(LIST, {"action": "run_again", "_selected_action": [str(run.id)]}, follow=True)
    again = ModelRun.objects.get(rerun_of=run.id)
    assert f"runs again as {again.id}" in page.content.decode()
    assert AuditEvent.objects.get(action="model_run.rerun").actor_type == "staff"


def test_a_run_that_did_not_fail_internally_is_not_run_again(staff: Client, make_finished: MakeRun) -> None:
    run = make_finished()
    page = staff.post(LIST, {"action": "run_again", "_selected_action": [str(run.id)]}, follow=True)
    assert "Only runs that ended in ERR_INTERNAL" in page.content.decode()
    assert ModelRun.objects.count() == 1


def test_runs_can_neither_be_added_changed_nor_deleted(staff: Client, make_finished: MakeRun) -> None:
    run = make_finished()
    assert staff.get(f"{LIST}add/").status_code == 403
    assert staff.get(f"{LIST}{run.id}/delete/").status_code == 403
    assert staff.post(f"{LIST}{run.id}/change/", {"status": "CREATED"}).status_code == 403


def test_a_list_of_ten_thousand_runs_asks_as_many_queries_as_one_of_ten(
    staff: Client, make_run: MakeRun, django_assert_max_num_queries: Any
) -> None:
    make_run()
    columns = ", ".join(field.column for field in ModelRun._meta.concrete_fields if not field.primary_key)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO model_runs_modelrun (id, {columns})"  # noqa: S608 - our own column names
            f" SELECT gen_random_uuid(), {columns} FROM model_runs_modelrun, generate_series(1, 9999)"
        )
    with django_assert_max_num_queries(7) as captured:
        page = staff.get(LIST)
    assert page.status_code == 200
    assert not [q["sql"] for q in captured.captured_queries if "COUNT(*)" in q["sql"] and "LIMIT 1000" not in q["sql"]]
