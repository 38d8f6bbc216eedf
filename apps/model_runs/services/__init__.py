"""Every write to runs and models. One function a verb, one transaction each, its audit row in the same transaction."""

from apps.model_runs.services.closing import export_organization, look_after_closings
from apps.model_runs.services.creation import (
    AlreadyCreated,
    CannotRerun,
    RunRequest,
    create_run,
    delete_run,
    record_consent,
    record_read,
    rerun_failed,
)
from apps.model_runs.services.execution import (
    Claim,
    Received,
    claim_run,
    finish_run,
    receive_recording,
    release_run,
)
from apps.model_runs.services.housekeeping import erase_due_data, remove_leftovers
from apps.model_runs.services.model_versions import activate_model, roll_back_model, store_model
from apps.model_runs.services.sweeping import sweep_runs

__all__ = [
    "AlreadyCreated",
    "CannotRerun",
    "Claim",
    "Received",
    "RunRequest",
    "activate_model",
    "claim_run",
    "create_run",
    "delete_run",
    "erase_due_data",
    "export_organization",
    "finish_run",
    "look_after_closings",
    "receive_recording",
    "record_consent",
    "record_read",
    "release_run",
    "remove_leftovers",
    "rerun_failed",
    "roll_back_model",
    "store_model",
    "sweep_runs",
]
