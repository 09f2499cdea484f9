"""Deal pipelines: each has its own won and lost stages, with names of its own (R41)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MADE_AT = "2025-01-01T00:00:00Z"
"""When every pipeline and stage was made, and last changed."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage; a closed stage with probability 1 is won."""

    id: str
    label: str
    closed: bool = False
    won: bool = False

    def shown(self, place: int) -> dict[str, Any]:
        """Return the stage as the wire shows it: its metadata are texts."""
        probability = "1.0" if self.won else "0.0" if self.closed else "0.4"
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": place,
            "metadata": {"isClosed": str(self.closed).lower(), "probability": probability},
            "archived": False,
            "createdAt": MADE_AT,
            "updatedAt": MADE_AT,
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        }


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline."""

    id: str
    label: str
    stages: Sequence[Stage]

    def shown(self, place: int) -> dict[str, Any]:
        """Return the pipeline as the wire shows it."""
        stages = [stage.shown(order) for order, stage in enumerate(self.stages)]
        return {
            "id": self.id,
            "label": self.label,
            "displayOrder": place,
            "stages": stages,
            "archived": False,
            "createdAt": MADE_AT,
            "updatedAt": MADE_AT,
        }

    def stage(self, stage_id: str) -> Stage | None:
        """Find a stage of this pipeline."""
        return next((stage for stage in self.stages if stage.id == stage_id), None)

    @property
    def won_stage(self) -> Stage:
        """The stage that a sale ends in."""
        return next(stage for stage in self.stages if stage.won)


SALES = Pipeline(
    "default",
    "Sales Pipeline",
    (
        Stage("appointmentscheduled", "Appointment Scheduled"),
        Stage("presentationscheduled", "Presentation Scheduled"),
        Stage("contractsent", "Contract Sent"),
        Stage("closedwon", "Closed Won", closed=True, won=True),
        Stage("closedlost", "Closed Lost", closed=True),
    ),
)
RENEWALS = Pipeline(
    "renewals",
    "Renewals",
    (
        Stage("115002001", "Up for renewal"),
        Stage("115002002", "Renewal signed", closed=True, won=True),
        Stage("115002003", "Churned", closed=True),
    ),
)
