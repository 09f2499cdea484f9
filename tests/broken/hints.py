"""Connectors that believe what nobody proved."""

from connectors.quickbooks import QuickBooks


class Gullible(QuickBooks):
    """Hears whatever anybody sends."""

    @staticmethod
    def parse_hint(knock, secret, now):
        return ()


CAUGHT = {Gullible: "test_a_hint_that_nobody_signed_is_refused"}
