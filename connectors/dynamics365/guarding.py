"""Whether people can change our columns: whether column security holds them.

A secured column is closed to all whom no profile lets, so people need one that lets them read
(pages "Column-level security", "Field security tables"). Switching it on would hide the columns
from everybody until people are in that profile; so a person decides, and Tieout looks.
"""

from __future__ import annotations

from connectors.dynamics365.facts import Kind
from connectors.dynamics365.outcome import DEAL
from connectors.dynamics365.reading import Reading
from tieout.model.contract import Right
from tieout.model.errors import Rejected, Unauthorized

RIGHT = "Only the application updates the Tieout columns"
PURPOSE = "the mark and what the deals are told are read-only to people"
HOW = (
    "In Power Apps, switch on column security of each column; then, in the admin center under "
    "Column security profiles, make one that reads and updates them, with the application's user, "
    "and one that only reads them, with those who may see them."
)


def guarded(reading: Reading) -> Right:
    """Return whether each of our columns is secured; where one is not, how, without a judgement.

    Raises:
        Unavailable: Dataverse does not answer.
    """
    told = reading.facts.provisions if reading.outcomes is None else ()
    of = reading.outcomes or reading.facts.kinds[DEAL]
    names = [one["name"] for one in told if one["kind"] == "column" and one["object"] == DEAL]
    names = names or sorted(
        {field.column for field in of.fields.values() if "@" not in field.column}
    )
    try:
        open_ = _unsecured(reading, of, names)
    except (Rejected, Unauthorized) as refused:
        return Right(RIGHT, PURPOSE, said=refused.vendor_words or refused.what)
    if not open_:
        return Right(RIGHT, PURPOSE, held=True)
    return Right(RIGHT, PURPOSE, said=f"{', '.join(open_)} of {of.table}: {HOW}")


def _unsecured(reading: Reading, of: Kind, names: list[str]) -> list[str]:
    columns = reading.describing.columns(of)
    return [name for name in names if columns.get(name, {}).get("IsSecured") is not True]
