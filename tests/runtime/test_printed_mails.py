from __future__ import annotations

from io import StringIO
from pathlib import Path

from django.core.mail import EmailMessage
from django.core.mail.backends.console import EmailBackend

from helios_site.runtime.printed_mails import PrintedMails

LINE = '{"event": "request"}\n'


def printed(text: str) -> str:
    out = StringIO()
    EmailBackend(stream=out).send_messages([EmailMessage("Look", text, "helios@localhost", ["a@example.org"])])
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
