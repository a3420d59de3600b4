"""The ports and their in-memory implementations."""

import pickle
from typing import Literal

import pytest

import smo

WEB = "default/shop/web"
CHART = "oci://r.io/shop/web:1.0.0"
AT = "2026-11-24T10:00:00Z"


@pytest.fixture
def member(fleet: smo.Inventory) -> smo.InMemoryFleet:
    return smo.InMemoryFleet(fleet)


def test_a_release_is_applied_scaled_moved_and_removed(member: smo.InMemoryFleet) -> None:
    spec = smo.ReleaseSpec(WEB, CHART, {"edge-1": 2}, values={"password": "hunter2"}, resources={"cpu": "500m"})
    applied = member.apply(spec)
    assert (applied.revision, applied.changed) == (1, True)
    assert not member.apply(spec).changed
    assert not member.release(WEB).is_healthy
    member.advance(5)
    release = member.release(WEB)
    assert release.is_healthy and release.values == {"password": "hunter2"} and release.resources == {"cpu": "500m"}
    at = release.clusters["edge-1"]
    assert (at.desired, at.ready, at.health, at.message) == (2, 2, "healthy", None)

    member.scale(WEB, {"edge-1": 1, "edge-2": 3})
    member.advance(5)
    assert member.releases() == {WEB: {"edge-1": 1, "edge-2": 3}}
    member.scale(WEB, "edge-2")
    member.advance(5)
    assert member.releases() == {WEB: {"edge-2": 1}}
    member.scale(WEB, {})
    member.advance(5)
    assert member.releases() == {WEB: {"edge-2": 0}}

    removed = member.remove(WEB)
    assert (removed.existed, removed.owed) == (True, [])
    assert not member.remove(WEB).existed
    for shown in (repr(spec), repr(release), repr(applied), repr(removed)):
        assert "hunter2" not in shown


def test_what_is_observed_is_of_a_scope(member: smo.InMemoryFleet) -> None:
    for service in (WEB, "default/other/db", "prod/shop/web"):
        member.apply(smo.ReleaseSpec(service, CHART, "edge-1"))
    assert sorted(member.observe().releases) == ["default/other/db", WEB, "prod/shop/web"]
    assert sorted(member.observe("default").releases) == ["default/other/db", WEB]
    assert list(member.observe("prod/shop").releases) == ["prod/shop/web"]
    assert member.observe("nobody").releases == {}
    with pytest.raises(ValueError, match="DNS label"):
        member.observe("No Project")


def test_a_removal_is_owed_to_a_dead_cluster(member: smo.InMemoryFleet) -> None:
    member.apply(smo.ReleaseSpec(WEB, CHART, {"edge-1": 1}))
    member.advance(5)
    member.kill("edge-1")
    member.advance(10)
    assert member.release(WEB).clusters["edge-1"].health == "unknown"
    assert member.raw_health(WEB) == {"edge-1": "healthy"}
    assert member.remove(WEB).owed == ["edge-1"]
    assert member.observe().leftovers == [(WEB, "edge-1")]
    assert member.copies(WEB) == ["edge-1"]
    member.restore("edge-1")
    member.advance(60)
    assert member.observe().leftovers == []


def test_somebody_else_is_not_overwritten(member: smo.InMemoryFleet) -> None:
    member.add_foreign_release("default/web")
    with pytest.raises(smo.Conflict) as caught:
        member.apply(smo.ReleaseSpec(WEB, CHART, "edge-1"))
    assert not caught.value.retryable
    member.add_foreign_object("edge-1", "default/db")
    member.apply(smo.ReleaseSpec("default/shop/db", CHART, "edge-1"))
    member.advance(5)
    assert member.release("default/shop/db").clusters["edge-1"].health == "degraded"


def test_clusters_come_and_go(member: smo.InMemoryFleet, fleet: smo.Inventory) -> None:
    member.part("edge-1")
    assert "edge-1" not in member.inventory().clusters
    with pytest.raises(smo.NotFound):
        member.cluster("edge-1")
    member.join(fleet.clusters["edge-1"])
    assert member.cluster("edge-1") == fleet.clusters["edge-1"]
    member.set_ready("edge-1", False)
    assert not member.cluster("edge-1").ready


def test_a_planned_release_is_a_release(plan: smo.DeploymentPlan, member: smo.InMemoryFleet) -> None:
    spec = plan.services["noise-reduction"].release
    assert spec.clusters == {"edge-1": 1} and spec.chart.endswith("noise-reduction")
    assert member.apply(spec).changed
    chosen = smo.ReleaseSpec.chosen_by_chart(WEB, CHART, ["edge-1"])
    assert chosen.clusters is None and chosen.to_dict()["target"] == {"chosenByChart": {"declared": ["edge-1"]}}


@pytest.mark.parametrize(
    ("arguments", "keywords", "fault"),
    [
        (("web", CHART, "edge-1"), {}, "web"),
        ((WEB, CHART, "Edge 1"), {}, "DNS label"),
        ((WEB, CHART, "edge-1"), {"resources": {"cpu": "lots"}}, "cpu"),
        ((WEB, CHART, "edge-1"), {"values": {"a": float("nan")}}, "JSON"),
    ],
)
def test_what_is_no_release_is_refused(
    arguments: tuple[str, str, str], keywords: dict[str, dict[str, object]], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        smo.ReleaseSpec(*arguments, **keywords)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_replicas_are_whole_numbers(member: smo.InMemoryFleet) -> None:
    with pytest.raises(TypeError, match="dict from cluster to replicas"):
        member.scale(WEB, {"edge-1": -1})


def test_a_base_class_cannot_be_made() -> None:
    for port in (smo.Fleet, smo.ArtifactBackend, smo.ChartBackend, smo.AlertBackend, smo.StateStore, smo.MetricsBackend):
        with pytest.raises(TypeError, match="No constructor defined|cannot create"):
            port()


def test_artifacts() -> None:
    registry = smo.InMemoryArtifacts()
    digest = registry.add_chart("oci://r.io/shop/web:1.0.0", b"old")
    registry.add_chart("oci://r.io/shop/web:1.1.0", b"newer")
    assert registry.resolve("oci://r.io/shop/web").size == 5
    exact = registry.resolve(f"oci://r.io/shop/web@{digest}")
    assert (exact.kind, exact.digest, exact.size) == ("chart", digest, 3)
    assert exact == registry.resolve("oci://r.io/shop/web:1.0.0") and len({exact, exact}) == 1
    assert registry.exists("oci://r.io/shop/web") and not registry.exists("oci://r.io/shop/db")
    with pytest.raises(smo.Invalid):
        registry.descriptor("oci://r.io/shop/web")
    registry.add_descriptor("oci://r.io/shop/wrong:1.0.0", "services: []")
    with pytest.raises(smo.InvalidDescriptor, match="oci://r.io/shop/wrong"):
        registry.descriptor("oci://r.io/shop/wrong")


def test_charts() -> None:
    charts = smo.InMemoryCharts()
    charts.add_chart(CHART, "web-1.0.0")
    assert charts.apply("default/web", CHART, {"a": 1}).state == "deployed"
    assert charts.apply("default/web", CHART, {"a": 2}).revision == 2
    assert charts.rollback("default/web", 1).revision == 3
    assert charts.values("default/web") == {"a": 1}
    assert [installed.release for installed in charts.list()] == ["default/web"]
    assert charts.list("prod") == []
    assert charts.objects("default/web")[0]["kind"] == "ConfigMap"
    assert charts.set_state("default/web", "pending")
    with pytest.raises(smo.Conflict):
        charts.apply("default/web", CHART)
    with pytest.raises(ValueError, match="deployed, failed"):
        charts.set_state("default/web", "odd")
    with pytest.raises(ValueError, match="namespace/name"):
        charts.uninstall("web")
    with pytest.raises(TypeError, match="template"):
        charts.add_chart(CHART, "web-1.0.0", "text")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    charts.add_foreign_object({"kind": "ConfigMap", "metadata": {"name": "db"}})
    with pytest.raises(smo.Conflict, match="somebody else"):
        charts.apply("default/db", CHART)


def test_a_template_that_returns_nonsense_is_a_refusal() -> None:
    charts = smo.InMemoryCharts()
    charts.add_chart(CHART, "web-1.0.0", lambda release, values: "text")  # type: ignore[arg-type,return-value] # pyright: ignore[reportArgumentType]
    with pytest.raises(smo.Invalid, match="not a list of objects"):
        charts.apply("default/web", CHART)


def test_alert_rules_dashboards_and_documents_of_a_deployment(graph: smo.ApplicationGraph, member: smo.InMemoryFleet) -> None:
    alerts, dashboards, store = smo.InMemoryAlerts(), smo.InMemoryDashboards(), smo.InMemoryStore()
    metrics = smo.InMemoryMetrics()
    orchestrator = smo.Orchestrator(member, alerts=alerts, dashboards=dashboards, metrics=metrics, store=store)
    plan = orchestrator.deploy(graph).plan
    assert plan.alerts is not None
    (group,) = alerts.groups()
    assert alerts.group(group) == plan.alerts
    uid = plan.dashboards[0]["uid"]
    assert dashboards.dashboard(uid) == plan.dashboards[0]
    assert store.list() != []
    # Rules that are evaluated need no webhook: the next step of reconcile sees what fires.
    rule = plan.alerts["rules"][0]["alert"]
    fired = alerts.fire(rule, AT)
    assert (fired.labels["alertname"], fired.starts_at) == (rule, AT)
    assert [outcome.kind for outcome in orchestrator.reconcile().alerts] == ["started"]
    # A second orchestrator on the same store knows the graph.
    assert smo.Orchestrator(member, store=store).graphs() == orchestrator.graphs()
    alerts.resolve(rule)
    assert alerts.firing() == []
    orchestrator.remove(graph)
    assert (alerts.groups(), dashboards.list(), store.list("graph/")) == ({}, {}, [])


def test_documents_know_their_revision() -> None:
    store = smo.InMemoryStore()
    first = store.put("a/1", {"x": [1, None, "ä"]}, expect="absent")
    document = store.get("a/1")
    assert document is not None and (document.key, document.value, document.revision) == ("a/1", {"x": [1, None, "ä"]}, first)
    wrong: tuple[Literal["absent"], int] = ("absent", first + 1)
    for expect in wrong:
        with pytest.raises(smo.Conflict):
            store.put("a/1", 2, expect=expect)
    second = store.put("a/1", 2, expect=first)
    assert second > first
    assert [document.key for document in store.list("a/")] == ["a/1"]
    store.delete("a/1", expect=second)
    store.delete("a/1", expect="anything")
    assert store.get("a/1") is None
    with pytest.raises(TypeError, match="a revision"):
        store.put("a/1", 1, expect=1.5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="no expectation"):
        store.put("a/1", 1, expect="nothing")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_metrics_that_are_missing_are_none() -> None:
    metrics = smo.InMemoryMetrics()
    metrics.record("load", 40, AT, {"job": "web"})
    (series,) = metrics.query("load", AT)
    assert (series.labels, series.value) == ({"job": "web"}, 40.0)
    (over_time,) = metrics.query_range("load", AT, "2026-11-24T10:10:00Z", 300)
    assert [value for _, value in over_time.samples] == [40.0, None, None]
    metrics.record("load", 1, AT, {"job": "db"})
    with pytest.raises(smo.Invalid, match="2 series"):
        metrics.scalar("load", AT)
    with pytest.raises(smo.Invalid, match="step"):
        metrics.query_range("load", AT, AT, 0)
    with pytest.raises(ValueError, match="moment in time"):
        metrics.query("load", "now")


def test_infrastructure_takes_its_time(member: smo.InMemoryFleet) -> None:
    infrastructure = smo.InMemoryInfrastructure(member, delay=60)
    work = infrastructure.request_cluster("edge-9", workers=2, worker={"cpu": "4", "nvidia.com/gpu": 1})
    with pytest.raises(smo.Unavailable) as caught:
        infrastructure.finish(work, patience=1)
    assert caught.value.retryable
    assert infrastructure.finish(work).state == "done"
    assert member.cluster("edge-9").allocatable == {"cpu": "8", "nvidia.com/gpu": "2"}
    infrastructure.finish(infrastructure.add_workers("edge-9", 1))
    assert member.cluster("edge-9").allocatable["cpu"] == "12"
    infrastructure.finish(infrastructure.remove_cluster("edge-9"))
    with pytest.raises(smo.NotFound):
        infrastructure.add_workers("edge-9", 1)


def test_faults_are_scripted(member: smo.InMemoryFleet) -> None:
    member.journal.fail_next("inventory", times=2)
    for _ in range(2):
        with pytest.raises(smo.Unavailable, match="scripted"):
            member.inventory()
    member.journal.fail_always("remove", "Conflict", "mine", subject=WEB)
    with pytest.raises(smo.Conflict, match="mine"):
        member.remove(WEB)
    member.remove("default/shop/db")
    member.journal.heal()
    member.remove(WEB)
    member.journal.lose_next_answer("apply")
    with pytest.raises(smo.Unavailable):
        member.apply(smo.ReleaseSpec(WEB, CHART, "edge-1"))
    assert list(member.releases()) == [WEB]
    assert member.journal.calls_of("remove") == [WEB, "default/shop/db", WEB]
    member.journal.forget()
    assert member.journal.calls == []
    with pytest.raises(ValueError, match="NotFound, Conflict"):
        member.journal.fail_next("inventory", "Odd")


def test_errors_of_backends_are_typed_and_survive_pickle(member: smo.InMemoryFleet) -> None:
    with pytest.raises(smo.BackendError) as caught:
        member.release(WEB)
    error = caught.value
    assert type(error) is smo.NotFound
    assert (error.kind, error.operation, error.retryable, error.retry_after, error.hints) == (
        "NotFound", f"release {WEB}", False, None, [],
    )  # fmt: skip
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is smo.NotFound and str(again) == str(error) and again.operation == error.operation
    member.journal.fail_next("inventory", "Unavailable", "GET https://smo:hunter2@karmada failed: token=hunter2")
    with pytest.raises(smo.Unavailable) as failed:
        member.inventory()
    assert "hunter2" not in str(failed.value) + repr(failed.value) + repr(pickle.dumps(failed.value))
