"""Loads, their seasons, forecasts with quantiles, and how good those would have been.

>>> from smo.forecast import backtest, generate_load
>>> report = backtest(generate_load(days=4, step=600), horizon=3, first=288)
>>> 0.85 < report.coverage[90] < 0.95
True
"""

from ._smo import (
    Backtest,
    Forecast,
    LoadPredictor,
    LoadSeries,
    backtest,
    detect_season,
    forecast,
    generate_load,
)

__all__ = [
    "Backtest",
    "Forecast",
    "LoadPredictor",
    "LoadSeries",
    "backtest",
    "detect_season",
    "forecast",
    "generate_load",
]
