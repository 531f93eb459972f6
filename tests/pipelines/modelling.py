"""The model step at once: what a run does in two halves, between which it asks the ledger."""

from pipelines.definitions import Definitions
from pipelines.engines import Connection
from pipelines.model import Modelled, Present, cells, rows


def model(con: Connection, definitions: Definitions, present: Present) -> Modelled:
    """Run the mart models on the staged tables of `con` and return the cells."""
    return cells(con, definitions, present, rows(con, definitions, present))
