//! Made-up loads whose future is known.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use rstest::rstest;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

/// Deterministic noise between -1 and 1 (the fractional part of multiples of the golden ratio, scrambled).
fn noise(index: usize) -> f64 {
    let scrambled = (index as f64 * 0.618_033_988_749_895).fract() * 1_000.0;
    (scrambled * scrambled * 0.754_877_666).fract() * 2.0 - 1.0
}

/// A wave of `period` steps around 100, rising by `rise` a step.
fn wave(length: usize, period: usize, rise: f64, spread: f64) -> Vec<Option<f64>> {
    let value = |index: usize| {
        let phase = std::f64::consts::TAU * index as f64 / period as f64;
        100.0 + 60.0 * phase.sin() + rise * index as f64 + spread * noise(index)
    };
    (0..length).map(|index| Some(value(index))).collect()
}

fn series(values: Vec<Option<f64>>) -> LoadSeries {
    LoadSeries::new(Timestamp::UNIX_EPOCH, MINUTE, values).unwrap()
}

#[test]
fn samples_become_a_series_with_gaps() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let samples = [(at(0), 1.0), (at(61), 2.0), (at(85), 4.0), (at(239), 5.0)];
    let series = LoadSeries::from_samples(&samples, MINUTE).unwrap();
    assert_eq!(series.values(), [Some(1.0), Some(3.0), None, None, Some(5.0)]);
    assert_eq!(series.moment(4), at(240));
    assert_eq!(series.until(2).len(), 2);
    assert!(LoadSeries::from_samples(&[], MINUTE).unwrap().is_empty());
}

#[test]
fn every_fault_of_samples_is_told_at_once() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let samples = [(at(0), f64::NAN), (at(60), -2.0), (at(30), 1.0)];
    let error = LoadSeries::from_samples(&samples, Duration::ZERO)
        .unwrap_err()
        .to_string();
    insta::assert_snapshot!(error.replace("; sa", "\nsa"), @"
    the samples are no series: the step is zero
    samples[0] is NaN; a rate is finite and not negative, and a gap is left out
    samples[1] is -2; a rate is finite and not negative, and a gap is left out
    samples[2] is at 1970-01-01T00:00:30Z, not after the one before it; sort them by time
    ");
    let long = [(at(0), 1.0), (at(100_000_000), 1.0)];
    insta::assert_snapshot!(LoadSeries::from_samples(&long, MINUTE).unwrap_err(), @"the samples are no series: from first to last there are 1666668 steps, more than 100000; take a longer step");
    let values = LoadSeries::new(at(0), MINUTE, vec![Some(f64::INFINITY), None, Some(-1.0)]);
    insta::assert_snapshot!(values.unwrap_err(), @"the samples are no series: samples[0] is inf; a rate is finite and not negative, and a gap is left out; samples[2] is -1; a rate is finite and not negative, and a gap is left out");
}

#[rstest]
#[case(wave(400, 24, 0.0, 0.0), Some(24))]
#[case(wave(400, 24, 0.5, 20.0), Some(24))]
#[case(wave(20_160, 1_440, 0.0, 25.0), Some(1_440))]
#[case((0..500).map(|index| Some(100.0 + noise(index))).collect(), None)]
#[case((0..300).map(|index| Some(f64::from(index))).collect(), None)]
#[case(vec![Some(5.0); 200], None)]
#[case(vec![None; 200], None)]
#[case(vec![], None)]
fn seasons_are_found(#[case] history: Vec<Option<f64>>, #[case] period: Option<usize>) {
    let found = detect_season(&history);
    let near = |found: Season, period: usize| found.period.abs_diff(period) <= period / 50;
    match (found, period) {
        (Some(found), Some(period)) => assert!(near(found, period), "{found:?} is not {period}"),
        (found, period) => assert_eq!(found.map(|season| season.period), period),
    }
}

#[test]
fn gaps_do_not_hide_a_season() {
    let mut history = wave(400, 24, 0.0, 5.0);
    for gap in history.iter_mut().skip(50).step_by(3) {
        *gap = None;
    }
    assert_eq!(detect_season(&history).map(|season| season.period), Some(24));
}

#[test]
fn holt_winters_follows_season_and_trend_better_than_repeating() {
    let all = wave(500, 24, 0.3, 6.0);
    let (history, future) = all.split_at(452);
    let model = HoltWinters::fitted(24, history).unwrap();
    let ours = mase(future, &model.forecast(history, 48).unwrap(), history, 24).unwrap();
    let naive = SeasonalNaive::new(24).forecast(history, 48).unwrap();
    let naive = mase(future, &naive, history, 24).unwrap();
    assert!(ours < 0.8 && ours < 0.8 * naive, "{ours} against {naive}");
}

#[test]
fn a_flat_load_with_gaps_stays_flat() {
    let mut history = vec![Some(7.0); 60];
    history[30..50].fill(None);
    for forecast in [
        HoltWinters::fitted(1, &history)
            .unwrap()
            .forecast(&history, 3)
            .unwrap(),
        HoltWinters::fitted(12, &history)
            .unwrap()
            .forecast(&history, 3)
            .unwrap(),
        SeasonalNaive::new(12).forecast(&history, 3).unwrap(),
    ] {
        assert!(
            forecast.iter().all(|value| (value - 7.0).abs() < 1e-9),
            "{forecast:?}"
        );
    }
}

#[test]
fn quantiles_cover_what_they_say() {
    let all = wave(1_200, 24, 0.0, 30.0);
    let model = HoltWinters::fitted(24, &all[..600]).unwrap();
    let (mut covered, mut actual) = (vec![Vec::new(); 3], Vec::new());
    for origin in (600..1_190).step_by(5) {
        let forecast = Forecast::new(&model, &series(all[..origin].to_vec()), 5, &LEVELS).unwrap();
        actual.extend_from_slice(&all[origin..origin + 5]);
        for (covered, quantile) in covered.iter_mut().zip(&forecast.quantiles) {
            covered.extend_from_slice(&quantile.values);
        }
    }
    for (quantile, level) in covered.iter().zip([0.5, 0.9, 0.99]) {
        let share = coverage(&actual, quantile).unwrap();
        assert!((share - level).abs() < 0.05, "{share} of {level}");
        // The real quantile loses less than one that is shifted.
        let loss = |shift: f64| {
            let shifted: Vec<f64> = quantile.iter().map(|value| value + shift).collect();
            pinball_loss(&actual, &shifted, level).unwrap()
        };
        assert!(loss(0.0) < loss(12.0) && loss(0.0) < loss(-12.0));
    }
}

#[test]
fn a_forecast_is_what_a_decision_takes() {
    let model = SeasonalNaive::new(24);
    let forecast = Forecast::new(&model, &series(wave(240, 24, 0.0, 4.0)), 12, &LEVELS).unwrap();
    insta::assert_snapshot!(forecast, @"
    seasonal naive for the 12 steps (720 s) after 1970-01-01T03:59:00Z
      0.50 quantile: 97.827 req/s next, 161.529 at most; from 109 past errors or more
      0.90 quantile: 102.328 req/s next, 165.977 at most; from 109 past errors or more
      0.99 quantile: 105.492 req/s next, 169.255 at most; from 109 past errors or more
    ");
    let expected = forecast.expected(90, Duration::from_secs(150)).unwrap();
    insta::assert_snapshot!(expected, @"132.704754 expected within 3 min (0.90 quantile)");
    let highest = forecast.quantile(90).unwrap().values[..3]
        .iter()
        .copied()
        .fold(0.0, f64::max);
    assert!((expected.rate.to_f64() - highest).abs() < 1e-6);
    assert_eq!(forecast.expected(75, MINUTE), None);
    assert!(forecast.expected(99, MINUTE).unwrap().rate > forecast.expected(50, MINUTE).unwrap().rate);
}

#[derive(Debug)]
struct Nonsense;

impl Forecaster for Nonsense {
    fn name(&self) -> &str {
        "nonsense"
    }

    fn forecast(&self, _: &[Option<f64>], _: usize) -> Result<Vec<f64>, ForecastError> {
        Ok(vec![f64::NAN])
    }
}

#[test]
fn what_cannot_be_forecast_is_said() {
    let short = series(wave(30, 24, 0.0, 0.0));
    let naive = SeasonalNaive::new(24);
    let mut texts = vec![
        Forecast::new(&naive, &short, 3, &LEVELS).unwrap_err().to_string(),
        Forecast::new(&naive, &short, 0, &LEVELS).unwrap_err().to_string(),
        Forecast::new(&naive, &short, 3, &[50, 100])
            .unwrap_err()
            .to_string(),
        Forecast::new(&Nonsense, &short, 3, &LEVELS)
            .unwrap_err()
            .to_string(),
        HoltWinters::fitted(24, short.values()).unwrap_err().to_string(),
        naive.forecast(&[None; 24], 1).unwrap_err().to_string(),
        HoltWinters::fitted(2, &[None; 24]).unwrap_err().to_string(),
    ];
    let smoothing = Smoothing {
        trend: f64::NAN,
        ..Smoothing::default()
    };
    texts.push(HoltWinters::new(1, smoothing).unwrap_err().to_string());
    texts.push(mase(&[Some(1.0)], &[1.0, 2.0], &[], 1).unwrap_err().to_string());
    texts.push(
        mase(&[Some(1.0)], &[1.0], &[Some(2.0), Some(2.0)], 1)
            .unwrap_err()
            .to_string(),
    );
    texts.push(coverage(&[None], &[1.0]).unwrap_err().to_string());
    texts.push(pinball_loss(&[Some(1.0)], &[1.0], 1.5).unwrap_err().to_string());
    texts.push(
        pinball_loss(&[Some(1.0)], &[f64::NAN], 0.5)
            .unwrap_err()
            .to_string(),
    );
    insta::assert_snapshot!(texts.join("\n"), @"
    30 steps of history are too few for the quantiles of seasonal naive; 34 or more are needed
    the horizon is zero steps
    a quantile of 100 % is none; it is between 1 and 99
    the model `nonsense` did not give 3 finite values
    30 steps of history are too few for Holt-Winters; 48 or more are needed
    the history has no sample at all
    the history has no sample at all
    the smoothing of the trend is NaN, and has to be between 0 and 1
    no accuracy: the lists have unlike lengths
    no accuracy: the history never changes from season to season
    no accuracy: there is nothing to compare with
    no accuracy: the level is not between 0 and 1
    no accuracy: a value is no finite number
    ");
}

#[test]
fn the_pinball_loss_is_hand_worked() {
    // One above by 2 (costs 0.9 * 2), one below by 1 (costs 0.1 * 1).
    let loss = pinball_loss(&[Some(12.0), Some(9.0), None], &[10.0, 10.0, 0.0], 0.9).unwrap();
    assert!((loss - 0.95).abs() < 1e-12);
}

proptest! {
    #[test]
    fn models_keep_their_contract(
        values in proptest::collection::vec(proptest::option::weighted(0.8, 0.0..1e6_f64), 1..80),
        period in 0..20_usize,
        horizon in 1..30_usize,
    ) {
        let fitted = HoltWinters::fitted(period, &values);
        let mut models: Vec<Box<dyn Forecaster>> = vec![Box::new(SeasonalNaive::new(period))];
        if let Ok(model) = fitted {
            models.push(Box::new(model));
        }
        for model in [SeasonalModel::Naive, SeasonalModel::HoltWinters] {
            models.push(Box::new(AutoForecaster::new(model, None)));
        }
        for model in models {
            if let Ok(forecast) = model.forecast(&values, horizon) {
                prop_assert_eq!(forecast.len(), horizon);
                prop_assert!(forecast.iter().all(|value| value.is_finite() && *value >= 0.0));
            }
        }
        let _ = detect_season(&values);
    }
}

#[test]
fn a_model_that_learns_is_the_one_it_finds() {
    let history = series(wave(600, 60, 0.0, 4.0));
    let forecast = |model: &dyn Forecaster| Forecast::new(model, &history, 5, &LEVELS).unwrap();
    let found = AutoForecaster::new(SeasonalModel::HoltWinters, None);
    let given = AutoForecaster::new(SeasonalModel::HoltWinters, Some(60));
    let fitted = HoltWinters::fitted(60, history.values()).unwrap();
    assert_eq!(forecast(&found), forecast(&fitted));
    assert_eq!(forecast(&given), forecast(&fitted));
    let naive = AutoForecaster::new(SeasonalModel::Naive, None);
    assert_eq!(forecast(&naive), forecast(&SeasonalNaive::new(60)));
    // A history without a season is repeated from one step to the next.
    let flat = series(vec![Some(5.0); 40]);
    assert_eq!(naive.forecast(flat.values(), 3).unwrap(), [5.0; 3]);
}

#[test]
fn a_rolling_forecast_finds_the_season_and_covers_what_it_says() {
    let values = wave(80 * 24, 24, 0.0, 12.0);
    let mut rolling = RollingForecast::new(Timestamp::UNIX_EPOCH, MINUTE, RollingOptions::default()).unwrap();
    insta::assert_snapshot!(rolling.forecast().unwrap_err(), @"the history has no sample at all");
    for value in &values[..11] {
        rolling.push(*value).unwrap();
    }
    insta::assert_snapshot!(rolling.forecast().unwrap_err(), @"11 steps of history are too few for the quantiles of a rolling forecast; 23 or more are needed");
    for value in &values[11..] {
        rolling.push(*value).unwrap();
    }
    assert!(
        rolling.season().unwrap().period.abs_diff(24) <= 1,
        "{:?}",
        rolling.season()
    );
    assert_eq!((rolling.len(), rolling.is_empty()), (values.len(), false));
    let options = BacktestOptions {
        horizon: 3,
        period: 24,
        first: Some(30 * 24),
        ..BacktestOptions::default()
    };
    let report = backtest_rolling(&RollingOptions::default(), &series(values), &options).unwrap();
    assert!(report.mase < 0.9, "{report}");
    for score in &report.quantiles {
        let wanted = f64::from(score.percent) / 100.0;
        assert!((score.coverage - wanted).abs() < 0.02, "{report}");
    }
}

#[test]
fn gaps_and_shifts_do_not_break_a_rolling_forecast() {
    // The level trebles in the middle; an hour is missing. Coverage is right in the long run all the same.
    let mut values = wave(3_000, 120, 0.0, 10.0);
    for value in &mut values[1_500..] {
        *value = value.map(|value| 3.0 * value);
    }
    values[700..760].fill(None);
    let options = BacktestOptions {
        horizon: 2,
        first: Some(600),
        ..BacktestOptions::default()
    };
    let report = backtest_rolling(&RollingOptions::default(), &series(values), &options).unwrap();
    let covered: Vec<f64> = report.quantiles.iter().map(|score| score.coverage).collect();
    for (covered, wanted) in covered.iter().zip([0.5, 0.9, 0.99]) {
        assert!((covered - wanted).abs() < 0.03, "{report}");
    }
}

#[test]
fn a_backtest_forecasts_from_what_was_known_only() {
    #[derive(Debug)]
    struct Last;
    impl Forecaster for Last {
        fn name(&self) -> &str {
            "last"
        }
        fn forecast(&self, history: &[Option<f64>], horizon: usize) -> Result<Vec<f64>, ForecastError> {
            Ok(vec![history.last().copied().flatten().unwrap_or(0.0); horizon])
        }
    }
    // 0 1 2 3 ...: one step ahead is 1 off, two steps 2, and so is history from step to step 1.
    let line: Vec<Option<f64>> = (0..40).map(|index| Some(f64::from(index))).collect();
    let options = BacktestOptions {
        horizon: 2,
        levels: vec![50],
        first: Some(30),
        stride: 4,
        ..BacktestOptions::default()
    };
    let report = backtest(&Last, &series(line.clone()), &options).unwrap();
    // Errors are 1 and 2 always, so the quantile is exact: nothing is lost, and all is covered.
    assert_eq!((report.origins, report.compared, report.mase), (3, 6, 1.5));
    assert_eq!(
        (report.quantiles[0].pinball_loss, report.quantiles[0].coverage),
        (0.0, 1.0)
    );
    insta::assert_snapshot!(report, @"
    last: 3 forecasts of 2 steps, 6 values
      mean absolute scaled error 1.500
      0.50 quantile: pinball loss 0.0000 req/s, covers 100.0 %
    ");
    let refused = |options: BacktestOptions| {
        backtest(&Last, &series(line.clone()), &options)
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(refused(BacktestOptions { first: Some(39), ..options.clone() }), @"40 steps of history are too few for a backtest; 41 or more are needed");
    insta::assert_snapshot!(refused(BacktestOptions { first: Some(5), ..options.clone() }), @"5 steps of history are too few for the quantiles of last; 12 or more are needed");
    insta::assert_snapshot!(refused(BacktestOptions { horizon: 0, ..options.clone() }), @"the horizon is zero steps");
    insta::assert_snapshot!(refused(BacktestOptions { levels: vec![0], ..options }), @"a quantile of 0 % is none; it is between 1 and 99");
}

#[test]
fn a_predictor_puts_samples_into_steps() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let mut predictor = LoadPredictor::new(MINUTE, RollingOptions::default()).unwrap();
    for second in (15..=3_600).step_by(15) {
        predictor
            .observe(at(second), Some(if second <= 1_800 { 10.0 } else { 20.0 }))
            .unwrap();
    }
    let expected = |predictor: &LoadPredictor, now: i64, ahead: u64| {
        predictor
            .expected(50, at(now), Duration::from_secs(ahead))
            .map(|expected| expected.rate.to_f64())
    };
    let next = expected(&predictor, 3_600, 45).unwrap();
    assert!((next - 20.0).abs() < 1.0, "{next}");
    // The forecast of the step that begins at 3600 serves until there is a newer one; after the horizon there is none.
    assert!(expected(&predictor, 3_659, 1).is_some() && expected(&predictor, 3_719, 1).is_some());
    assert_eq!(expected(&predictor, 3_720, 1), None);
    assert_eq!(predictor.expected(75, at(3_600), MINUTE), None);
    // Silence makes gaps, and a long one a new beginning.
    predictor.observe(at(3_960), None).unwrap();
    assert!(expected(&predictor, 3_960, 45).is_some());
    predictor.observe(at(100_000_000), Some(5.0)).unwrap();
    assert_eq!(expected(&predictor, 100_000_000, 45), None);
    insta::assert_snapshot!(predictor.observe(at(5), Some(1.0)).unwrap_err(), @"the samples are no series: samples[0] is at 1970-01-01T00:00:05Z, not after the one before it; sort them by time");
    insta::assert_snapshot!(predictor.observe(at(100_000_015), Some(-1.0)).unwrap_err(), @"the samples are no series: samples[0] is -1; a rate is finite and not negative, and a gap is left out");
}

#[test]
fn what_is_to_be_carried_is_where_a_load_is_heading() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let policy = crate::scaling::ScalingPolicy::with_forecast();
    let ahead = Duration::from_secs(45);
    let mut predictor = LoadPredictor::new(MINUTE, RollingOptions::default()).unwrap();
    // Ten minutes of 20 and ten of 60, measured over a minute, again and again.
    let rate = |second: i64| {
        if second.div_euclid(600) % 2 == 0 {
            20.0
        } else {
            60.0
        }
    };
    let measured = |second: i64| (0..4).map(|tick| rate(second - 15 * tick - 1)).sum::<f64>() / 4.0;
    for second in (15..=12_615).step_by(15) {
        predictor.observe(at(second), Some(measured(second))).unwrap();
    }
    // A quarter of the minute saw 60.
    assert_eq!(measured(12_615), 30.0);
    let heading = predictor.heading().unwrap().to_f64();
    assert!((45.0..65.0).contains(&heading), "{heading}");
    let carried = predictor.to_carry(&policy, 90, at(12_615), ahead).unwrap();
    assert_eq!((carried.percent, carried.seconds), (None, 45));
    assert!((carried.rate.to_f64() - 1.15 * heading).abs() < 0.01, "{carried}");
    // What was measured more than a step ago leads nowhere now.
    let later = predictor.to_carry(&policy, 90, at(12_676), ahead);
    assert_ne!(later.and_then(|load| load.percent), None);
    // After a pause changes begin anew.
    predictor.observe(at(12_700), Some(60.0)).unwrap();
    assert_eq!(predictor.heading(), None);
}

#[test]
fn rolling_options_that_make_no_sense_are_refused() {
    let refused = |step: Duration, options: RollingOptions| {
        let error = RollingForecast::new(Timestamp::UNIX_EPOCH, step, options).unwrap_err();
        error.to_string()
    };
    let usual = RollingOptions::default;
    insta::assert_snapshot!(refused(Duration::ZERO, usual()), @"the samples are no series: the step is zero");
    insta::assert_snapshot!(refused(MINUTE, RollingOptions { horizon: 0, ..usual() }), @"the horizon is zero steps");
    insta::assert_snapshot!(refused(MINUTE, RollingOptions { levels: vec![100], ..usual() }), @"a quantile of 100 % is none; it is between 1 and 99");
    insta::assert_snapshot!(refused(MINUTE, RollingOptions { errors: 9, ..usual() }), @"9 steps of history are too few for its quantiles; 10 or more are needed");
    insta::assert_snapshot!(refused(MINUTE, RollingOptions { history: 0, ..usual() }), @"0 steps of history are too few for a rolling forecast; 10 or more are needed");
}
