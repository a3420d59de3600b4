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
    Alternative,
    ApplicationGraph,
    Catalog,
    Change,
    ChangeSet,
    Cluster,
    ClusterSupply,
    Decision,
    DeploymentPlan,
    Descriptor,
    Diagnosis,
    FirstFit,
    Goals,
    GreenConsolidation,
    InMemoryFleet,
    Inventory,
    Link,
    MilpPlacer,
    Note,
    ObservedState,
    Placed,
    PlacementProblem,
    Placer,
    Planner,
    Requirements,
    Service,
    ServiceDemand,
    ServicePlan,
    Violation,
    __version__,
    json_schema,
    place,
    plan,
    translate,
)

__all__ = [
    "Alternative",
    "ApplicationGraph",
    "BackendError",
    "Catalog",
    "Change",
    "ChangeSet",
    "Cluster",
    "ClusterSupply",
    "Decision",
    "DeploymentPlan",
    "Descriptor",
    "Diagnosis",
    "FirstFit",
    "Goals",
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
    "OrchestratorError",
    "Placed",
    "PlacementFailed",
    "PlacementProblem",
    "Placer",
    "PlacerError",
    "PlanError",
    "Planner",
    "Requirements",
    "Service",
    "ServiceDemand",
    "ServicePlan",
    "SmoError",
    "TranslateError",
    "Violation",
    "__version__",
    "json_schema",
    "place",
    "plan",
    "translate",
]
