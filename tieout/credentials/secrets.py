"""Secrets that others keep: in an environment variable or a file, never in the configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tieout.model.errors import ConfigError, Unauthorized
from tieout.transport.redaction import conceal

SECRET_BYTES_MAX = 65_536


class StaticToken:
    """A token that somebody else renews: ``env:NAME`` or ``file:PATH``, read at each use."""

    until: datetime | None = None

    def __init__(self, reference: str, environment: Mapping[str, str] = os.environ) -> None:
        self._reference = reference
        self._environment = environment

    def __repr__(self) -> str:
        return f"StaticToken({self._reference!r})"

    def access_token(self) -> str:
        """Return what the variable or file holds now."""
        return secret(self._reference, self._environment)

    def refresh(self, stale: str) -> str:
        """Return the token if it is another by now."""
        token = self.access_token()
        if token == stale:
            raise Unauthorized(
                f"The token of {self._reference} was refused.",
                remedy="Put a valid token there; the queue is kept.",
            )
        return token


def secret(reference: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the secret that ``env:NAME`` or ``file:PATH`` refers to, without white space around.

    Raises:
        ConfigError: the reference has another form.
        Unauthorized: nothing is there now. It can come back while a daemon runs, as a token does
            that was refused: its pair stands still, and the others go on.
    """
    where, _, name = reference.partition(":")
    if where == "env" and name:
        text = environment.get(name, "")
    elif where == "file" and name:
        text = _file_text(Path(name).expanduser())
    else:
        raise ConfigError(
            "A secret is written as env:NAME or file:PATH, never itself.",
            remedy="Put the secret in an environment variable or a file that only you can read.",
        )
    if not text.strip():
        raise Unauthorized(
            f"There is nothing in {reference}.", remedy="Put the secret there; the queue is kept."
        )
    conceal(text.strip())
    return text.strip()


def _file_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(SECRET_BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError) as wrong:
        raise Unauthorized(
            f"{path} cannot be read: {type(wrong).__name__}.",
            remedy="Put the secret there; the queue is kept.",
        ) from None
