"""What a person hands over to sign in with: a client secret, or a certificate. It never passes the command line."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.pages.moments import current_time
from pipeline.cli.pages.streams import tell
from pipeline.domain.credentials import ClientCredential
from pipeline.errors import UserError
from pipeline.providers.microsoft365.certificates import CheckedCertificate, check_certificate

VARIABLE = "MSPBYTE_CLIENT_SECRET"
"""Holds the client secret, which other users of the machine could read if it were an argument."""

SecretFile = Annotated[
    str, typer.Option("--client-secret-file", metavar="FILE", help="Holds the client secret; - reads standard input.")
]
CertificateFile = Annotated[
    str, typer.Option("--certificate", metavar="FILE", help="A certificate instead of a secret: PFX, or PEM text.")
]
KeyFile = Annotated[
    str, typer.Option("--key", metavar="FILE", help="The certificate's private key, where a PEM file is without.")
]
PassphraseFile = Annotated[
    str, typer.Option("--passphrase-file", metavar="FILE", help="Opens a locked PFX file or key; - is standard input.")
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """The options of a command, each the name of a file or empty."""

    secret: str
    certificate: str
    key: str
    passphrase: str

    def credential(self) -> ClientCredential:
        """What they hold, checked; says what may be known of a certificate. Asks for a secret where none is given."""
        if not self.certificate:
            if self.key or self.passphrase:
                raise UserError("--key and --passphrase-file go with --certificate; name its file.")
            return _read_secret(self.secret)
        if self.secret:
            raise UserError("Give either --certificate or --client-secret-file, not both.")
        now = current_time()
        found = check_certificate(
            _read(self.certificate, "--certificate"),
            now,
            key=_read(self.key, "--key") if self.key else None,
            passphrase=_read(self.passphrase, "--passphrase-file").strip(b"\r\n") if self.passphrase else None,
        )
        tell(_shown(found, now))
        return found.credential


def _shown(found: CheckedCertificate, now: datetime) -> str:
    sentence = f"The certificate with the thumbprint {found.thumbprint} is valid until {found.expires_at:%Y-%m-%d}."
    days = (found.expires_at - now).days
    return f"{sentence} That is in {days} days: renew it soon." if found.expires_soon(now) else sentence


def _read(file: str, option: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"{option} names {file}, which cannot be read: {error.strerror}.") from None


def _read_secret(file: str) -> str:
    """The secret from the file (``-`` is standard input), else the environment, else whoever sits there."""
    secret = _from_file(file) if file else os.environ.get(VARIABLE, "") or _asked()
    if not secret.strip():
        raise UserError(f"The client secret is empty; give it with --client-secret-file, {VARIABLE} or when asked.")
    return secret.strip()


def _from_file(file: str) -> str:
    try:
        return _read(file, "--client-secret-file").decode()
    except UnicodeDecodeError:
        raise UserError(f"--client-secret-file names {file}, which is not text.") from None


def _asked() -> str:
    if not sys.stdin.isatty():
        raise UserError(f"No client secret: give it with --client-secret-file or {VARIABLE}, or run this by hand.")
    return str(typer.prompt("Client secret", hide_input=True, err=True))
