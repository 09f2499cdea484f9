"""A make-believe Salesforce org that behaves as Salesforce's pages say (R35-R38, R49).

`salesforce_app(SalesforceOrg(...))` is served by `tieout.simulator.serving.serve`; `sell` fills it
as a sales team leaves it, `sell_uniform` with equal opportunities for measuring, and the deeds of
`deeds` change it afterwards.
"""

from tieout.simulator.salesforce.admin import Client
from tieout.simulator.salesforce.app import salesforce_app
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.sales import sell, sell_uniform
from tieout.simulator.salesforce.state import load, save
from tieout.simulator.salesforce.truth import truth

__all__ = [
    "Client",
    "SalesforceOrg",
    "load",
    "salesforce_app",
    "save",
    "sell",
    "sell_uniform",
    "truth",
]
