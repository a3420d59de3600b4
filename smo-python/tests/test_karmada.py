"""The door to a Karmada: configuration, facts, errors. What needs one is in `live`."""

import pickle

import pytest

import smo
from smo.karmada import FleetFacts, KarmadaConfig, KarmadaFleet

KUBECONFIG = """
kind: Config
current-context: k
contexts: [{name: k, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: hunter2}}]
"""


def test_the_environment_names_the_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMO_KARMADA_KUBECONFIG", "SMO_KARMADA_CONTEXT", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(smo.Invalid, match="none was named") as caught:
        KarmadaConfig.from_env()
    assert caught.value.hints and "SMO_KARMADA_KUBECONFIG" in caught.value.hints[0]
    monkeypatch.setenv("SMO_KARMADA_KUBECONFIG", "/etc/karmada")
    assert KarmadaConfig.from_env() == KarmadaConfig("/etc/karmada")
    assert KarmadaConfig.from_env().manager == "smo"
    assert KarmadaConfig.from_env(drift="report") == KarmadaConfig("/etc/karmada", drift="report")


def test_what_is_done_about_drift_is_chosen() -> None:
    assert KarmadaConfig("/etc/karmada").drift == "repair"
    config = KarmadaConfig("/etc/karmada", drift="report")
    assert config.drift == "report" and config != KarmadaConfig("/etc/karmada")
    with pytest.raises(ValueError, match="repair"):
        KarmadaConfig("/etc/karmada", drift="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_no_secret_is_shown_or_pickled() -> None:
    config = KarmadaConfig(text=KUBECONFIG)
    fleet = config.connect(smo.InMemoryCharts())
    orchestrator = smo.Orchestrator(fleet)
    for thing in (config, fleet, orchestrator):
        assert "hunter2" not in repr(thing) + str(thing)
        with pytest.raises(TypeError, match="pickle"):
            pickle.dumps(thing)


@pytest.mark.parametrize(
    ("text", "context", "fault"),
    [("a: [b", None, "unclosed bracket"), ("kind: Config", None, "context"), (KUBECONFIG, "nosuch", "nosuch")],
)
def test_an_unusable_kubeconfig_says_why(text: str, context: str | None, fault: str) -> None:
    with pytest.raises(smo.Invalid, match=fault) as caught:
        KarmadaConfig(text=text, context=context).connect(smo.InMemoryCharts())
    assert caught.value.hints != [] and not caught.value.retryable


def test_a_manager_is_a_dns_label() -> None:
    with pytest.raises(smo.Invalid, match="DNS label"):
        KarmadaConfig("/etc/karmada", manager="My Manager")


def test_nobody_there_is_worth_another_try() -> None:
    fleet = KarmadaConfig(text=KUBECONFIG).connect(smo.InMemoryCharts())
    with pytest.raises(smo.Unavailable, match="does not answer: https://127.0.0.1:1: ") as caught:
        fleet.inventory()
    assert caught.value.retryable
    assert caught.value.hints == ["check the server address in the kubeconfig, and that karmada-apiserver runs"]
    with pytest.raises(smo.Unavailable):
        smo.Orchestrator(fleet).deploy(smo.Descriptor.parse("hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}").validate())


def test_facts_are_read_as_a_fleet_file(fleet: smo.Inventory) -> None:
    facts = FleetFacts.of(fleet)
    assert facts.clusters == sorted(fleet.clusters) and "edge-1" in facts and "m1" not in facts
    assert FleetFacts().clusters == []
    one = FleetFacts().with_cluster("m1", region="eu", price={"cpu": 0.02}, carbon={"intensity": 320})
    assert one.clusters == ["m1"] and one != FleetFacts().with_cluster("m1", region="eu")
    with pytest.raises(smo.InvalidInventory, match="facts"):
        FleetFacts().with_cluster("m1", price={"cpu": "cheap"})  # type: ignore[dict-item] # pyright: ignore[reportArgumentType]


def test_tolerations_are_checked() -> None:
    config = KarmadaConfig(text=KUBECONFIG)
    config.connect(smo.InMemoryCharts(), tolerations=[{"key": "gpu", "effect": "NoSchedule"}])
    with pytest.raises(ValueError, match="tolerations"):
        config.connect(smo.InMemoryCharts(), tolerations=[{"effect": "Never"}])


def test_changes_are_an_iterator(silent: KarmadaFleet) -> None:
    changes = silent.changes()
    assert iter(changes) is changes
    with pytest.raises(ValueError, match="seconds"):
        changes.wait(-1)
