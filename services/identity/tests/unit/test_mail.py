"""The mailers: into files, and to a server of the test's own that speaks SMTP."""

import smtplib
import socketserver
import threading
from contextlib import contextmanager

import pytest

from identity.mail import FolderMailer, SmtpMailer, mailer_of

RESPONSES = {"MAIL": "250 ok", "RCPT": "250 ok", "QUIT": "221 bye", "RSET": "250 ok", "HELO": "250 test"}


class Session(socketserver.StreamRequestHandler):
    """A session of SMTP without TLS, which offers AUTH all the same and keeps every line that it gets."""

    def handle(self):
        self.respond("220 test")
        while line := self.rfile.readline().decode().rstrip():
            self.server.lines.append(line)
            word = line.partition(" ")[0].upper()
            if word == "EHLO":
                self.respond("250-test", "250 AUTH PLAIN LOGIN")
            elif word == "DATA":
                self.respond("354 go on")
                while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    self.server.lines.append(text)
                self.respond("250 ok")
            else:
                self.respond(RESPONSES.get(word, "502 unknown"))

    def respond(self, *lines):
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def smtp_server():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.lines = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


async def test_a_mail_is_a_file_that_its_owner_alone_reads(tmp_path):
    """The folder is made with the first mail, and the newest mail has the last name."""
    folder = tmp_path / "made" / "with it"
    mailer = mailer_of(folder.as_uri(), "cheeper@localhost")
    for number in range(3):
        await mailer.send("ann@example.org", "Your code", f"The code is {number}\n")
    mails = sorted(folder.iterdir())
    assert ["The code is" in mail.read_text() for mail in mails] == [True] * 3
    assert mails[-1].read_text().endswith("The code is 2\n")
    assert {mail.stat().st_mode & 0o777 for mail in mails} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_a_code_is_readable_in_the_file(tmp_path, service):
    """The text of a mail is not encoded, so that a line of the shell finds the code."""
    await service.accounts.send_code("ann@example.org", "192.0.2.1")
    (address, text), *_ = service.mailer.mails
    await FolderMailer(tmp_path, "cheeper@localhost").send(address, "Your code", text)
    (mail,) = tmp_path.iterdir()
    assert f"The code is {service.mailer.code()}" in mail.read_text().splitlines()


async def test_a_server_gets_the_mail():
    """A mail is handed over with its sender and its address."""
    with smtp_server() as server:
        url = f"smtp://127.0.0.1:{server.server_address[1]}"
        await mailer_of(url, "cheeper@example.org").send("ann@example.org", "Your code", "The code is 7\n")
    assert "mail FROM:<cheeper@example.org>" in " ".join(server.lines)
    assert "rcpt TO:<ann@example.org>" in server.lines
    assert "The code is 7" in server.lines


async def test_a_password_is_never_sent_without_tls():
    """A server that takes passwords but offers no TLS gets neither the password nor the mail."""
    with smtp_server() as server:
        url = f"smtp://user:secret@127.0.0.1:{server.server_address[1]}"
        with pytest.raises(smtplib.SMTPException):
            await SmtpMailer(url, "cheeper@example.org").send("ann@example.org", "Your code", "The code is 7\n")
    assert {line.partition(" ")[0].upper() for line in server.lines} <= {"EHLO", "QUIT"}


async def test_an_unavailable_server_is_an_oserror():
    """The edge responds to it as to any other unavailable server."""
    with socketserver.TCPServer(("127.0.0.1", 0), Session) as closed:
        port = closed.server_address[1]
    with pytest.raises(OSError, match=r"."):
        await mailer_of(f"smtp://127.0.0.1:{port}", "a@b").send("ann@example.org", "Your code", "")


@pytest.mark.parametrize("url", ["", "mail", "http://127.0.0.1", "file://", "smtp://", "ftp://x/y"])
def test_another_url_is_refused(url):
    """Only what a mail can be sent to is accepted."""
    with pytest.raises(ValueError, match="must be a URL such as smtp://"):
        mailer_of(url, "")
