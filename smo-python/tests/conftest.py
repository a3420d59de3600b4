"""The demo, from the files that the pages use."""

from pathlib import Path

import pytest

import smo

ROOT = Path(__file__).parents[2]


@pytest.fixture
def graph() -> smo.ApplicationGraph:
    return smo.Descriptor.read(ROOT / "examples/descriptors/brussels.yaml").validate()


@pytest.fixture
def fleet() -> smo.Inventory:
    return smo.Inventory.read(ROOT / "examples/fleets/brussels.yaml")


@pytest.fixture
def plan(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> smo.DeploymentPlan:
    return smo.plan(graph, fleet)
