"""The same for asyncio."""

import asyncio
import contextvars
import inspect
import time

import pytest

import smo
import smo.aio
from smo.artifact import HelmConfig, HelmDriver, OciArtifacts
from smo.karmada import KarmadaFleet

PAIRS = {
    smo.aio.Orchestrator: smo.Orchestrator,
    smo.aio.Fleet: smo.Fleet,
    smo.aio.ChartBackend: smo.ChartBackend,
    smo.aio.OciArtifacts: OciArtifacts,
    smo.aio.HelmDriver: HelmDriver,
    smo.aio.KarmadaFleet: KarmadaFleet,
}
# They do not wait for anything.
IMMEDIATE = {"from_env", "set_facts", "now"}


def test_nothing_is_forgotten(silent: KarmadaFleet, fleet: smo.Inventory) -> None:
    member = smo.InMemoryFleet(fleet)
    twins = (
        smo.aio.Orchestrator(smo.Orchestrator(member)),
        smo.aio.Fleet(member),
        smo.aio.ChartBackend(smo.InMemoryCharts()),
        smo.aio.OciArtifacts(OciArtifacts()),
        smo.aio.HelmDriver(HelmDriver(HelmConfig())),
        smo.aio.KarmadaFleet(silent),
    )
    for twin in twins:
        blocking = PAIRS[type(twin)]
        verbs = {name for name in dir(blocking) if not name.startswith("_")} - IMMEDIATE
        assert verbs <= {name for name in dir(twin) if not name.startswith("_")}, blocking
        awaitable = {name for name in verbs if inspect.iscoroutinefunction(getattr(twin, name))}
        assert verbs - awaitable <= {"changes"}
        assert all(getattr(twin, name).__doc__ for name in verbs)


def test_the_life_of_a_graph(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    async def main() -> list[str]:
        orchestrator = smo.aio.Orchestrator(smo.Orchestrator(smo.InMemoryFleet(fleet)))
        deployment = await orchestrator.deploy(graph)
        assert deployment.report.succeeded
        assert (await orchestrator.status(graph)).state == "running"
        with pytest.raises(smo.OrchestratorError):
            await orchestrator.deploy(graph)
        await orchestrator.remove(graph)
        return await orchestrator.graphs()

    assert asyncio.run(main()) == []


def test_many_wait_at_once(silent: KarmadaFleet) -> None:
    changes = [silent.changes() for _ in range(60)]

    async def main() -> float:
        began = time.monotonic()
        words = await asyncio.gather(*(smo.aio.awaited(change.wait)(0.5) for change in changes))
        assert set(words) == {None}
        return time.monotonic() - began

    assert asyncio.run(main()) < 5


def test_a_cancelled_task_ends_what_it_waits_for(silent: KarmadaFleet) -> None:
    async def main() -> float:
        waiting = asyncio.create_task(smo.aio.KarmadaFleet(silent).inventory())
        await asyncio.sleep(0.2)
        began = time.monotonic()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return time.monotonic() - began

    # The request itself would wait for 30 s.
    assert asyncio.run(main()) < 5


def test_a_limit_on_time_is_kept(silent: KarmadaFleet) -> None:
    async def main() -> None:
        await asyncio.wait_for(smo.aio.Fleet(silent).inventory(), 0.3)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(main())


def test_changes_are_awaited(silent: KarmadaFleet) -> None:
    async def main() -> None:
        async for word in smo.aio.KarmadaFleet(silent).changes():
            raise AssertionError(word)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(asyncio.wait_for(main(), 0.3))


def test_the_context_goes_along(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    request = contextvars.ContextVar[str]("request")

    class Asks(smo.Placer):
        def place(self, problem: smo.PlacementProblem) -> dict[str, str]:
            seen.append(request.get())
            return {service: problem.open_clusters(service)[0] for service in problem.services}

    seen: list[str] = []

    async def main() -> None:
        request.set("42")
        await smo.aio.awaited(smo.plan)(graph, fleet, placer=Asks())

    asyncio.run(main())
    assert seen == ["42"]
