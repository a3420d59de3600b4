"""Loads, forecasts and backtests, and how bad input is refused."""

import math

import pytest

import smo
from smo.forecast import LoadPredictor, LoadSeries, backtest, detect_season, forecast, generate_load
from smo.scaling import ScalingPolicy


def daily(days: int) -> LoadSeries:
    """An hourly load with a season of 24."""
    values = [100 + 50 * math.sin(math.tau * hour / 24) + hour % 5 for hour in range(24 * days)]
    return LoadSeries(values, step=3600)


def test_series_are_made_from_values_samples_and_texts() -> None:
    load = LoadSeries([1.0, None, 2.0], 60, start="2026-11-24T10:00:00Z")
    assert (len(load), load.step, load.values) == (3, 60.0, [1.0, None, 2.0])
    assert load.moment(3) == "2026-11-24T10:03:00Z"
    assert LoadSeries.from_samples([(0, 1.0), (61.5, 2.0), ("1970-01-01T00:03:00Z", 5.0)], 60).values == [1, 2, None, 5]
    assert LoadSeries.parse("time,value\n0,60\n60,120\n", counts=True).values == [1.0, 2.0]
    answer = '{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[0, "1.5"], [60, "2"]]}]}}'
    assert LoadSeries.parse(answer).values == [1.5, 2.0]


def test_a_season_is_found_and_forecast() -> None:
    load = daily(20)
    season = detect_season(load)
    assert season is not None and season[0] == 24
    for model in ("rolling", "holt-winters", "seasonal-naive"):
        made = forecast(load, 6, model=model)
        for ahead, point in enumerate(made.points):
            assert abs(point - 100 - 50 * math.sin(math.tau * ahead / 24)) < 12, (model, made.points)
        assert list(made.quantiles) == [50, 90, 99]
        assert all(low <= high for low, high in zip(made.quantiles[50], made.quantiles[99], strict=True))
        assert made.to_dict()["model"] == made.model and str(made).startswith(made.model)
    assert detect_season(LoadSeries([5.0] * 100, 60)) is None


def test_a_backtest_scores_what_was_forecast() -> None:
    report = backtest(generate_load(days=6, step=600, spikes=0), horizon=3, first=3 * 144, period=144)
    assert report.mase < 1 and report.origins == 3 * 144 - 2
    for level, share in report.coverage.items():
        assert abs(share - level / 100) < 0.03
    assert report.pinball_loss[99] < report.pinball_loss[50]
    assert "covers" in str(report) and report.to_dict()["horizon"] == 3


def test_a_predictor_is_fed_step_by_step() -> None:
    predictor = LoadPredictor(60, levels=[90])
    with pytest.raises(smo.NotEnoughData):
        predictor.forecast()
    assert predictor.expected(90, now=0, ahead=45) is None
    for minute in range(1, 301):
        predictor.observe(60 * minute, None if minute == 50 else 10.0)
    expected = predictor.expected(90, now=60 * 300, ahead=45)
    assert expected is not None and abs(expected - 10) < 0.5
    assert predictor.expected(50, now=60 * 300, ahead=45) is None


def test_what_is_to_be_carried_is_where_a_load_is_heading() -> None:
    predictor = LoadPredictor(60)
    assert predictor.heading() is None
    for sample in range(19 * 120):
        # Half an hour of 20 and half an hour of 60, again and again; a jump takes four samples to show.
        into, high = sample % 120, sample // 120 % 2
        share = min(into + 1, 4) / 4
        predictor.observe(15 * (sample + 1), 60 - 40 * share if not high else 20 + 40 * share)
    now = 15 * 19 * 120
    assert predictor.heading() is None
    predictor.observe(now + 15, 30.0)
    heading = predictor.heading()
    assert heading is not None and 45 < heading < 65
    carried = predictor.to_carry(ScalingPolicy.with_forecast(), 90, now=now + 15, ahead=45)
    assert carried is not None and carried.percent is None and abs(carried.rate - 1.15 * heading) < 0.01
    assert "where it is heading, with headroom" in repr(carried)


def test_bad_input_is_refused_with_every_fault() -> None:
    with pytest.raises(smo.InvalidSamples) as refused:
        LoadSeries([1.0, -1.0, math.nan, math.inf], 60)
    assert len(refused.value.faults) == 3
    with pytest.raises(smo.InvalidSamples, match="not after the one before it"):
        LoadSeries.from_samples([(60, 1.0), (0, 2.0)], 60)
    with pytest.raises(smo.InvalidSamples, match="line 3") as refused:
        LoadSeries.parse("time,value\n0,1\n60,many\n")
    assert refused.value.hints
    with pytest.raises(smo.NotEnoughData, match="too few"):
        forecast(LoadSeries([1.0] * 5, 60), 3, model="holt-winters", period=24)
    with pytest.raises(smo.InvalidSamples, match="quantile"):
        forecast(daily(5), 3, levels=[100])
    with pytest.raises(ValueError, match="there is no model"):
        forecast(daily(5), 3, model="crystal-ball")  # type: ignore[arg-type]
    predictor = LoadPredictor()
    predictor.observe(60, 1.0)
    for at, rate in [(60, 1.0), (75, -1.0)]:
        with pytest.raises(smo.InvalidSamples):
            predictor.observe(at, rate)
    for moment in (math.nan, 1e30, "yesterday"):
        with pytest.raises(ValueError, match="is no moment in time"):
            predictor.observe(moment, 1.0)
    with pytest.raises(TypeError, match="a moment is RFC 3339 text, a datetime or seconds since 1970, not list"):
        predictor.observe([], 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="step"):
        LoadPredictor(-1.0)
