"""Runs and wellness models in the staff's admin."""

from apps.model_runs.admin.runs import ModelRunAdmin
from apps.model_runs.admin.wellness_models import WellnessModelActivationAdmin, WellnessModelVersionAdmin

__all__ = ["ModelRunAdmin", "WellnessModelActivationAdmin", "WellnessModelVersionAdmin"]
