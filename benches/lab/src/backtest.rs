//! `cargo xtask backtest`: how good forecasts of a load would have been.

use clap::Args;
use serde_json::json;
use smo_core::scaling::{
    Backtest, BacktestOptions, ForecastError, HoltWinters, LoadSeries, RollingOptions, SeasonalNaive,
    backtest, backtest_rolling, detect_season,
};

use crate::load::LoadOptions;
use crate::solve::Fault;

/// Which load, and what is forecast.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct BacktestArguments {
    /// The load.
    #[command(flatten)]
    pub load: LoadOptions,
    /// How many steps ahead.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub horizon: u16,
    /// The season, in steps; found in the first half of the load when not said.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub period: Option<u32>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The most forecasts of a model that forecasts anew each time.
pub(crate) const MOST_ORIGINS: usize = 200;

/// Forecasts the second half of a load with every model.
///
/// # Errors
/// What the models say.
pub fn compare(load: &LoadSeries, period: usize, horizon: usize) -> Result<Vec<Backtest>, ForecastError> {
    let half = load.len() / 2;
    let options = BacktestOptions {
        horizon,
        period,
        first: Some(half),
        stride: half.div_ceil(MOST_ORIGINS).max(1),
        ..BacktestOptions::default()
    };
    let learned = load.values().get(..half).unwrap_or_default();
    Ok(vec![
        backtest(&SeasonalNaive::new(period), load, &options)?,
        backtest(&HoltWinters::fitted(period, learned)?, load, &options)?,
        backtest_rolling(
            &RollingOptions::default(),
            load,
            &BacktestOptions { stride: 1, ..options },
        )?,
    ])
}

impl BacktestArguments {
    /// What is printed.
    ///
    /// # Errors
    /// As [`LoadOptions::read`], and [`Fault::Refused`] where the load is too short.
    pub fn run(&self) -> Result<String, Fault> {
        let load = self.load.read()?;
        let learned = load.values().get(..load.len() / 2).unwrap_or_default();
        let season = detect_season(learned);
        let found = season.map_or(1, |season| season.period);
        let period = self
            .period
            .and_then(|period| usize::try_from(period).ok())
            .unwrap_or(found);
        let reports = compare(&load, period, usize::from(self.horizon)).map_err(|error| Fault::Refused {
            what: self.load.file.display().to_string(),
            why: error.to_string(),
            hint: "a longer load, or a shorter --period or --horizon".to_owned(),
        })?;
        if self.json {
            return Ok(format!("{}\n", json!({"season": season, "models": reports})));
        }
        let mut text = match season {
            Some(season) => format!(
                "season of {} steps, strength {:.2}\n",
                season.period, season.strength
            ),
            None => "no season\n".to_owned(),
        };
        for report in &reports {
            text.push_str(&report.to_string());
        }
        Ok(text)
    }
}
