"""The demo, from the files that the pages use."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import smo
from smo.karmada import KarmadaConfig, KarmadaFleet

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


@pytest.fixture
def silent() -> Iterator[KarmadaFleet]:
    """A Karmada that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kubeconfig = f"""
            kind: Config
            current-context: k
            contexts: [{{name: k, context: {{cluster: k, user: u}}}}]
            clusters: [{{name: k, cluster: {{server: "https://127.0.0.1:{server.getsockname()[1]}"}}}}]
            users: [{{name: u, user: {{}}}}]
        """
        yield KarmadaConfig(text=kubeconfig).connect(smo.InMemoryCharts())
