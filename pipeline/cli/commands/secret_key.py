"""``mspbyte secret-key``."""

from __future__ import annotations

from cryptography.fernet import Fernet

from pipeline.cli.grammar import noun
from pipeline.cli.pages.streams import say

app = noun()


@app.command()
def secret_key() -> None:
    """Print a new key for SECRET_KEY, which encrypts the credentials of data sources.

    To rotate keys, put the new one in front: SECRET_KEY=new,old. The first encrypts, every one decrypts.
    """
    say(Fernet.generate_key().decode())
