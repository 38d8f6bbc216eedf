"""Forms of the staff's admin for wellness models. The rules are those of the services; here they become fields."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from apps.api_keys.validation import MAX_REASON_CHARS, clean_reason
from apps.model_runs.model_files import SHIPPED
from apps.model_runs.models import WellnessModelActivation, WellnessModelVersion
from apps.model_runs.services import model_versions
from apps.model_runs.wellness.model import shipped


class _ReasonField(forms.CharField):
    widget = forms.TextInput(attrs={"size": 60})

    def __init__(self) -> None:
        super().__init__(max_length=MAX_REASON_CHARS, help_text="It stays with the activation and in the audit trail.")

    def clean(self, value: Any) -> str:
        return clean_reason(super().clean(value))


class ActivationForm(forms.ModelForm):
    model = forms.ModelChoiceField(WellnessModelVersion.objects.only("version").order_by("-created_at"), required=False)
    reason = _ReasonField()

    class Meta:
        model = WellnessModelActivation
        fields: ClassVar = ["organization", "model", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].empty_label = f"the shipped model, {shipped().version}"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        organization, model = self.cleaned_data.get("organization"), self.cleaned_data.get("model")
        if organization is not None and "model" in self.cleaned_data:
            # Inside the transaction of the admin's view: what is active now stays so until the step is taken.
            current = model_versions.lock_activations(organization.id)
            wanted = model_versions.usable_model(SHIPPED if model is None else model.version)
            if model_versions.active(current) == wanted:
                raise forms.ValidationError("The organisation uses this model already.")
        return cleaned


class RollBackForm(forms.Form):
    reason = _ReasonField()
