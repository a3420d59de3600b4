"""For asyncio: the same nouns and verbs, awaited.

>>> import asyncio
>>> import smo, smo.aio
>>> fleet = smo.InMemoryFleet(
...     smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
... )
>>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
>>> graph = smo.Descriptor.parse(text).validate()
>>> async def main():
...     orchestrator = smo.aio.Orchestrator(smo.Orchestrator(fleet))
...     await orchestrator.deploy(graph)
...     return await orchestrator.status(graph)
>>> asyncio.run(main()).state
'running'

Each class wraps one that blocks, and has its methods with the same arguments, results and exceptions; `awaited` does so for
any other function of this package. The work is done in a thread, so that a placer written in Python does not hold up the
event loop either. A task that is cancelled ends what it waits for, as ctrl-c does.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import smo

from ._smo import Cancellation

__all__ = ["ChartBackend", "Fleet", "HelmDriver", "KarmadaFleet", "OciArtifacts", "Orchestrator", "awaited"]

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

# So many wait at once; asyncio's own threads are few, and a deployment may wait for minutes.
_MOST_WAITING = 256
# A change may be long in coming; this only bounds how long a thread waits in one go.
_LONG = 3600.0


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_MOST_WAITING, thread_name_prefix="smo")


_executor = _threads()


def _after_fork() -> None:
    """The threads of the parent process are not here."""
    global _executor
    _executor = _threads()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def awaited(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, Coroutine[Any, Any, _Result]]:
    """The asynchronous twin of a function that blocks.

    >>> import asyncio, smo, smo.aio
    >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
    >>> graph = smo.Descriptor.parse(text).validate()
    >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
    >>> asyncio.run(smo.aio.awaited(smo.plan)(graph, fleet)).waves
    [['web']]
    """

    @functools.wraps(function)
    async def twin(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        context = contextvars.copy_context()
        cancellation = Cancellation()
        call = functools.partial(function, *args, **kwargs)

        def work() -> _Result:
            return cancellation.run(lambda: context.run(call))

        working = asyncio.get_running_loop().run_in_executor(_executor, work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            cancellation.cancel()
            # Nothing goes on behind the back of whoever cancelled.
            await asyncio.wait([working])
            if not working.cancelled():
                working.exception()
            raise

    return twin


class Orchestrator:
    """`smo.Orchestrator` for asyncio."""

    def __init__(self, orchestrator: smo.Orchestrator) -> None:
        self.deploy = awaited(orchestrator.deploy)
        self.replan = awaited(orchestrator.replan)
        self.scale = awaited(orchestrator.scale)
        self.diff = awaited(orchestrator.diff)
        self.apply = awaited(orchestrator.apply)
        self.stop = awaited(orchestrator.stop)
        self.start = awaited(orchestrator.start)
        self.remove = awaited(orchestrator.remove)
        self.status = awaited(orchestrator.status)
        self.observe = awaited(orchestrator.observe)
        self.graphs = awaited(orchestrator.graphs)
        self.on_alert = awaited(orchestrator.on_alert)
        self.reconcile = awaited(orchestrator.reconcile)
        self.autoscale = awaited(orchestrator.autoscale)


class Fleet:
    """`smo.Fleet` for asyncio."""

    def __init__(self, fleet: smo.Fleet) -> None:
        self.inventory = awaited(fleet.inventory)
        self.cluster = awaited(fleet.cluster)
        self.apply = awaited(fleet.apply)
        self.scale = awaited(fleet.scale)
        self.remove = awaited(fleet.remove)
        self.observe = awaited(fleet.observe)
        self.release = awaited(fleet.release)
        self.releases = awaited(fleet.releases)


class KarmadaFleet(Fleet):
    """`smo.karmada.KarmadaFleet` for asyncio."""

    def __init__(self, fleet: smo.karmada.KarmadaFleet) -> None:
        super().__init__(fleet)
        self._fleet = fleet
        self.report = awaited(fleet.report)

    async def changes(self) -> AsyncIterator[str]:
        """What may have changed, `clusters` or `releases`, for `async for`. It never ends."""
        changes = self._fleet.changes()
        wait = awaited(changes.wait)
        while True:
            word = await wait(_LONG)
            if word is not None:
                yield word


class OciArtifacts:
    """`smo.artifact.OciArtifacts` for asyncio."""

    def __init__(self, artifacts: smo.artifact.OciArtifacts) -> None:
        self.resolve = awaited(artifacts.resolve)
        self.exists = awaited(artifacts.exists)
        self.descriptor = awaited(artifacts.descriptor)
        self.chart = awaited(artifacts.chart)
        self.versions = awaited(artifacts.versions)
        self.push_descriptor = awaited(artifacts.push_descriptor)
        self.push_chart = awaited(artifacts.push_chart)
        self.push_folder = awaited(artifacts.push_folder)


class ChartBackend:
    """`smo.ChartBackend` for asyncio."""

    def __init__(self, charts: smo.ChartBackend) -> None:
        self.apply = awaited(charts.apply)
        self.rollback = awaited(charts.rollback)
        self.uninstall = awaited(charts.uninstall)
        self.status = awaited(charts.status)
        self.list = awaited(charts.list)
        self.values = awaited(charts.values)
        self.render = awaited(charts.render)


class HelmDriver(ChartBackend):
    """`smo.artifact.HelmDriver` for asyncio."""

    def __init__(self, helm: smo.artifact.HelmDriver) -> None:
        super().__init__(helm)
        self.version = awaited(helm.version)
