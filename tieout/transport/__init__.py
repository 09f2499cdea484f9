"""The one HTTP door: every exchange with another system passes here.

A connector opens one ``Door`` per company and speaks through one of its faces: ``pool()`` where a
vendor's library wants a urllib3 pool, ``session()`` where it wants a requests session.
"""

from tieout.transport.answer import Answer, Route, understood
from tieout.transport.door import Door
from tieout.transport.exactjson import dump_json, parse_json
from tieout.transport.limits import Limit, Quota
from tieout.transport.redaction import redact
from tieout.transport.retry import retry_call
from tieout.transport.stream import Stream

__all__ = [
    "Answer",
    "Door",
    "Limit",
    "Quota",
    "Route",
    "Stream",
    "dump_json",
    "parse_json",
    "redact",
    "retry_call",
    "understood",
]
