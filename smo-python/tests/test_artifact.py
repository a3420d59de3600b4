"""The door to registries and Helm: configuration and errors. What needs servers is in `live`."""

import pickle
import socket
import threading
from pathlib import Path

import pytest

import smo
from smo.artifact import HelmConfig, HelmDriver, OciArtifacts, RegistryConfig


def test_no_secret_is_shown_or_pickled() -> None:
    config = RegistryConfig().with_credentials("r.io", "smo", "hunter2").with_token("s.io", "hunter3")
    helm = HelmConfig().with_registry(config)
    for thing in (config, helm, OciArtifacts(config), HelmDriver(helm)):
        for shown in (repr(thing), str(thing)):
            assert "hunter" not in shown
        with pytest.raises(TypeError, match="credentials"):
            pickle.dumps(thing)


def test_a_configuration_is_a_new_one() -> None:
    config = RegistryConfig()
    with_host = config.with_plain_http("127.0.0.1:5000")
    assert "127.0.0.1:5000" in repr(with_host) and "127.0.0.1:5000" not in repr(config)
    limited = config.with_limits(entries=7).with_timeouts(connect=1, read=2)
    assert "entries: 7" in repr(limited) and "connect_timeout: 1s" in repr(limited)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMO_REGISTRY_PLAIN_HTTP", "127.0.0.1:5001")
    monkeypatch.setenv("SMO_HELM", "/opt/helm")
    monkeypatch.setenv("SMO_KARMADA_CONTEXT", "karmada")
    shown = repr(HelmConfig.from_env())
    assert '"/opt/helm"' in shown and "karmada" in shown and "127.0.0.1:5001" in shown


def test_unusable_certificates_are_named(tmp_path: Path) -> None:
    with pytest.raises(smo.Invalid, match="nowhere.pem"):
        OciArtifacts(RegistryConfig().with_certificates(tmp_path / "nowhere.pem"))


def test_nobody_there_is_worth_another_try() -> None:
    registry = OciArtifacts(RegistryConfig().with_plain_http("127.0.0.1:1"))
    with pytest.raises(smo.Unavailable, match="127.0.0.1:1 does not answer") as caught:
        registry.descriptor("oci://127.0.0.1:1/demo/shop")
    assert caught.value.retryable and caught.value.hints == []


def test_plain_http_is_guessed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        host = f"127.0.0.1:{server.getsockname()[1]}"
        registry = smo.artifact.OciArtifacts()

        def answer() -> None:
            # The second time, the client asks for less.
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(smo.Unavailable) as caught:
            registry.versions(f"oci://{host}/demo/shop")
        thread.join()
    assert caught.value.hints == ["it seems to speak plain HTTP: set SMO_REGISTRY_PLAIN_HTTP, or write http://"]


def test_a_folder_without_anything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(smo.Invalid):
        OciArtifacts().push_folder("oci://127.0.0.1:1/demo", tmp_path)


def test_helm_that_is_not_there_is_named() -> None:
    with pytest.raises(smo.Unsupported, match="/nowhere/helm"):
        HelmDriver(HelmConfig().with_program("/nowhere/helm")).list()
    with pytest.raises(ValueError, match="seconds"):
        HelmConfig().with_timeout(-1)
