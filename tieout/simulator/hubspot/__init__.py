"""A make-believe HubSpot portal that behaves as HubSpot's pages say (R39-R41).

`hubspot_app(HubSpotPortal(...))` is served by `tieout.simulator.serving.serve`; `sell` fills it as
a sales team leaves it, `sell_uniform` with equal deals for measuring, and the deeds of
`deeds` change it afterwards.
"""

from tieout.simulator.hubspot.app import hubspot_app
from tieout.simulator.hubspot.keys import Limits, Token
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.sales import sell, sell_uniform
from tieout.simulator.hubspot.state import load, save
from tieout.simulator.hubspot.truth import truth

__all__ = [
    "HubSpotPortal",
    "Limits",
    "Token",
    "hubspot_app",
    "load",
    "save",
    "sell",
    "sell_uniform",
    "truth",
]
