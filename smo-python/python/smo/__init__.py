"""smo: decides with proof where the services of an application graph run, and plans it.

>>> import smo
>>> graph = smo.Descriptor.parse('''
... hdaGraph:
...   id: shop
...   services:
...     - id: web
...       deployment: {intent: {compute: {cpu: small}, connectionPoints: [db]}}
...       artifact: {ociImage: 'oci://registry.example.com/shop/web'}
...     - id: db
...       deployment: {intent: {compute: {cpu: medium}}}
...       artifact: {ociImage: 'oci://registry.example.com/shop/db'}
... ''').validate()
>>> fleet = smo.Inventory.parse('''
... fleet:
...   clusters:
...     - {name: edge-1, allocatable: {cpu: 2, memory: 4Gi}, price: {cpu: 0.01}}
...     - {name: cloud-1, allocatable: {cpu: 64, memory: 256Gi}, price: {cpu: 0.04}}
... ''')
>>> plan = smo.plan(graph, fleet)
>>> plan.services["web"].target, plan.services["db"].target
('edge-1', 'cloud-1')
>>> plan.placement["db"].why
'the only cluster with enough cpu'

`str()` of a plan, a decision, a diagnosis or a difference is a screen of text; a notebook shows tables and pictures.
"""

from ._errors import (
    BackendError,
    Infeasible,
    InvalidCatalog,
    InvalidDescriptor,
    InvalidInput,
    InvalidInventory,
    OrchestratorError,
    PlacementFailed,
    PlacerError,
    PlanError,
    SmoError,
    TranslateError,
)
from ._smo import (
    AlertOutcome,
    Alternative,
    ApplicationGraph,
    ApplyReport,
    Catalog,
    Change,
    ChangeSet,
    Cluster,
    ClusterSupply,
    Decision,
    Deployment,
    DeploymentPlan,
    Descriptor,
    Diagnosis,
    FirstFit,
    Goals,
    GraphStatus,
    GreenConsolidation,
    InMemoryFleet,
    Inventory,
    Link,
    MilpPlacer,
    Note,
    ObservedState,
    Orchestrator,
    Placed,
    PlacementProblem,
    Placer,
    Planner,
    ReconcileReport,
    Requirements,
    Service,
    ServiceDemand,
    ServicePlan,
    ServiceStatus,
    Step,
    Violation,
    __version__,
    fleet_json_schema,
    json_schema,
    place,
    plan,
    translate,
)

__all__ = [
    "AlertOutcome",
    "Alternative",
    "ApplicationGraph",
    "ApplyReport",
    "BackendError",
    "Catalog",
    "Change",
    "ChangeSet",
    "Cluster",
    "ClusterSupply",
    "Decision",
    "Deployment",
    "DeploymentPlan",
    "Descriptor",
    "Diagnosis",
    "FirstFit",
    "Goals",
    "GraphStatus",
    "GreenConsolidation",
    "InMemoryFleet",
    "Infeasible",
    "InvalidCatalog",
    "InvalidDescriptor",
    "InvalidInput",
    "InvalidInventory",
    "Inventory",
    "Link",
    "MilpPlacer",
    "Note",
    "ObservedState",
    "Orchestrator",
    "OrchestratorError",
    "Placed",
    "PlacementFailed",
    "PlacementProblem",
    "Placer",
    "PlacerError",
    "PlanError",
    "Planner",
    "ReconcileReport",
    "Requirements",
    "Service",
    "ServiceDemand",
    "ServicePlan",
    "ServiceStatus",
    "SmoError",
    "Step",
    "TranslateError",
    "Violation",
    "__version__",
    "fleet_json_schema",
    "json_schema",
    "place",
    "plan",
    "translate",
]
