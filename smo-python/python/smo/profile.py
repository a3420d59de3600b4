"""What replicas of a service carry, learned from samples; refused where samples do not tell.

>>> from smo.profile import ProfileSample, learn
>>> import smo
>>> try:
...     learn([ProfileSample(second, 2, 100.0, 0.5) for second in range(40)])
... except smo.NotEnoughData as error:
...     print(error)
all 40 usable samples are of 2 replicas; another count is needed, or a line through 0
"""

from ._smo import Drift, Profile, ProfileSample, join_prometheus, learn, read_samples

__all__ = ["Drift", "Profile", "ProfileSample", "join_prometheus", "learn", "read_samples"]
