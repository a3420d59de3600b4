"""Deciding and planning do not hold the interpreter."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import smo


def large() -> tuple[smo.ApplicationGraph, smo.Inventory]:
    services = [{"id": f"s-{i}", "artifact": {"ociImage": "oci://r.io/shop/s"}} for i in range(250)]
    clusters = [
        {"name": f"c-{i}", "allocatable": {"cpu": 50, "memory": "64Gi"}, "price": {"cpu": 0.01 + i / 1000}}
        for i in range(40)
    ]
    graph = smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": services}}).validate()
    return graph, smo.Inventory.from_dict({"fleet": {"clusters": clusters}})


def test_another_thread_runs_while_one_plans() -> None:
    graph, fleet = large()
    planning: list[float] = []

    def work() -> None:
        planning.append(time.perf_counter())
        smo.plan(graph, fleet)
        planning.append(time.perf_counter())

    thread = threading.Thread(target=work)
    ticks: list[float] = []
    thread.start()
    while thread.is_alive():
        time.sleep(0.0005)
        ticks.append(time.perf_counter())
    thread.join()
    # With the interpreter held, this thread would have stood still for as long as planning took.
    start, end = planning
    meanwhile = sum(start < tick < end for tick in ticks)
    assert meanwhile >= 5, (meanwhile, end - start)


def test_plans_made_at_once_are_the_same(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    alone = smo.plan(graph, fleet)
    with ThreadPoolExecutor(4) as pool:
        together = [pool.submit(smo.plan, graph, fleet) for _ in range(16)]
    assert [plan.result() for plan in together] == [alone] * 16


class Meets(smo.Placer):
    """Waits inside `place` until another thread is inside it too."""

    def __init__(self, barrier: threading.Barrier) -> None:
        self.barrier = barrier

    def place(self, problem: smo.PlacementProblem) -> dict[str, str]:
        self.barrier.wait(timeout=30)
        return {service: problem.open_clusters(service)[-1] for service in problem.services}


def test_python_placers_run_in_several_threads() -> None:
    web = {"id": "web", "artifact": {"ociImage": "oci://r.io/shop/web"}}
    graph = smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": [web]}}).validate()
    fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
    placer = Meets(threading.Barrier(2))
    with ThreadPoolExecutor(2) as pool:
        first, second = (pool.submit(smo.plan, graph, fleet, placer=placer) for _ in range(2))
    assert first.result() == second.result()
