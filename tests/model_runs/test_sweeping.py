"""The sweeper ends or re-queues every run that nobody looks after."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone

from apps.accounts.models import AuditEvent
from apps.model_runs import queue, services
from apps.model_runs.models import ModelRun, Status
from apps.model_runs.services import sweep_runs
from helios_site.celery import app
from tests.conftest import CHECKOUT, close_valkey_connections, database_url_of_tests
from tests.model_runs.conftest import MakeRun

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = {"failed": 0, "requeued": 0}


def change(run: ModelRun, **fields: object) -> None:
    ModelRun.objects.filter(id=run.id).update(**fields)


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def lose_messages() -> None:
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.flushdb()


def test_a_run_that_waits_in_the_queue_is_left_alone(make_running: MakeRun) -> None:
    run = make_running()
    change(run, enqueued_at=ago(3600))
    assert queue.waiting_messages() == 1
    assert sweep_runs() == NOTHING


def test_a_lost_message_is_sent_again_after_thirty_seconds(make_running: MakeRun) -> None:
    run = make_running()
    lose_messages()
    assert sweep_runs() == NOTHING
    change(run, enqueued_at=ago(31))
    assert sweep_runs() == {"failed": 0, "requeued": 1}
    assert queue.waiting_messages() == 1


@pytest.mark.parametrize(("count", "gap"), [(0, 30), (1, 60), (2, 120), (3, 240), (4, 240), (9, 240)])
def test_the_gap_doubles_up_to_four_minutes(make_running: MakeRun, count: int, gap: int) -> None:
    run = make_running()
    lose_messages()
    change(run, enqueue_count=count, enqueued_at=ago(gap - 5))
    assert sweep_runs() == NOTHING
    change(run, enqueued_at=ago(gap + 1))
    assert sweep_runs() == {"failed": 0, "requeued": 1}
    run.refresh_from_db()
    assert run.enqueue_count == count + 1


def test_a_run_whose_worker_died_is_handed_out_again_when_its_lease_lapses(make_running: MakeRun) -> None:
    run = make_running()
    services.claim_run(run_id=run.id)
    lose_messages()
    assert sweep_runs() == NOTHING
    change(run, lease_expires_at=ago(1))
    assert sweep_runs() == {"failed": 0, "requeued": 1}
    claim = services.claim_run(run_id=run.id)
    assert claim is not None
    assert claim.attempt == 2


def test_used_up_attempts_end_in_err_internal_with_an_audit_row(make_running: MakeRun) -> None:
    run = make_running()
    services.claim_run(run_id=run.id)
    change(run, attempt=3, lease_expires_at=ago(1))
    assert sweep_runs() == {"failed": 1, "requeued": 0}
    run.refresh_from_db()
    assert (run.status, run.error_code, run.scores) == (Status.COMPLETE_ERROR, "ERR_INTERNAL", None)
    assert "3 attempts" in run.error_reason
    assert AuditEvent.objects.get(object_id=str(run.id), action="model_run.failed").reason == "ERR_INTERNAL"
    assert sweep_runs() == NOTHING


def test_a_live_lease_is_never_ended_by_the_deadline(make_running: MakeRun) -> None:
    run = make_running()
    services.claim_run(run_id=run.id)
    change(run, first_claimed_at=ago(10_000))
    assert sweep_runs() == NOTHING
    change(run, lease_expires_at=ago(1))
    assert sweep_runs() == {"failed": 1, "requeued": 0}


def test_a_broker_outage_after_a_worker_died_does_not_count_against_the_deadline(make_running: MakeRun) -> None:
    run = make_running()
    services.claim_run(run_id=run.id)
    lose_messages()
    change(run, first_claimed_at=ago(3720), lease_expires_at=ago(3600))
    assert sweep_runs() == {"failed": 0, "requeued": 1}
    change(run, enqueued_at=ago(3600))  # and then the queue was long
    assert sweep_runs() == NOTHING
    claim = services.claim_run(run_id=run.id)
    assert claim is not None
    assert claim.attempt == 2


def test_a_waiting_run_beyond_a_lowered_number_of_attempts_ends(make_running: MakeRun) -> None:
    run = make_running()
    change(run, attempt=3, first_claimed_at=ago(60))
    assert sweep_runs() == {"failed": 1, "requeued": 0}
    run.refresh_from_db()
    assert run.error_code == "ERR_INTERNAL"


def test_a_run_handed_out_again_goes_before_those_that_wait(make_running: MakeRun) -> None:
    earlier = make_running()
    services.claim_run(run_id=earlier.id)
    lose_messages()
    later = [make_running(), make_running()]
    change(earlier, lease_expires_at=ago(1))
    assert sweep_runs() == {"failed": 0, "requeued": 1}
    assert queue.waiting_messages() == 3
    assert served() == [str(run.id) for run in (earlier, *later)]


def served() -> list[str]:
    """The ids of the runs in the order in which a worker takes them from the broker."""
    found = []
    with app.connection_for_read() as connection, connection.SimpleQueue("runs") as messages:
        while queue.waiting_messages():
            message = messages.get(timeout=5)
            message.ack()
            found.append(message.payload[0][0])
    return found


def test_waiting_alone_never_fails_a_run(make_running: MakeRun) -> None:
    run = make_running()
    change(run, run_at=ago(86_400), enqueued_at=ago(86_400))
    sweep_runs()
    run.refresh_from_db()
    assert run.status == Status.RUNNING


def test_five_hundred_lost_messages_are_all_sent_again(make_running: MakeRun) -> None:
    run = make_running()
    ModelRun.objects.bulk_create(
        ModelRun(
            organization_id=run.organization_id, user_label="x", upload_expires_at=run.created_at,
            status=Status.RUNNING, run_at=run.run_at, enqueued_at=ago(60), recording_key="k",
        )
        for _ in range(500)
    )  # fmt: skip
    change(run, enqueued_at=ago(60))
    lose_messages()
    assert sweep_runs()["requeued"] + sweep_runs()["requeued"] == 501
    assert queue.waiting_messages() == 501


def test_a_connection_that_the_broker_has_closed_is_replaced(make_running: MakeRun) -> None:
    run = make_running()
    close_valkey_connections()
    assert queue.ring(run.id) is True
    assert queue.waiting_messages() == 2


def test_a_broker_that_is_down_leaves_the_runs_for_the_next_tick(make_running: MakeRun) -> None:
    run = make_running()
    change(run, enqueued_at=ago(60))
    # A process of its own: Celery keeps the connections that it has.
    program = (
        "import django; django.setup()\n"
        "from apps.model_runs import queue, services\n"
        f"print(queue.waiting_messages(), services.sweep_runs(), queue.ring('{run.id}'))"
    )
    nowhere = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "helios_site.settings",
        "DATABASE_URL": database_url_of_tests(),
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, env=nowhere, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == f"None {NOTHING} False\n", done.stderr
    run.refresh_from_db()
    assert run.status == Status.RUNNING
