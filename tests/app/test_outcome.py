"""An error travels as plain values and arrives as it was."""

from tieout.app.outcome import Told, error_values
from tieout.model.canonical import canonical
from tieout.model.errors import Unauthorized


def test_an_error_arrives_as_it_was():
    met = Unauthorized(
        "The books refuse us.",
        record="books",
        vendor_code="3200",
        vendor_words="expired",
        trace_id="1-x",
    )

    arrived = Told(error_values(met))

    assert error_values(arrived) == error_values(met)
    assert str(arrived) == str(met)
    assert canonical(error_values(met))
