"""smo: decides with proof where the services of an application graph run, and plans it.

>>> import smo
>>> smo.cpu_millicores("2")
2000
"""

from ._smo import __version__, cpu_millicores

__all__ = ["__version__", "cpu_millicores"]
