"""How many replicas run: one question, strategies that answer it, and a controller that asks again and again.

>>> from smo.scaling import ClusterRoom, ScalingProblem, ServiceLoad, Throughput, decide
>>> web = ServiceLoad(505, Throughput(110, -30), max=10, per_replica={"cpu": 1}, clusters={"edge-1": 2, "edge-2": 0})
>>> rooms = {"edge-1": ClusterRoom({"cpu": 3}), "edge-2": ClusterRoom({"cpu": 8}, price={"cpu": 0.02})}
>>> decide(ScalingProblem({"web": web}, rooms)).services["web"].clusters
{'edge-1': 3, 'edge-2': 2}
"""

from ._smo import (
    Autoscaler,
    ClusterRoom,
    ExactScaler,
    ExpectedLoad,
    Lack,
    ObservedService,
    ScaledService,
    Scaler,
    ScalingController,
    ScalingDecision,
    ScalingGoals,
    ScalingObservation,
    ScalingPolicy,
    ScalingProblem,
    ScalingReport,
    ScalingStep,
    ServiceCourse,
    ServiceLoad,
    ServiceTarget,
    ServiceVerdict,
    SimulationResult,
    ThresholdScaler,
    Thresholds,
    Throughput,
    decide,
    simulate,
)

__all__ = [
    "Autoscaler",
    "ClusterRoom",
    "ExactScaler",
    "ExpectedLoad",
    "Lack",
    "ObservedService",
    "ScaledService",
    "Scaler",
    "ScalingController",
    "ScalingDecision",
    "ScalingGoals",
    "ScalingObservation",
    "ScalingPolicy",
    "ScalingProblem",
    "ScalingReport",
    "ScalingStep",
    "ServiceCourse",
    "ServiceLoad",
    "ServiceTarget",
    "ServiceVerdict",
    "SimulationResult",
    "ThresholdScaler",
    "Thresholds",
    "Throughput",
    "decide",
    "simulate",
]
