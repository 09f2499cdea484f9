"""Credentials: secrets that others keep, and tokens that we keep, sealed, and renew."""

from tieout.credentials.granting import granted
from tieout.credentials.sealing import SealedTokens
from tieout.credentials.secrets import StaticToken, secret
from tieout.credentials.signing import Credentials
from tieout.credentials.tokens import CompanyTokens, Grant

__all__ = [
    "CompanyTokens",
    "Credentials",
    "Grant",
    "SealedTokens",
    "StaticToken",
    "granted",
    "secret",
]
