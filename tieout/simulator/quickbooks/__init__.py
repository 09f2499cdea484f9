"""QuickBooks Online, simulated: a company's books behind the vendor's HTTP API.

    company = seed_company(QuickBooksCompany(realm_id="913", now=SimulatedClock()))
    with serve(quickbooks_app(company)) as served:
        ...

The vendor's rules are followed as `docs/reference/simulators.md` lists them.
"""

from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.keeping import load, load_authority, save, save_authority
from tieout.simulator.quickbooks.oauth import Authority
from tieout.simulator.quickbooks.refusals import Refused
from tieout.simulator.quickbooks.seeds import SoldItem, seed_company
from tieout.simulator.quickbooks.throttle import NO_LIMITS, Limits
from tieout.simulator.quickbooks.truth import truth_of
from tieout.simulator.quickbooks.wire import quickbooks_app

__all__ = [
    "NO_LIMITS",
    "Authority",
    "Limits",
    "QuickBooksCompany",
    "Refused",
    "SoldItem",
    "load",
    "load_authority",
    "quickbooks_app",
    "save",
    "save_authority",
    "seed_company",
    "truth_of",
]
