"""On real servers: a registry, Helm, Karmada's API server, and a whole Karmada where there is one.

`cargo xtask live --only python` starts them and names them in the environment; without that these tests say so and are
skipped. Under `CI=true` only Karmada's own programs may be missing.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import smo
import smo.aio
from smo.artifact import HelmConfig, HelmDriver, OciArtifacts, RegistryConfig
from smo.karmada import FleetFacts, KarmadaConfig, KarmadaFleet

ROOT = Path(__file__).parents[2]
CHARTS = ("image-compression-vo", "image-detection", "noise-reduction")
PATIENCE = smo.Patience(healthy=60, degraded=10)
LONG = 60.0

pytestmark = pytest.mark.live


def served(variable: str, *, always: bool = True) -> str:
    """What the environment names; where it does not, one line and a skip, or under CI a failure."""
    value = os.environ.get(variable)
    if value:
        return value
    reason = f"{variable} is not set; `cargo xtask live --only python` starts what it names"
    if always and os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def registry() -> str:
    """The address of an open registry over plain HTTP."""
    return served("SMO_LIVE_REGISTRY")


@pytest.fixture
def reach(registry: str) -> RegistryConfig:
    return RegistryConfig().with_plain_http(registry)


@pytest.fixture
def artifacts(reach: RegistryConfig) -> OciArtifacts:
    return OciArtifacts(reach)


@pytest.fixture
def helm(reach: RegistryConfig) -> HelmConfig:
    return HelmConfig().with_program(Path(served("SMO_SERVERS_BIN")) / "helm4").with_registry(reach)


@pytest.fixture
def api() -> str:
    """The kubeconfig of Karmada's API server without the rest of Karmada."""
    return served("SMO_LIVE_KUBECONFIG")


@pytest.fixture
def karmada() -> str:
    """The kubeconfig of a whole Karmada with m1, m2 (with GPUs) and m3."""
    return served("SMO_KARMADA_KUBECONFIG", always=False)


@pytest.fixture
def facts() -> FleetFacts:
    """m1 is cheap, m2 dear, and all are near one another."""
    return FleetFacts.of(
        smo.Inventory.parse("""
            fleet:
              clusters:
                - {name: m1, allocatable: {cpu: 1, memory: 1Gi}, price: {cpu: 0.01}}
                - {name: m2, allocatable: {cpu: 1, memory: 1Gi}, price: {cpu: 0.09}}
                - {name: m3, allocatable: {cpu: 1, memory: 1Gi}, price: {cpu: 0.03}}
              network: [{between: [m1, m2], rtt: 4}, {between: [m1, m3], rtt: 6}, {between: [m2, m3], rtt: 9}]
        """)
    )


@pytest.fixture
def fleet(karmada: str, helm: HelmConfig, facts: FleetFacts) -> KarmadaFleet:
    charts = HelmDriver(helm.with_kubeconfig(karmada))
    return KarmadaConfig(karmada).connect(charts, facts=facts)


def push_brussels(artifacts: OciArtifacts, shelf: str) -> str:
    """Pushes the demo's charts and descriptor, and tells where the descriptor is."""
    for chart in CHARTS:
        artifacts.push_folder(shelf, ROOT / "examples/charts" / chart)
    text = (ROOT / "examples/descriptors/brussels.yaml").read_text(encoding="utf-8")
    text = text.replace("oci://registry.example.com/brussels", shelf)
    artifacts.push_descriptor(shelf, smo.Descriptor.parse(text))
    return f"{shelf}/image-detection-graph"


def eventually(what: str, holds: Callable[[], bool]) -> float:
    """Looks until something holds; tells how long that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < LONG, what
        time.sleep(0.1)
    return time.monotonic() - began


def gone(fleet: KarmadaFleet, project: str) -> bool:
    observed = fleet.observe(project)
    return not observed.releases and not observed.leftovers


@pytest.fixture
def lap() -> Iterator[Callable[[str], None]]:
    """Says how long it took since the last word."""
    last = [time.monotonic()]

    def say(what: str) -> None:
        now = time.monotonic()
        print(f"{now - last[0]:8.2f} s  {what}")
        last[0] = now

    print()
    yield say


def test_artifacts_go_to_a_registry_and_back(artifacts: OciArtifacts, registry: str) -> None:
    shelf = f"oci://{registry}/python-artifacts"
    reference = push_brussels(artifacts, shelf)
    info = artifacts.resolve(reference)
    assert info.kind == "descriptor" and artifacts.resolve(info.reference) == info
    graph = artifacts.descriptor(reference).validate()
    assert list(graph.services) == ["image-compression-vo", "noise-reduction", "image-detection"]
    chart = artifacts.chart(f"{shelf}/noise-reduction")
    assert chart.name == "noise-reduction" and chart.info.kind == "chart" and chart.archive[:2] == b"\x1f\x8b"
    assert artifacts.versions(f"{shelf}/noise-reduction") == [chart.version]
    copied = artifacts.push_chart(f"{shelf}/copies", chart.archive)
    assert artifacts.chart(copied.reference).archive == chart.archive
    assert not artifacts.exists(f"{shelf}/nosuch")
    with pytest.raises(smo.NotFound, match="9.9.9"):
        artifacts.chart(f"{shelf}/noise-reduction:9.9.9")
    with pytest.raises(smo.Invalid, match="is a chart"):
        artifacts.descriptor(f"{shelf}/noise-reduction")


def test_helm_installs_on_an_api_server(artifacts: OciArtifacts, registry: str, helm: HelmConfig, api: str) -> None:
    shelf = f"oci://{registry}/python-helm"
    push_brussels(artifacts, shelf)
    driver = HelmDriver(helm.with_kubeconfig(api))
    assert driver.version().startswith("v4.")
    release, chart = "python-helm/noise-reduction", f"{shelf}/noise-reduction"
    values = {"clustersAffinity": ["m1"], "serviceImportClusters": ["m2"]}
    kinds = {rendered["kind"] for rendered in driver.render(release, chart, values)}
    assert {"Deployment", "Service", "PropagationPolicy", "ServiceExport", "ServiceImport"} <= kinds
    installed = driver.apply(release, chart, values)
    assert (installed.release, installed.revision, installed.state) == (release, 1, "deployed")
    assert driver.values(release) == values and driver.list("python-helm") == [installed]
    assert driver.apply(release, chart, {**values, "serviceImportClusters": []}).revision == 2
    assert driver.rollback(release, 1).revision == 3 and driver.values(release) == values
    with pytest.raises(smo.Invalid) as refused:
        driver.apply("python-helm/other", chart, {"clustersAffinity": "m1"})
    assert not refused.value.retryable
    assert driver.status("python-helm/other") is None, "a failed install leaves nothing"
    assert driver.uninstall(release) and not driver.uninstall(release)


def test_wrong_credentials_are_told_apart(api: str) -> None:
    # Ours are JSON, which is YAML too.
    good = json.loads(Path(api).read_text(encoding="utf-8"))
    charts = smo.InMemoryCharts()
    assert KarmadaConfig(text=json.dumps(good)).connect(charts).releases() == {}

    def refusal(user: dict[str, str], *, trust: bool = True) -> str:
        config = json.loads(json.dumps(good))
        config["users"][0]["user"] = user
        if not trust:
            del config["clusters"][0]["cluster"]["certificate-authority-data"]
        with pytest.raises(smo.Unauthenticated) as caught:
            KarmadaConfig(text=json.dumps(config)).connect(charts).releases()
        assert not caught.value.retryable and caught.value.hints and "hunter2" not in str(caught.value)
        return str(caught.value)

    assert "does not accept the credentials" in refusal({"token": "hunter2"})
    # A server that takes nobody without a name says so at once, another when anonymous may not read.
    nobody = refusal({})
    assert "does not accept the credentials" in nobody or "system:anonymous" in nobody
    assert "not trusted" in refusal({"token": "hunter2"}, trust=False)


def test_the_brussels_demo_goes_from_the_registry_onto_karmada_and_off_again(
    artifacts: OciArtifacts, registry: str, fleet: KarmadaFleet, lap: Callable[[str], None]
) -> None:
    project = "python-brussels"
    reference = push_brussels(artifacts, f"oci://{registry}/{project}")
    lap("three charts and a descriptor pushed")
    graph = artifacts.descriptor(reference).validate()
    orchestrator = smo.Orchestrator(fleet, project=project, patience=PATIENCE)
    plan = orchestrator.deploy(graph).plan
    lap("deployed, everything healthy")
    assert plan.placement["image-detection"].clusters == ["m2"], "it has the GPUs"
    status = orchestrator.status(graph)
    assert status.state == "running"
    assert status.services["image-compression-vo"].state.startswith("waits for the alert")
    assert orchestrator.diff(plan).is_empty, str(orchestrator.diff(plan))
    key = f"{project}/image-detection-graph"
    assert sorted(fleet.observe(project).releases) == [f"{key}/image-detection", f"{key}/noise-reduction"]

    assert plan.alerts is not None
    rule = plan.alerts["rules"][0]
    alert = {**rule["labels"], "alertname": rule["alert"]}
    since = fleet.now
    assert orchestrator.on_alert(alert, starts_at=since).kind == "started"
    assert orchestrator.on_alert(alert, starts_at=since).kind == "repeated"
    waited = eventually("the virtual object runs", lambda: fleet.release(f"{key}/image-compression-vo").is_healthy)
    lap(f"its alert fired, and {waited:.2f} s later the virtual object runs")

    orchestrator.scale(f"{key}/noise-reduction", {"m1": 2, "m3": 1})
    scaled = {f"{key}/noise-reduction": {"m1": 2, "m3": 1}}
    eventually("scaled", lambda: scaled.items() <= fleet.releases().items())
    lap("noise-reduction scaled to two clusters")

    report = orchestrator.remove(graph)
    assert report.succeeded and orchestrator.graphs() == []
    eventually("nothing is left", lambda: gone(fleet, project))
    lap("removed, nothing left")


def test_an_image_is_scaled_and_moved_by_watching(fleet: KarmadaFleet, lap: Callable[[str], None]) -> None:
    service = "python-image/shop/web"
    spec = smo.ReleaseSpec(
        service, "docker://registry.example.com/web:1", {"m1": 1}, resources={"cpu": "100m", "memory": "64Mi"}
    )
    changes = fleet.changes()
    assert {changes.wait(LONG), changes.wait(LONG)} == {"clusters", "releases"}

    def follow(wanted: dict[str, int]) -> None:
        began = time.monotonic()
        while True:
            release = fleet.release(service)
            if release.is_healthy and {name: at.ready for name, at in release.clusters.items()} == wanted:
                return
            assert time.monotonic() - began < LONG, release
            changes.wait(1)

    assert fleet.apply(spec).changed
    follow({"m1": 1})
    lap("an image healthy on m1")
    assert not fleet.apply(spec).changed
    fleet.scale(service, {"m1": 3})
    follow({"m1": 3})
    lap("scaled to 3")
    fleet.scale(service, {"m3": 3})
    follow({"m3": 3})
    lap("moved to m3")
    assert fleet.remove(service).owed == []
    eventually("nothing is left", lambda: gone(fleet, "python-image"))
    lap("removed, nothing left")


def test_the_fleet_is_reported(fleet: KarmadaFleet) -> None:
    report = fleet.report()
    assert sorted(report.inventory.clusters) == ["m1", "m2", "m3"] and report.faults == []
    m2 = report.inventory.clusters["m2"]
    assert m2.ready and m2.allocatable["nvidia.com/gpu"] == "6" and m2.price["cpu"]
    assert report.details["m1"]["report"] == {"state": "current"}


def test_graphs_are_deployed_side_by_side(
    artifacts: OciArtifacts, registry: str, fleet: KarmadaFleet, lap: Callable[[str], None]
) -> None:
    reference = push_brussels(artifacts, f"oci://{registry}/python-aio")
    projects = ("python-aio-a", "python-aio-b")
    orchestrators = [smo.Orchestrator(fleet, project=project, patience=PATIENCE) for project in projects]

    async def one(orchestrator: smo.aio.Orchestrator, graph: smo.ApplicationGraph) -> str:
        await orchestrator.deploy(graph)
        state = (await orchestrator.status(graph)).state
        await orchestrator.remove(graph)
        return state

    async def main() -> list[str]:
        graph = (await smo.aio.OciArtifacts(artifacts).descriptor(reference)).validate()
        return await asyncio.gather(*(one(smo.aio.Orchestrator(each), graph) for each in orchestrators))

    assert asyncio.run(main()) == ["running", "running"]
    lap("two graphs of one name deployed and removed side by side")
    for project in projects:
        eventually("nothing is left", lambda project=project: gone(fleet, project))  # type: ignore[misc]


def test_the_live_blocks_of_the_pages_run(
    artifacts: OciArtifacts, registry: str, karmada: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import test_readme

    push_brussels(artifacts, f"oci://{registry}/brussels")
    monkeypatch.setenv("SMO_REGISTRY_PLAIN_HTTP", registry)
    monkeypatch.setenv("SMO_HELM", str(Path(served("SMO_SERVERS_BIN")) / "helm4"))
    monkeypatch.chdir(ROOT)
    ran = 0
    for page in test_readme.pages():
        found = test_readme.blocks(page.read_text(encoding="utf-8").replace("registry.example.com", registry))
        ran += test_readme.run_python(test_readme.name(page), list(found), live=True)
    assert ran > 0
