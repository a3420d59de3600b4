"""Replicas and placement in one decision: how many replicas a service needs depends on where they run.

Scaling first and placing afterwards takes what a replica carries from where it runs today. Where clusters are not equally
fast this is wrong both ways: a move to a faster cluster takes more replicas along than it needs, one to a slower cluster
too few. `decide_jointly` asks for both at once; `scale_then_place` is the other way, to compare with.

The load of a service is divided evenly over its replicas, so the slowest cluster in use decides how many there have to be.
"""

from ._smo import ElasticService, JointDecision, decide_jointly, scale_then_place

__all__ = ["ElasticService", "JointDecision", "decide_jointly", "scale_then_place"]
