"""What was promised to be erased is erased, in the named kinds and no more."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from apps.accounts.audit import SYSTEM
from apps.accounts.models import AuditEvent
from apps.model_runs import selectors, services
from apps.model_runs.models import ModelRun
from apps.model_runs.services import erase_due_data, remove_leftovers
from apps.model_runs.services.housekeeping import LEFTOVER_AGE
from helios_site.storage import object_store
from tests.model_runs.conftest import MakeRun, exists, store

pytestmark = pytest.mark.django_db


def finish_hours_ago(run: ModelRun, hours: float) -> None:
    moment = timezone.now() - timedelta(hours=hours)
    ModelRun.objects.filter(id=run.id).update(completed_at=moment, run_at=moment, created_at=moment)


def test_a_run_with_delete_data_disappears_twelve_hours_after_it_finished(make_finished: MakeRun) -> None:
    run = make_finished(delete_data=True)
    finish_hours_ago(run, 11.98)
    assert erase_due_data() == 0
    assert selectors.get_run(run.organization_id, run.id) is not None
    finish_hours_ago(run, 12)
    assert selectors.get_run(run.organization_id, run.id) is None, "refused before the job came by"
    assert erase_due_data() == 1
    assert not ModelRun.objects.filter(id=run.id).exists()
    assert not exists(run.recording_key)
    assert AuditEvent.objects.filter(action="model_run.erased", object_id=str(run.id)).count() == 1


def test_without_delete_data_nothing_is_erased(make_finished: MakeRun) -> None:
    run = make_finished()
    finish_hours_ago(run, 1000)
    assert erase_due_data() == 0
    assert selectors.get_run(run.organization_id, run.id) is not None
    assert exists(run.recording_key)


@pytest.mark.parametrize("kind", ["RECORDINGS", "INPUTS", "RESULTS"])
def test_a_subset_erases_only_the_named_kind(make_finished: MakeRun, kind: str) -> None:
    run = make_finished(delete_data=True, data_to_delete=(kind,), tags=({"name": "site", "value": "north"},))
    finish_hours_ago(run, 13)
    assert erase_due_data() == 1
    assert erase_due_data() == 0
    left = ModelRun.objects.get(id=run.id)
    assert exists(run.recording_key) is (kind != "RECORDINGS")
    assert bool(left.recording_key) is (kind != "RECORDINGS")
    assert (left.date_of_birth is None, left.birth_sex == "", left.tags == []) == (kind == "INPUTS",) * 3
    assert (left.scores is None, left.transcript == "", left.quality is None) == (kind == "RESULTS",) * 3
    assert (left.safety is None, left.warnings == []) == (kind == "RESULTS",) * 2
    visible = selectors.get_run(run.organization_id, run.id)
    assert (visible is None) is (kind == "RESULTS")


def test_an_unfinished_run_with_delete_data_stays_visible(make_running: MakeRun) -> None:
    run = make_running(delete_data=True)
    assert selectors.get_run(run.organization_id, run.id) is not None
    assert erase_due_data() == 0


def test_deleting_removes_row_and_recording_and_leaves_an_audit_row(
    make_finished: MakeRun, django_capture_on_commit_callbacks: Any
) -> None:
    run = make_finished()
    with django_capture_on_commit_callbacks(execute=True):
        assert services.delete_run(actor=SYSTEM, organization_id=run.organization_id, run_id=run.id)
    assert not exists(run.recording_key)
    assert not ModelRun.objects.filter(id=run.id).exists()
    row = AuditEvent.objects.get(action="model_run.deleted", object_id=str(run.id))
    assert "person-1" not in str(vars(row))


def test_another_organisation_cannot_delete_the_run(make_finished: MakeRun) -> None:
    run = make_finished()
    assert services.delete_run(actor=SYSTEM, organization_id=uuid4(), run_id=run.id) is False
    assert ModelRun.objects.filter(id=run.id).exists()


def test_runs_never_uploaded_are_removed_after_thirty_days(make_run: MakeRun, make_running: MakeRun) -> None:
    old, young, running = make_run(), make_run(), make_running()
    ModelRun.objects.filter(id__in=[old.id, running.id]).update(created_at=timezone.now() - timedelta(days=31))
    assert remove_leftovers()["abandoned_runs"] == 1
    assert set(ModelRun.objects.values_list("id", flat=True)) == {young.id, running.id}


def test_recordings_are_removed_after_their_retention_and_results_stay(make_finished: MakeRun, settings: Any) -> None:
    run = make_finished()
    finish_hours_ago(run, 49)
    assert remove_leftovers()["expired_recordings"] == 0, "0 days keeps them"
    settings.HELIOS_RECORDING_RETENTION_DAYS = 2
    assert remove_leftovers()["expired_recordings"] == 1
    assert not exists(run.recording_key)
    left = ModelRun.objects.get(id=run.id)
    assert left.recording_key == ""
    assert left.scores is not None


def test_an_object_that_no_run_names_is_removed_once_it_is_old(make_running: MakeRun) -> None:
    run = make_running()
    orphan = store(run)
    assert remove_leftovers()["orphaned_objects"] == 0, "an upload may be about to name it"
    old = (timezone.now() - LEFTOVER_AGE - timedelta(minutes=1)).timestamp()
    for key in (orphan, run.recording_key):
        with object_store().local_path(key) as path:
            os.utime(path, (old, old))
    assert remove_leftovers()["orphaned_objects"] == 1
    assert not exists(orphan)
    assert exists(run.recording_key)


def test_what_lies_beside_our_objects_stays_and_holds_nothing_up(make_running: MakeRun) -> None:
    orphan = store(make_running())
    beside = ["notes.txt", "shared/notes.txt", f"{uuid4()}/logs/notes.txt", f"{uuid4()}/documents"]
    old = (timezone.now() - LEFTOVER_AGE - timedelta(minutes=1)).timestamp()
    for key in (orphan, *beside):
        with object_store().writer(key) as writer:
            writer.commit()
        with object_store().local_path(key) as path:
            os.utime(path, (old, old))
    try:
        remove_leftovers()
        assert [key for key in (orphan, *beside) if exists(key)] == beside
    finally:
        for key in beside:
            object_store().delete(key)


def test_unfinished_writes_of_a_crash_are_removed() -> None:
    incoming = Path(django_settings.HELIOS_RECORDINGS_DIR) / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    left = incoming / "crashed"
    left.write_bytes(b"half")
    old = (timezone.now() - LEFTOVER_AGE - timedelta(minutes=1)).timestamp()
    os.utime(left, (old, old))
    assert remove_leftovers()["unfinished_writes"] == 1
    assert not left.exists()


def test_a_failed_run_is_run_again_as_a_new_run(make_running: MakeRun) -> None:
    run = make_running(content=b"sound", user_label="again", tags=({"name": "a", "value": "b"},))
    ModelRun.objects.filter(id=run.id).update(
        status="COMPLETE_ERROR", error_code="ERR_INTERNAL", error_reason="x", completed_at=timezone.now()
    )
    run.refresh_from_db()
    again = services.rerun_failed(actor=SYSTEM, run=run)
    run.refresh_from_db()
    assert run.status == "COMPLETE_ERROR"
    assert (again.status, again.user_label, again.tags, again.rerun_of) == ("RUNNING", "again", run.tags, run.id)
    with object_store().local_path(again.recording_key) as path:
        assert path.read_bytes() == b"sound"
    assert again.recording_key != run.recording_key


@pytest.mark.parametrize("left", ["nothing", "no recording"])
def test_a_run_that_is_erased_while_its_recording_is_copied_does_not_come_back(
    make_running: MakeRun, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    run = make_running(user_label="again")
    ModelRun.objects.filter(id=run.id).update(
        status="COMPLETE_ERROR", error_code="ERR_INTERNAL", error_reason="x", completed_at=timezone.now()
    )
    run.refresh_from_db()
    copy, copies = object_store().copy, list[str]()

    def slow(source: str, target: str) -> None:
        copy(source, target)
        copies.append(target)
        if left == "nothing":
            services.delete_run(actor=SYSTEM, organization_id=run.organization_id, run_id=run.id)
        else:
            ModelRun.objects.filter(id=run.id).update(recording_key="")

    monkeypatch.setattr(object_store(), "copy", slow)
    with pytest.raises(services.CannotRerun, match="erased"):
        services.rerun_failed(actor=SYSTEM, run=run)
    assert not ModelRun.objects.exclude(id=run.id).exists()
    assert [exists(key) for key in copies] == [False]


def test_only_internal_failures_with_a_recording_are_run_again(make_finished: MakeRun) -> None:
    run = make_finished()
    with pytest.raises(services.CannotRerun, match="ERR_INTERNAL"):
        services.rerun_failed(actor=SYSTEM, run=run)
