"""The exceptions of the package. Each says everything in `str()`, and has the same as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._smo import ApplyReport, Diagnosis, Violation

__all__ = [
    "BackendError",
    "Conflict",
    "Infeasible",
    "Invalid",
    "InvalidCatalog",
    "InvalidDescriptor",
    "InvalidInput",
    "InvalidInventory",
    "InvalidProblem",
    "InvalidSamples",
    "InvalidScaling",
    "NotEnoughData",
    "NotFound",
    "OrchestratorError",
    "Overloaded",
    "PlacementFailed",
    "PlacerError",
    "PlanError",
    "ScalerError",
    "ScalingFailed",
    "SmoError",
    "TranslateError",
    "Unauthenticated",
    "Unavailable",
    "Unexpected",
    "Unsupported",
]


class SmoError(Exception):
    """Every error of the package.

    >>> import smo
    >>> try:
    ...     smo.Descriptor.parse("services: []")
    ... except smo.SmoError as error:
    ...     type(error).__name__
    'InvalidDescriptor'
    """

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    @property
    def hints(self) -> list[str]:
        """What to try; empty where nothing is known to help."""
        return []

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed when it is repeated. Most errors are about what was given, and stay."""
        return False


class InvalidInput(SmoError, ValueError):
    """An input is refused. `str()` shows every violation with its line."""

    def __init__(self, message: str, violations: list[Violation]) -> None:
        super().__init__(message, violations)
        self.violations = violations

    @property
    def hints(self) -> list[str]:
        """The hints of the violations, each once."""
        found = [violation.hint for violation in self.violations if violation.hint is not None]
        return list(dict.fromkeys(found))


class InvalidSamples(SmoError, ValueError):
    """Samples, or what is asked about them, make no sense. `faults` has everything that is wrong, one sentence each.

    >>> import smo
    >>> from smo.forecast import LoadSeries
    >>> try:
    ...     LoadSeries([1.0, -2.0], step=60)
    ... except smo.InvalidSamples as error:
    ...     print(error.faults[0])
    samples[1] is -2; a rate is finite and not negative, and a gap is left out
    """

    def __init__(self, message: str, faults: list[str], hints: list[str]) -> None:
        super().__init__(message, faults, hints)
        self.faults = faults
        self._hints = hints

    @property
    def hints(self) -> list[str]:
        """What to try."""
        return list(self._hints)


class NotEnoughData(SmoError):
    """Samples are sound, and do not suffice for what was asked. More of them, or unlike ones, may.

    >>> import smo
    >>> from smo.forecast import LoadSeries, forecast
    >>> try:
    ...     forecast(LoadSeries([1.0, 2.0], step=60), 3, model="seasonal-naive", period=24)
    ... except smo.NotEnoughData as error:
    ...     print(error)
    2 steps of history are too few for seasonal naive; 24 or more are needed
    """


class InvalidDescriptor(InvalidInput):
    """A descriptor is refused.

    >>> import smo
    >>> try:
    ...     smo.Descriptor.parse("hdaGraph: {id: shop, services: []}").validate()
    ... except smo.InvalidDescriptor as error:
    ...     [violation.severity for violation in error.violations]
    ['error']
    """


class InvalidInventory(InvalidInput):
    """A fleet is refused.

    >>> import smo
    >>> try:
    ...     smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: lots, memory: 8Gi}}]}")
    ... except smo.InvalidInventory as error:
    ...     error.violations[0].path
    'fleet.clusters[0].allocatable.cpu'
    """


class InvalidProblem(InvalidInput):
    """A placement problem is refused.

    >>> import smo
    >>> try:
    ...     smo.PlacementProblem.parse("problem: {services: [{name: web}], clusters: []}")
    ... except smo.InvalidProblem as error:
    ...     error.violations[0].path
    'problem.services[0].name'
    """


class InvalidCatalog(InvalidInput):
    """A catalogue of intent classes is refused.

    >>> import smo
    >>> try:
    ...     smo.Catalog.parse("catalog: {cpu: {tiny: lots}}")
    ... except smo.InvalidCatalog as error:
    ...     len(error.violations)
    1
    """


class TranslateError(SmoError, ValueError):
    """An intent has no meaning in the catalogue.

    >>> import smo
    >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
    >>> try:
    ...     smo.translate(smo.Descriptor.parse(text).validate(), smo.Catalog.empty())
    ... except smo.TranslateError as error:
    ...     print(error)
    service `web` asks for cpu of the unknown class `small`
    """

    def __init__(self, message: str, hints: list[str]) -> None:
        super().__init__(message, hints)
        self._hints = hints

    @property
    def hints(self) -> list[str]:
        """What to try."""
        return list(self._hints)


class Infeasible(SmoError):
    """No placement was found. `diagnosis` says what keeps each service off each cluster; `str()` is the whole screen.

    >>> import smo
    >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
    >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: tiny, allocatable: {cpu: 500m, memory: 8Gi}}]}")
    >>> try:
    ...     smo.plan(smo.Descriptor.parse(text).validate(), fleet)
    ... except smo.Infeasible as error:
    ...     error.diagnosis.services["web"]
    {'tiny': '0.5 cores short'}
    """

    def __init__(self, message: str, diagnosis: Diagnosis) -> None:
        super().__init__(message, diagnosis)
        self.diagnosis = diagnosis

    @property
    def hints(self) -> list[str]:
        """What to try."""
        return self.diagnosis.hints


class PlacementFailed(SmoError):
    """A placement question got no answer at all: it contradicts itself, or its amounts do not fit the arithmetic."""


class PlacerError(PlacementFailed):
    """A placer is wrong or fails. `placer` is its name, `faults` what is wrong with its answer.

    When the code of a Python placer raised, the exception is the cause (`__cause__`).

    >>> import smo
    >>> class Nowhere(smo.Placer):
    ...     def place(self, problem):
    ...         return {}
    >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
    >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
    >>> try:
    ...     smo.plan(smo.Descriptor.parse(text).validate(), fleet, placer=Nowhere())
    ... except smo.PlacerError as error:
    ...     error.placer, error.faults
    ('Nowhere', ['default/shop/web runs 0 of 1 replicas'])
    """

    def __init__(self, message: str, placer: str, faults: list[str]) -> None:
        super().__init__(message, placer, faults)
        self.placer = placer
        self.faults = faults


class ScalingFailed(SmoError):
    """A question how many replicas run got no answer at all. Too little room is an answer."""


class InvalidScaling(ScalingFailed, ValueError):
    """A number, a question, a policy or an observation of scaling makes no sense. `faults` has everything that is wrong.

    >>> from smo import InvalidScaling
    >>> from smo.scaling import Throughput
    >>> try:
    ...     Throughput(0)
    ... except InvalidScaling as error:
    ...     error.faults
    ['alpha is 0; one more replica has to carry more, so it is above zero']
    """

    def __init__(self, message: str, faults: list[str]) -> None:
        super().__init__(message, faults)
        self.faults = faults


class Overloaded(ScalingFailed):
    """The load of services is not carried by all replicas allowed, wherever they run. `services` has the load and the most
    that can be carried, in requests per second.

    >>> import smo
    >>> from smo.joint import ElasticService, decide_jointly
    >>> from smo.scaling import Throughput
    >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
    >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
    >>> problem = smo.PlacementProblem.pose(fleet, smo.Descriptor.parse(text).validate())
    >>> try:
    ...     decide_jointly(problem, {"web": ElasticService(500, Throughput(100), max=3)})
    ... except smo.Overloaded as error:
    ...     error.services
    {'web': (500.0, 300.0)}
    """

    def __init__(self, message: str, services: dict[str, tuple[float, float]]) -> None:
        super().__init__(message, services)
        self.services = services

    @property
    def hints(self) -> list[str]:
        """What to try."""
        return ["allow more replicas, or have a faster cluster"]


class ScalerError(ScalingFailed):
    """A scaler is wrong or fails. `scaler` is its name, `faults` what is wrong with its answer.

    When the code of a Python scaler raised, the exception is the cause (`__cause__`).

    >>> import smo
    >>> from smo.scaling import ClusterRoom, Scaler, ScalingProblem, ServiceLoad, Throughput, decide
    >>> class Nothing(Scaler):
    ...     def replicas(self, problem):
    ...         return {}
    >>> web = ServiceLoad(505, Throughput(110), max=9, clusters={"edge-1": 2})
    >>> try:
    ...     decide(ScalingProblem({"web": web}, {"edge-1": ClusterRoom({})}), Nothing())
    ... except smo.ScalerError as error:
    ...     error.scaler, error.faults
    ('Nothing', ['it says nothing about default/default/web'])
    """

    def __init__(self, message: str, scaler: str, faults: list[str]) -> None:
        super().__init__(message, scaler, faults)
        self.scaler = scaler
        self.faults = faults


class PlanError(SmoError):
    """There is no plan for another reason: the designer's values leave no room for the orchestrator's, or `refine` asked
    something else.
    """


class BackendError(SmoError):
    """A part of the outside world failed: the fleet, a registry, Helm, a store. Its class says how.

    `operation` is what was attempted, `kind` the name of the class. `retryable` says whether the same call may succeed
    when it is repeated, `retry_after` after how many seconds, where the other side said so.

    >>> import smo
    >>> try:
    ...     smo.InMemoryArtifacts().descriptor("oci://r.io/demo/shop")
    ... except smo.NotFound as error:
    ...     error.operation, error.retryable
    ('resolve oci://r.io/demo/shop', False)
    """

    def __init__(
        self,
        message: str,
        kind: str = "Unexpected",
        operation: str = "",
        retryable: bool = False,
        retry_after: float | None = None,
        hints: Sequence[str] = (),
    ) -> None:
        super().__init__(message, kind, operation, retryable, retry_after, tuple(hints))
        self.kind = kind
        self.operation = operation
        self.retry_after = retry_after
        self._retryable = retryable
        self._hints = tuple(hints)

    @property
    def hints(self) -> list[str]:
        """What to try."""
        return list(self._hints)

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed when it is repeated."""
        return self._retryable


class NotFound(BackendError):
    """What the call is about does not exist."""


class Conflict(BackendError):
    """It exists and belongs to somebody else, or has changed since it was read."""


class Unauthenticated(BackendError):
    """The other side does not know the caller, or does not let them."""


class Unavailable(BackendError):
    """The other side does not answer now; it may later."""


class Invalid(BackendError):
    """The other side refuses what it was given, and always will."""


class Unsupported(BackendError):
    """The other side cannot do it at all."""


class Unexpected(BackendError):
    """Anything else: an answer that makes no sense."""


class OrchestratorError(SmoError):
    """An operation on a graph was not done, or not to the end.

    `kind` is `UnknownGraph`, `Exists`, `Stopped`, `NotStopped`, `NotInstalled`, `Busy`, `Changed`, `Failed` or
    `NotRemembered`. With the last two, `report` says which step failed and what became of the others.

    >>> import smo
    >>> fleet = smo.InMemoryFleet(
    ...     smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
    ... )
    >>> try:
    ...     smo.Orchestrator(fleet).status("shop")
    ... except smo.OrchestratorError as error:
    ...     error.kind, error.hints
    ('UnknownGraph', ['`graphs()` lists what is deployed'])
    """

    def __init__(
        self,
        message: str,
        kind: str,
        report: ApplyReport | None = None,
        hints: Sequence[str] = (),
        retryable: bool = False,
    ) -> None:
        super().__init__(message, kind, report, tuple(hints), retryable)
        self.kind = kind
        self.report = report
        self._hints = tuple(hints)
        self._retryable = retryable

    @property
    def hints(self) -> list[str]:
        """What to try."""
        return list(self._hints)

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed when it is repeated."""
        return self._retryable
