"""Artifacts: descriptors and Helm charts in OCI registries, and charts installed by the `helm` program.

>>> from smo.artifact import OciArtifacts, RegistryConfig
>>> registry = OciArtifacts(RegistryConfig.from_env().with_plain_http("127.0.0.1:5000"))
>>> def graph(reference):
...     return registry.descriptor(reference).validate()
"""

from ._smo import HelmConfig, HelmDriver, OciArtifacts, PulledChart, RegistryConfig

__all__ = ["HelmConfig", "HelmDriver", "OciArtifacts", "PulledChart", "RegistryConfig"]
