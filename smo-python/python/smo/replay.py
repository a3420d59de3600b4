"""Replaying a load that is over: how policies of scaling would have served it.

>>> from smo.forecast import LoadSeries
>>> from smo.replay import ReplayPolicy, Workload, replay
>>> workload = Workload(LoadSeries([8.0] * 4 + [30.0] * 8, step=15), alpha=10)
>>> replay(workload, ReplayPolicy.foresight()).violation_share
0.0
"""

from ._smo import ReplayOutcome, ReplayPolicy, ReplayView, Workload, replay

__all__ = ["ReplayOutcome", "ReplayPolicy", "ReplayView", "Workload", "replay"]
