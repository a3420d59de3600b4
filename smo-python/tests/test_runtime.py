"""Waiting: other threads run, ctrl-c ends it, a fork is noticed."""

import _thread
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator

import pytest

import smo
from smo.karmada import KarmadaFleet


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A run in the background ignores SIGINT; these tests are about not ignoring it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_a_wait(silent: KarmadaFleet) -> None:
    began = time.monotonic()
    threading.Timer(0.3, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        silent.inventory()
    assert time.monotonic() - began < 5


def test_ctrl_c_ends_an_operation_of_an_orchestrator(silent: KarmadaFleet, graph: smo.ApplicationGraph) -> None:
    orchestrator = smo.Orchestrator(silent)
    threading.Timer(0.3, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        orchestrator.deploy(graph)


def test_ctrl_c_ends_waiting_for_changes(silent: KarmadaFleet) -> None:
    changes = silent.changes()
    assert changes.wait(0.2) is None
    threading.Timer(0.3, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        next(changes)


def test_other_threads_run_meanwhile(silent: KarmadaFleet) -> None:
    changes = silent.changes()
    thread = threading.Thread(target=lambda: changes.wait(0.5))
    thread.start()
    ticks = 0
    while thread.is_alive():
        time.sleep(0.005)
        ticks += 1
    thread.join()
    assert ticks > 20, ticks


def test_two_threads_wait_for_the_same_changes(silent: KarmadaFleet) -> None:
    changes = silent.changes()
    threads = [threading.Thread(target=lambda: changes.wait(0.3)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


def run(script: str) -> str:
    """Runs a script in an interpreter of its own."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_importing_and_working_in_memory_start_no_threads() -> None:
    script = """
        import os
        import smo
        fleet = smo.InMemoryFleet(smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}"))
        assert smo.Orchestrator(fleet).graphs() == []
        print(len(os.listdir("/proc/self/task")))
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("threads are counted in /proc")
    assert run(script) == "1"


def test_a_fork_is_noticed() -> None:
    script = """
        import os
        import smo
        config = "{current-context: k, contexts: [{name: k, context: {cluster: k, user: u}}], clusters: [{name: k, cluster: {server: 'https://127.0.0.1:1'}}], users: [{name: u, user: {}}]}"
        def connect():
            return smo.karmada.KarmadaConfig(text=config).connect(smo.InMemoryCharts())
        before = connect()
        child = os.fork()
        if child == 0:
            ended = 1
            try:
                before.inventory()
            except RuntimeError as error:
                assert "forked" in str(error), error
                try:
                    connect().inventory()
                except smo.Unavailable:
                    ended = 0
            os._exit(ended)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status))
    """
    if not hasattr(__import__("os"), "fork"):
        pytest.skip("there is no fork")
    assert run(script) == "0"
