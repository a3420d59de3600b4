from typing import Final

__all__ = ["__version__", "cpu_millicores"]

__version__: Final[str]

def cpu_millicores(text: str) -> int: ...
