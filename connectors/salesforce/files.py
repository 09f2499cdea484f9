"""Files: the latest version of each document that is linked to a record, and its bytes.

Source: Object Reference, "ContentDocumentLink": it is asked for by ``LinkedEntityId`` with ``=`` or
``IN``, and without such a filter refused; "ContentDocument": ``LatestPublishedVersionId`` leads to
the one version whose ``IsLatest`` is true. REST API Developer Guide, "sObject Blob Get": the bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from connectors.salesforce import soql
from connectors.salesforce.reading import Reading
from tieout.model.errors import NotFound
from tieout.model.ref import Ref


def download(reading: Reading, ref: Ref, take: Callable[[bytes], object]) -> None:
    """Give a version's bytes, a piece at a time.

    Raises:
        NotFound: it was deleted, or is no id of Salesforce's.
        TieoutError: it was refused, or not answered to its end.
    """
    version = soql.whole_id(ref.id)
    if not version:
        raise NotFound("No id of Salesforce's has this form.", record=str(ref))
    reading.wire.download(f"sobjects/ContentVersion/{version}/VersionData", take)
