from __future__ import annotations

import time
from io import StringIO
from pathlib import Path

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend

from helios_site.runtime.printed_mails import MOST_BYTES, PrintedMails

LINE = '{"event": "request"}\n'


def printed(text: str, subject: str = "Look") -> str:
    out = StringIO()
    EmailBackend(stream=out).send_messages([EmailMessage(subject, text, "helios@localhost", ["a@example.org"])])
    return out.getvalue()


def test_mails_are_told_that_are_printed_from_now_on_each_once(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text(printed("Before."))
    said: list[str] = []
    mails = PrintedMails(tmp_path, said.append)
    with log.open("a") as file:
        file.write(LINE + printed("Open this:\n\nhttp://127.0.0.1/verify-email/x\n") + LINE)
    mails.look()
    (tmp_path / "housekeeping.log").write_text(LINE + printed("Grüße."))  # of a process that started later
    for _ in range(2):
        mails.look()
    assert said == [
        "\nMail to a@example.org: Look\n\nOpen this:\n\nhttp://127.0.0.1/verify-email/x\n",
        "\nMail to a@example.org: Look\n\nGrüße.\n",
    ]


def test_a_mail_that_is_half_printed_is_told_once_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    mail = LINE + printed("Open this.") + LINE
    for half in range(len(mail)):
        said: list[str] = []
        log.write_text("")
        mails = PrintedMails(tmp_path, said.append)
        for part in (mail[:half], mail):
            log.write_text(part)
            mails.look()
        assert said == ["\nMail to a@example.org: Look\n\nOpen this.\n"], half


def test_a_log_that_was_emptied_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text(LINE * 1000)
    said: list[str] = []
    mails = PrintedMails(tmp_path, said.append)
    log.write_text(printed("After."))
    mails.look()
    assert len(said) == 1


def test_lines_that_look_like_a_mails_are_none_and_cost_little(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("")
    said: list[str] = []
    mails = PrintedMails(tmp_path, said.append)
    log.write_text("Subject: none\n" * 50_000 + "Subject: none\n\nTo: nobody\n\n" * 5_000)
    started = time.process_time()
    mails.look()
    with log.open("a") as file:
        file.write(printed("After."))
    mails.look()
    assert time.process_time() - started < 5
    assert said == ["\nMail to a@example.org: Look\n\nAfter.\n"]


def test_of_what_never_ends_a_bounded_part_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("")
    said: list[str] = []
    mails = PrintedMails(tmp_path, said.append)
    long = printed("more\n" * MOST_BYTES)
    log.write_text(long[:-100])
    mails.look()
    log.write_text(long)
    mails.look()
    assert said == [], "its head was let go"
    log.write_text(long + printed("After."))
    mails.look()
    assert said == ["\nMail to a@example.org: Look\n\nAfter.\n"]


@pytest.mark.parametrize("subject", ["Join Praxis Müller & Søn", "Your API key hlsk_abcdefgh… of Northern Clinic " * 4])
def test_subjects_are_told_as_a_mail_program_shows_them(tmp_path: Path, subject: str) -> None:
    log = tmp_path / "web.log"
    log.write_text("")
    said: list[str] = []
    mails = PrintedMails(tmp_path, said.append)
    log.write_text(LINE + printed("Grüße an alle.", subject.strip()))
    mails.look()
    assert said == [f"\nMail to a@example.org: {subject.strip()}\n\nGrüße an alle.\n"]
