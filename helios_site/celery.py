"""The Celery application.

Three queues: `runs` carries the wellness model and the checks of documents, `housekeeping` the sweeper and the
clean-up jobs, `webhooks` the calls to other people's servers. Each has a worker of its own: a long queue of runs never
delays the sweeper that looks after it, and a receiver that takes ten seconds to answer delays neither.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, task_prerun, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")  # they belong to `make check`, and load every view into the worker

CLOCK_KEY = "helios:clock"  # in REDIS_URL: when the sweeper last ended, in seconds of the epoch

app = Celery("helios")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """A receiver keeps Celery from replacing the structured logs."""


@worker_process_init.connect
def _seal_audit_trail(**_: Any) -> None:
    """In the process that executes tasks, which has been forked where the pool forks, and not before."""
    if "housekeeping" in app.amqp.queues.consume_from:
        from apps.accounts.sealing import start_sealer

        start_sealer()


@task_prerun.connect
@task_postrun.connect
def _keep_sound_connections(**_: Any) -> None:
    """As around a web request: a broken connection is dropped, the others are tried before their next use."""
    from django.db import close_old_connections

    close_old_connections()


@task_postrun.connect
def _note_the_clock(task: Any = None, **_: Any) -> None:
    """The sweeper's end is the proof that beat ticks and that somebody carries its ticks out."""
    if task is not None and task.name == "helios.housekeeping.sweep_runs":
        import redis
        from django.conf import settings

        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        with suppress(redis.RedisError), client:  # the next tick is near
            client.set(CLOCK_KEY, time.time())


@app.on_after_finalize.connect
def _schedule(sender: Celery, **_: Any) -> None:
    from django.conf import settings

    def every(seconds: int, name: str) -> None:
        # A tick that waited longer than its interval is worthless: the next one is there.
        sender.add_periodic_task(seconds, sender.signature(name), expires=seconds, name=name)

    every(settings.HELIOS_SWEEP_SECONDS, "helios.housekeeping.sweep_runs")
    # Half the promised time: one missed tick still keeps the promise.
    every(settings.HELIOS_ERASE_JOB_SECONDS // 2, "helios.housekeeping.erase_due_data")
    every(3600, "helios.housekeeping.remove_leftovers")
    every(settings.WEBHOOK_SWEEP_SECONDS, "helios.webhooks.deliver_due")
    every(3600, "helios.housekeeping.remove_webhook_leftovers")
    every(3600, "helios.housekeeping.remove_old_replies")
    # What revoked a key rings at once; this finds what was lost, and what the mail server did not take.
    every(60, "helios.housekeeping.send_key_notices")
    every(60, "helios.housekeeping.send_invitations")
    every(60, "helios.housekeeping.send_webhook_notices")
    every(1800, "helios.housekeeping.note_key_expiries")
    every(60, "helios.housekeeping.write_usage")
    every(3600, "helios.housekeeping.remove_old_usage")
    every(60, "helios.housekeeping.send_organization_notices")
    every(300, "helios.housekeeping.look_after_closings")
    every(300, "helios.housekeeping.purge_deleted")
    # Erasing removes them itself; this finds those that the store did not take.
    every(60, "helios.housekeeping.remove_erased_objects")
    every(60, "helios.housekeeping.look_after_exports")
    every(60, "helios.housekeeping.compact_counts")
    every(10, "helios.documents.check_due")
