"""Trained models: stored, activated for one organisation, rolled back, pinned, and what scores a run."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core import checks
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent, Organization
from apps.model_runs import execution, model_choice
from apps.model_runs.model_choice import ModelUnavailable, model_for
from apps.model_runs.model_files import digest
from apps.model_runs.models import ModelRun, Status, WellnessModelActivation, WellnessModelVersion
from apps.model_runs.wellness.model import shipped
from tests import audio
from tests.conftest import CHECKOUT, RECORDINGS, database_url_of_tests
from tests.model_runs.conftest import OK, MakeRun
from tests.model_runs.test_worker import await_end
from tests.model_runs.trained import activate, in_use, roll_back, store, trained

pytestmark = pytest.mark.django_db


def events(action: str) -> list[tuple[UUID | None, str, str, str]]:
    rows = AuditEvent.objects.filter(action=f"wellness_model.{action}").order_by("id")
    return list(rows.values_list("organization_id", "object_type", "object_id", "reason"))


@pytest.fixture(scope="module")
def recording() -> bytes:
    return audio.encode(audio.cut(audio.speech_44s(), 0, 15))


# -- What scores a run ----------------------------------------------------------------------------------


@RECORDINGS
@pytest.mark.django_db(transaction=True)
def test_an_activated_model_scores_the_runs_of_its_organisation_until_it_is_rolled_back(
    worker: Path,
    organization: Organization,
    other_organization: Organization,
    make_running: MakeRun,
    recording: bytes,
) -> None:
    def scored(organization: Organization) -> tuple[str, dict[str, float]]:
        run = make_running(organization=organization, content=recording, language="de-DE")
        await_end(run)
        run.refresh_from_db()
        assert run.status == Status.COMPLETE_OK, worker.read_text()
        assert run.scores is not None
        return run.model_version, run.scores

    store("clinic-1")
    version, plain = scored(organization)
    assert version == shipped().version

    activate(organization, "clinic-1")
    version, theirs = scored(organization)
    assert version == "clinic-1"
    assert theirs["uniformStress"] > plain["uniformStress"]
    assert scored(other_organization) == (shipped().version, plain)

    roll_back(organization)
    assert scored(organization) == (shipped().version, plain)
    stored = ModelRun.objects.get(model_version="clinic-1")
    assert (stored.organization, stored.scores) == (organization, theirs)


def test_which_model_scores_a_run_costs_one_query_whatever_is_active(
    organization: Organization, make_running: MakeRun, settings: Any
) -> None:
    def queries() -> int:
        run = make_running(content=b"no sound")
        with CaptureQueriesContext(connection) as captured:
            assert execution.execute_run(run.id)
        return sum("model_runs_wellness" in query["sql"] for query in captured.captured_queries)

    assert queries() == 1
    store("clinic-1")
    activate(organization, "clinic-1")
    assert queries() == 1  # activating has read it
    model_choice._stored.cache_clear()
    assert [queries(), queries()] == [2, 1]
    settings.HELIOS_MODEL_VERSION = "clinic-1"
    assert queries() == 1


# -- Storing --------------------------------------------------------------------------------------------


def test_a_model_is_stored_once_byte_for_byte(db: None) -> None:
    stored = store("clinic-1")
    assert stored.content.encode() == trained("clinic-1")
    assert stored.sha256 == digest(trained("clinic-1"))
    assert store("clinic-1").created_at == stored.created_at
    with pytest.raises(ValidationError, match=r"Another model is stored as clinic-1 .* version of its own"):
        store("clinic-1", shift=2.0)
    with pytest.raises(ValidationError, match="the version of the shipped model"):
        store(shipped().version)
    assert WellnessModelVersion.objects.count() == 1
    assert events("stored") == [(None, "wellness_model", "clinic-1", f"SHA-256 {stored.sha256}")]


def test_a_model_that_lost_a_byte_in_the_database_scores_nothing(organization: Organization) -> None:
    store("clinic-1")
    activate(organization, "clinic-1")
    model_choice._stored.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE model_runs_wellnessmodelversion DISABLE TRIGGER wellness_model_no_change")
        cursor.execute("UPDATE model_runs_wellnessmodelversion SET content = replace(content, '1.5', '2.5')")
        cursor.execute("UPDATE model_runs_wellnessmodelversion SET content = content || ' '")
    with pytest.raises(ModelUnavailable, match="SHA-256 differs"):
        model_for(organization.id)
    [warning] = checks.run_checks(databases=["default"], tags=[checks.Tags.database])
    assert (warning.id, warning.is_serious()) == ("model_runs.W001", False)


# -- Activating and rolling back --------------------------------------------------------------------------


def test_rolling_back_goes_one_activation_further_each_time(organization: Organization) -> None:
    for version in ("clinic-1", "clinic-2"):
        store(version)
    with pytest.raises(ValidationError, match="no activation to roll back"):
        roll_back(organization)
    seen = [in_use(organization)]
    for version in ("clinic-1", "clinic-2", "shipped", "clinic-1"):
        assert activate(organization, version)
        seen.append(in_use(organization))
    for _ in range(4):
        roll_back(organization)
        seen.append(in_use(organization))
    own = shipped().version
    assert seen == [own, "clinic-1", "clinic-2", own, "clinic-1", own, "clinic-2", "clinic-1", own]
    with pytest.raises(ValidationError, match="no activation to roll back"):
        roll_back(organization)
    steps = WellnessModelActivation.objects.order_by("number")
    assert [step.number for step in steps] == list(range(1, 9))
    assert [step.is_roll_back for step in steps] == [False] * 4 + [True] * 4


def test_after_a_roll_back_an_activation_can_be_rolled_back_again(organization: Organization) -> None:
    for version in ("clinic-1", "clinic-2", "clinic-3"):
        store(version)
    activate(organization, "clinic-1")
    activate(organization, "clinic-2")
    roll_back(organization)
    activate(organization, "clinic-3")
    assert roll_back(organization).model_id == "clinic-1"
    assert roll_back(organization).model_id is None


def test_what_is_active_already_is_left_alone(organization: Organization) -> None:
    store("clinic-1")
    assert not activate(organization, "shipped")
    assert activate(organization, "clinic-1", "because")
    assert not activate(organization, "clinic-1", "again")
    assert [step.reason for step in WellnessModelActivation.objects.all()] == ["because"]
    assert len(events("activated")) == 1


def test_each_step_is_audited_with_both_models_and_the_reason(organization: Organization) -> None:
    store("clinic-1")
    activate(organization, "clinic-1", "  validated  on our staff ")
    roll_back(organization)
    own = shipped().version
    assert events("activated") == [
        (organization.id, "wellness_model", "clinic-1", f"validated on our staff (instead of {own})")
    ]
    assert events("rolled_back") == [(organization.id, "wellness_model", own, "worse (instead of clinic-1)")]


@pytest.mark.parametrize(("version", "reason", "message"), [
    ("clinic-9", "why", "neither the shipped model"), ("clinic-1", " ", "Say why"), ("clinic-1", "x" * 501, "500"),
])  # fmt: skip
def test_a_refused_activation_leaves_no_trace(
    organization: Organization, version: str, reason: str, message: str
) -> None:
    store("clinic-1")
    with pytest.raises(ValidationError, match=message):
        activate(organization, version, reason)
    assert not WellnessModelActivation.objects.exists()
    assert events("activated") == []


def test_a_repeated_roll_back_does_not_go_back_twice(organization: Organization) -> None:
    for version in ("clinic-1", "clinic-2"):
        store(version)
        activate(organization, version)
    roll_back(organization, from_number=2)
    with pytest.raises(ValidationError, match="meanwhile"):
        roll_back(organization, from_number=2)
    assert in_use(organization) == "clinic-1"


@pytest.mark.django_db(transaction=True)
def test_steps_taken_at_once_come_one_after_the_other(organization: Organization) -> None:
    versions = [f"clinic-{number}" for number in range(8)]
    for version in versions:
        store(version)

    def step(version: str) -> bool:
        try:
            return activate(organization, version)
        finally:
            connection.close()

    def back(_: int) -> bool:
        try:
            return roll_back(organization, from_number=8).is_roll_back
        except ValidationError:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(step, versions))
        steps = list(WellnessModelActivation.objects.order_by("number"))
        assert [one.number for one in steps] == list(range(1, 9))
        assert {one.model_id for one in steps} == set(versions)
        # Each leads back to the one before it, so that none is lost.
        assert [one.before_id for one in steps] == [None, *(one.pk for one in steps[:-1])]
        assert in_use(organization) == steps[-1].model_id
        assert sum(pool.map(back, range(8))) == 1
    assert in_use(organization) == steps[-2].model_id


# -- What the database refuses ----------------------------------------------------------------------------


SAME_NUMBER_TWICE = """
INSERT INTO model_runs_wellnessmodelactivation (organization_id, number, is_roll_back, reason, created_at, created_by)
SELECT organization_id, number, false, '', now(), '' FROM model_runs_wellnessmodelactivation
"""


@pytest.mark.parametrize("statement", [
    "UPDATE model_runs_wellnessmodelversion SET card = 'better'",
    "UPDATE model_runs_wellnessmodelactivation SET reason = 'better'",
    "DELETE FROM model_runs_wellnessmodelversion WHERE version = 'scored'",
    "DELETE FROM model_runs_wellnessmodelversion WHERE version = 'active'",
    "DELETE FROM model_runs_wellnessmodelactivation WHERE number = 2",
    SAME_NUMBER_TWICE,
])  # fmt: skip
def test_the_database_refuses_to_change_history(
    organization: Organization, make_finished: MakeRun, statement: str
) -> None:
    for version in ("active", "scored"):
        store(version)
    make_finished(analysis=replace(OK, model_version="scored"))
    activate(organization, "active")
    roll_back(organization)
    activate(organization, "active")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(statement)


def test_a_model_that_nothing_names_can_be_deleted(db: None) -> None:
    store("unused").delete()
    assert not WellnessModelVersion.objects.exists()


# -- Pinning ----------------------------------------------------------------------------------------------


def test_a_pinned_model_scores_every_organisation_whatever_is_active(
    organization: Organization, other_organization: Organization, settings: Any
) -> None:
    for version in ("clinic-1", "clinic-2"):
        store(version)
    activate(organization, "clinic-1")
    own = shipped().version
    for pin, expected in (("clinic-2", "clinic-2"), (own, own), ("shipped", own)):
        settings.HELIOS_MODEL_VERSION = pin
        assert {in_use(organization), in_use(other_organization)} == {expected}
    settings.HELIOS_MODEL_VERSION = ""
    assert (in_use(organization), in_use(other_organization)) == ("clinic-1", own)


def test_a_pinned_model_that_is_not_there_is_never_replaced_by_another(
    make_running: MakeRun, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.HELIOS_MODEL_VERSION = "clinic-9"
    run = make_running()
    assert not execution.execute_run(run.id)
    run.refresh_from_db()
    assert (run.status, run.scores, run.model_version, run.attempt) == (Status.RUNNING, None, "", 1)
    [error] = checks.run_checks(databases=["default"], tags=[checks.Tags.database])
    assert (error.id, error.is_serious()) == ("model_runs.E001", True)
    assert "HELIOS_MODEL_VERSION cannot be used: clinic-9 is neither" in error.msg


def test_a_version_that_a_new_release_brings_too_is_not_guessed(
    organization: Organization, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store("2027.1")
    released = replace(shipped(), version="2027.1")
    monkeypatch.setattr(model_choice, "shipped", lambda: released)
    settings.HELIOS_MODEL_VERSION = "2027.1"
    with pytest.raises(ModelUnavailable, match=r"2027\.1 is both the shipped model and a stored one"):
        model_for(organization.id)


def worker_with(pin: str, *, url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "celery", "-A", "helios_site", "worker", "--queues", "runs", "--pool", "solo"]
    environment = {**os.environ, "DATABASE_URL": url, "HELIOS_MODEL_VERSION": pin}
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60)


@RECORDINGS
@pytest.mark.django_db(transaction=True)
def test_a_worker_does_not_start_with_a_pinned_model_that_is_not_there() -> None:
    refused = worker_with("clinic-9", url=database_url_of_tests())
    assert refused.returncode == 1
    assert refused.stderr.strip().splitlines()[-1] == (
        f"HELIOS_MODEL_VERSION cannot be used: clinic-9 is neither the shipped model, {shipped().version}, "
        "nor a stored one."
    )
    assert "ready" not in refused.stdout + refused.stderr


def test_a_worker_whose_database_is_away_leaves_the_question_to_each_run() -> None:
    code = (
        "import django; django.setup(); from apps.model_runs import model_choice; model_choice.require_pinned_model()"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "helios_site.settings",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere",
        "HELIOS_MODEL_VERSION": "clinic-1",
    }
    started = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert started.returncode == 0, started.stderr
    assert "pinned_model_not_checked" in started.stdout + started.stderr


def test_nothing_is_asked_of_the_database_where_it_is_not_migrated_yet(settings: Any) -> None:
    settings.HELIOS_MODEL_VERSION = "clinic-9"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE model_runs_wellnessmodelversion RENAME TO away")
    assert checks.run_checks(databases=["default"], tags=[checks.Tags.database]) == []
    connection.set_rollback(True)
