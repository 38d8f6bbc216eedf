"""The paths of the pages of runs."""

from __future__ import annotations

from django.urls import path

from apps.model_runs.pages import downloads, home, new_check, sample, views

urlpatterns = [
    path("", home.home, name="home"),
    path("sample-run", home.run_sample, name="sample-run"),
    path("sample.wav", sample.recording, name="sample-recording"),
    path("checks/new", new_check.new_check, name="new-check"),
    path("runs", views.run_list, name="runs"),
    path("runs/status", views.statuses, name="run-statuses"),
    path("runs/<uuid:model_run_id>", views.run_page, name="run"),
    path("runs/<uuid:model_run_id>/delete", views.delete, name="run-delete"),
    path("runs/<uuid:model_run_id>.json", downloads.as_json, name="run-json"),
    path("runs/<uuid:model_run_id>.csv", downloads.as_csv, name="run-csv"),
    path("runs/<uuid:model_run_id>/model-card", views.model_card, name="run-model-card"),
]
