"""The run ledger: which steps a run has, who may do them, which are done.

The broker is a doorbell; this is the truth. A step is done when the transaction that holds its effect has also set
it done, and ``complete`` does that conditionally: of two workers on one step one finds it done, or finds a newer
fence, and rolls its effect back. A redispatch raises the fence, so a worker that comes back late cannot complete.
"""

from pipeline.storage.ledger.ending import StepReport, complete, fail, postpone
from pipeline.storage.ledger.holding import MAX_LOSSES, claim, heartbeat
from pipeline.storage.ledger.opening import NewRun, RoutedRun, open_run, store_route
from pipeline.storage.ledger.recovering import Overdue, Patience, overdue, redispatch
from pipeline.storage.ledger.steps import Dispatch, PlannedStep

__all__ = [
    "MAX_LOSSES",
    "Dispatch",
    "NewRun",
    "Overdue",
    "Patience",
    "PlannedStep",
    "RoutedRun",
    "StepReport",
    "claim",
    "complete",
    "fail",
    "heartbeat",
    "open_run",
    "overdue",
    "postpone",
    "redispatch",
    "store_route",
]
