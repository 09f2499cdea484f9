"""Let a failing test of the inherited suite show what it compared."""

import pytest

pytest.register_assert_rewrite("tieout.conformance")
