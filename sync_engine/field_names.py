"""Our fields in a CRM are called otherwise: what was told is told again under the new names.

A company chooses their names (``tieout.model.naming``). What stands under the old ones is no longer
written; it stays there until people remove it. Where the new ones are not there yet nothing is
told, since each write-back would be refused.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping

from sync_engine.ledger.sqlite import Ledger
from sync_engine.mirror import stop_pair
from sync_engine.observe import source_kinds, told_fields
from sync_engine.pair import Pair
from tieout.model.canonical import canonical
from tieout.model.contract import Describes, NamesFields

_log = logging.getLogger(__name__)


def follow_names(ledger: Ledger, pair: Pair) -> bool:
    """Queue all again where our fields have other names than they were told under.

    False: the new names are not there, and the pair stands still.

    Raises:
        TieoutError: the CRM does not say which fields there are.
    """
    if not isinstance(pair.crm, NamesFields):
        return True
    names = dict(pair.crm.field_names)
    known = f"field_names:{pair.name}"
    before = ledger.value("meta_get", name=known)
    if before == canonical(names):
        return True
    if before is None or _agree(json.loads(str(before)), names):
        # Nothing was told, or by a version that knew other fields, and each is called as it was.
        with ledger.transaction() as tx:
            tx.run("meta_set", name=known, value=canonical(names))
        return True
    lacking = _lacking(pair)
    with ledger.transaction() as tx:
        if lacking:
            stop_pair(
                tx,
                pair.name,
                "fields-renamed",
                f"Our fields in {pair.crm.company} have other names now, and there is no "
                f"{', '.join(lacking)}.",
                "Run `tieout provision COMPANY`, then resume; or set the options field_… as they "
                "were.",
            )
            return False
        tx.run("meta_set", name=known, value=canonical(names))
        tx.run("written_doubt_all", pair=pair.name)
        tx.run("documents_tell_again", pair=pair.name)
        tx.run("receivables_again", pair=pair.name)
        tx.journal("configuration", "fields renamed", pair.name, {"fields": names})
    _log.warning("our fields in %s have other names: all is told again", pair.crm.company)
    return True


def _agree(before: Mapping[str, str], names: Mapping[str, str]) -> bool:
    """Whether what both know is called the same."""
    return all(names[one] == before[one] for one in names.keys() & before.keys())


def _lacking(pair: Pair) -> list[str]:
    """Return the new names of what is told, and of marks, that the CRM has not."""
    if not isinstance(pair.crm, Describes) or not isinstance(pair.crm, NamesFields):
        return []
    pair.crm.forget_fields()
    wanted: dict[str, set[str]] = {}
    for kind, told in told_fields(pair.mappings).items():
        wanted.setdefault(kind, set()).update(told)
    for kind in source_kinds(pair):
        marker = pair.crm.capabilities.kinds[kind].marker
        if marker:
            wanted.setdefault(kind, set()).add(marker)
        else:  # what its records are told stands in a table of its own
            wanted.pop(kind, None)
    return sorted(
        {
            pair.crm.field_names[name]
            for kind, names in wanted.items()
            for name in (names & pair.crm.field_names.keys()) - pair.crm.describe(kind).keys()
        }
    )
