"""Karmada: the fleet behind a control plane, and what the host knows of it.

`KarmadaConfig` says how to reach it; `connect` gives a `KarmadaFleet`, which `smo.Orchestrator` takes:

>>> import smo
>>> from smo.artifact import HelmDriver
>>> from smo.karmada import KarmadaConfig
>>> def deploy(graph):
...     fleet = KarmadaConfig.from_env().connect(HelmDriver.from_env())
...     return smo.Orchestrator(fleet).deploy(graph)

Services that are plain container images (`docker://host/repository:tag`) need no Helm: `smo.InMemoryCharts()` will do for
`connect` then.
"""

from ._smo import Changes, FleetFacts, FleetReport, KarmadaConfig, KarmadaFleet

__all__ = ["Changes", "FleetFacts", "FleetReport", "KarmadaConfig", "KarmadaFleet"]
