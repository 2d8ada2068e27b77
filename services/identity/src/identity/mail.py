"""Mailers: SMTP, and for a system on one machine a folder with a file for each mail."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

_SECONDS: Final = 10


def mailer_of(url: str, sender: str) -> SmtpMailer | FolderMailer:
    """Return the mailer of a URL: smtp://, smtps:// or file://. Raise ValueError."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path:
        return FolderMailer(Path(unquote(parts.path)), sender)
    if parts.scheme in {"smtp", "smtps"} and parts.hostname:
        return SmtpMailer(url, sender)
    raise ValueError("must be a URL such as smtp://user:password@host:587 or file:///folder")


class FolderMailer:
    """Writes each mail into a file of the folder, which only its owner can read. The names are in the order of time."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder = folder
        self._sender = sender

    async def send(self, address: str, subject: str, text: str) -> None:
        """Write the mail. Raise OSError."""
        await asyncio.to_thread(self._write, _message(self._sender, address, subject, text))

    def _write(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self._folder / f".{uuid4()}"
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(message.as_bytes())
        unfinished.rename(self._folder / f"{time.time_ns()}{unfinished.name}.eml")


class SmtpMailer:
    """Hands each mail over to a server, over TLS: smtps from the start, smtp by STARTTLS if the server has it.

    A password is sent over TLS alone.
    """

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender

    async def send(self, address: str, subject: str, text: str) -> None:
        """Hand the mail over. Raise OSError, of which smtplib's errors are."""
        await asyncio.to_thread(self._send, _message(self._sender, address, subject, text))

    def _send(self, message: EmailMessage) -> None:
        url, tls = self._url, ssl.create_default_context()
        host, implicit = url.hostname or "", url.scheme == "smtps"
        port = url.port or (465 if implicit else 587)
        with (
            smtplib.SMTP_SSL(host, port, timeout=_SECONDS, context=tls)
            if implicit
            else smtplib.SMTP(host, port, timeout=_SECONDS)
        ) as server:
            server.ehlo()
            if not implicit and (url.username or server.has_extn("starttls")):
                server.starttls(context=tls)
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(message)


def _message(sender: str, address: str, subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, address, subject
    message.set_content(text)
    return message
