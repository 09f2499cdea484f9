"""A make-believe Dynamics 365 organization that behaves as Microsoft's pages say (R43, R49).

`dynamics365_app(DynamicsOrg(...))` is served by `tieout.simulator.serving.serve`; `sell` fills it
as a sales team leaves it, `sell_uniform` with equal opportunities for measuring, and the deeds of
`deeds` change it afterwards.
"""

from tieout.simulator.dynamics365.app import dynamics365_app
from tieout.simulator.dynamics365.org import DynamicsOrg, Grant
from tieout.simulator.dynamics365.sales import sell, sell_uniform
from tieout.simulator.dynamics365.state import load, save
from tieout.simulator.dynamics365.throttle import Limits
from tieout.simulator.dynamics365.truth import truth

__all__ = [
    "DynamicsOrg",
    "Grant",
    "Limits",
    "dynamics365_app",
    "load",
    "save",
    "sell",
    "sell_uniform",
    "truth",
]
