"""What one job is made of that needs no database of ours."""

from __future__ import annotations

import socket

from encoder.batch.conversion import Conversion
from encoder.batch.order import Order
from encoder.batch.shelf import Shelf
from encoder.batch.status import Status
from encoder.destinations.registry import Destinations
from encoder.net.s3 import S3Access
from encoder.sources.registry import Sources
from encoder.wiring.machine import Machine
from encoder.wiring.site import clock
from encoder.worker.evidence import Unwitnessed
from encoder.worker.pipeline import Pipeline
from encoder.worker.scratch import Scratch


def new_conversion(machine: Machine, order: Order, status: Status, scratch: Scratch) -> Conversion:
    """One job by the environment of a batch: its bucket stands in for the platform's storage."""
    surroundings = machine.surroundings
    shelf = Shelf(S3Access(), surroundings.web, order)
    sources = Sources(surroundings, stored=shelf.source)
    destinations = Destinations(surroundings, stored=shelf.destination)

    async def pipeline() -> Pipeline:
        abilities = await machine.abilities()
        return machine.pipeline(abilities, scratch, sources=sources, destinations=destinations, witness=Unwitnessed())

    return Conversion(
        order=order,
        shelf=shelf,
        status=status,
        budget=machine.budget(scratch),
        pipeline=pipeline,
        host=socket.gethostname(),
        clock=clock,
    )
