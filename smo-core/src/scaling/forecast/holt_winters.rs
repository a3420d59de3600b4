//! Additive Holt-Winters smoothing with a damped trend.

use super::super::statistics::float;
use super::{ForecastError, Forecaster};

/// Level, damped trend and additive season, each smoothed exponentially. A gap changes nothing but the time.
///
/// Formulas: R. J. Hyndman and G. Athanasopoulos, *Forecasting: principles and practice*, 3rd edition, section 8.3
/// (<https://otexts.com/fpp3/holt-winters.html>); damping: E. S. Gardner and E. McKenzie, *Forecasting trends in time
/// series*, Management Science 31, 1985. Own code, since the crates that have it bring random number generators or large
/// linear algebra, which a pure and small core does not want.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HoltWinters {
    period: usize,
    smoothing: Smoothing,
}

/// How fast each part follows the values, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Smoothing {
    /// Of the level.
    pub level: f64,
    /// Of the trend.
    pub trend: f64,
    /// Of the season.
    pub season: f64,
    /// How much of the trend is left after a step.
    pub damping: f64,
}

impl Default for Smoothing {
    fn default() -> Self {
        Self {
            level: 0.3,
            trend: 0.02,
            season: 0.1,
            damping: 0.98,
        }
    }
}

/// Where smoothing stands after some of a history.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    level: f64,
    trend: f64,
    season: Vec<f64>,
    /// How many steps it has seen.
    seen: usize,
}

impl HoltWinters {
    pub(super) const NAME: &str = "Holt-Winters";

    /// A model with a season of `period` steps (1: no season) and given smoothing.
    ///
    /// # Errors
    /// [`ForecastError::Smoothing`] for a parameter that is not between 0 and 1.
    pub fn new(period: usize, smoothing: Smoothing) -> Result<Self, ForecastError> {
        for (name, value) in [
            ("level", smoothing.level),
            ("trend", smoothing.trend),
            ("season", smoothing.season),
            ("damping", smoothing.damping),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(ForecastError::Smoothing { name, value });
            }
        }
        let period = period.max(1);
        Ok(Self { period, smoothing })
    }

    /// A model whose smoothing makes the smallest absolute errors one step ahead over `history`, of a fixed grid.
    ///
    /// # Errors
    /// [`ForecastError::TooShort`] for less than two seasons.
    pub fn fitted(period: usize, history: &[Option<f64>]) -> Result<Self, ForecastError> {
        const LEVEL: [f64; 5] = [0.05, 0.15, 0.3, 0.5, 0.8];
        const TREND: [f64; 3] = [0.0, 0.02, 0.1];
        const SEASON: [f64; 3] = [0.05, 0.15, 0.4];
        let mut best = Self::new(period, Smoothing::default())?;
        let mut least = best.errors(history)?;
        let seasons: &[f64] = if period > 1 { &SEASON } else { &[0.0] };
        for level in LEVEL {
            for trend in TREND {
                for season in seasons {
                    let smoothing = Smoothing {
                        level,
                        trend,
                        season: *season,
                        ..Smoothing::default()
                    };
                    let model = Self { smoothing, ..best };
                    let errors = model.errors(history)?;
                    if errors < least {
                        (best, least) = (model, errors);
                    }
                }
            }
        }
        Ok(best)
    }

    /// The smoothing.
    #[must_use]
    pub const fn smoothing(&self) -> Smoothing {
        self.smoothing
    }

    /// The first state, from the first two seasons: their means give level and trend, deviations from them the season.
    fn first(&self, history: &[Option<f64>]) -> Result<State, ForecastError> {
        let needed = 2 * self.period;
        let (Some(one), Some(two)) = (history.get(..self.period), history.get(self.period..needed)) else {
            return Err(ForecastError::TooShort {
                model: self.name().to_owned(),
                have: history.len(),
                needed,
            });
        };
        let mean = |values: &[Option<f64>]| {
            let count = values.iter().flatten().count();
            (count > 0).then(|| values.iter().flatten().sum::<f64>() / float(count))
        };
        let (level, later) = match (mean(one), mean(two)) {
            (Some(one), Some(two)) => (one, two),
            (Some(only), None) | (None, Some(only)) => (only, only),
            (None, None) => match mean(history) {
                Some(mean) => (mean, mean),
                None => return Err(ForecastError::NoSample),
            },
        };
        let deviation = |(one, two): (&Option<f64>, &Option<f64>)| match (one, two) {
            (Some(one), Some(two)) => f64::midpoint(one - level, two - later),
            (Some(one), None) => one - level,
            (None, Some(two)) => two - later,
            (None, None) => 0.0,
        };
        let season = if self.period > 1 {
            one.iter().zip(two).map(deviation).collect()
        } else {
            vec![0.0]
        };
        Ok(State {
            level,
            trend: (later - level) / float(self.period),
            season,
            seen: 0,
        })
    }

    /// Takes one more value, and gives what was forecast for it.
    pub(super) fn advance(&self, state: &mut State, value: Option<f64>) -> f64 {
        let Smoothing {
            level: fast,
            trend: turn,
            season: change,
            damping,
        } = self.smoothing;
        let ahead = state.level + damping * state.trend;
        let phase = state.seen % self.period;
        state.seen += 1;
        let Some(season) = state.season.get_mut(phase) else {
            return ahead;
        };
        let forecast = ahead + *season;
        if let Some(value) = value {
            let level = fast * (value - *season) + (1.0 - fast) * ahead;
            state.trend = turn * (level - state.level) + (1.0 - turn) * damping * state.trend;
            *season = change * (value - ahead) + (1.0 - change) * *season;
            state.level = level;
        } else {
            state.level = ahead;
            state.trend *= damping;
        }
        forecast
    }

    /// The next values after a state.
    pub(super) fn ahead<'a>(&self, state: &'a State) -> impl Iterator<Item = f64> + 'a {
        let damping = self.smoothing.damping;
        let (mut level, mut trend) = (state.level, state.trend);
        let phases = state.season.iter().cycle().skip(state.seen % self.period);
        phases.map(move |season| {
            trend *= damping;
            level += trend;
            // A load is not negative.
            (level + season).max(0.0)
        })
    }

    /// The state after a history.
    pub(super) fn after(&self, history: &[Option<f64>]) -> Result<State, ForecastError> {
        self.run(history, |_, _| {})
    }

    /// Runs over the history; `seen` gets every value with what was forecast for it one step before.
    fn run(&self, history: &[Option<f64>], mut seen: impl FnMut(f64, f64)) -> Result<State, ForecastError> {
        let mut state = self.first(history)?;
        for value in history {
            let forecast = self.advance(&mut state, *value);
            if let Some(value) = value {
                seen(*value, forecast);
            }
        }
        Ok(state)
    }

    /// The sum of absolute errors one step ahead, the first two seasons aside.
    fn errors(&self, history: &[Option<f64>]) -> Result<f64, ForecastError> {
        self.errors_after(2 * self.period, history)
    }

    /// The sum of absolute errors one step ahead, those of the first `first` values aside.
    pub(super) fn errors_after(&self, first: usize, history: &[Option<f64>]) -> Result<f64, ForecastError> {
        let (mut index, mut sum) = (0, 0.0);
        self.run(history, |value, ahead| {
            if index >= first {
                sum += (value - ahead).abs();
            }
            index += 1;
        })?;
        Ok(sum)
    }
}

impl Forecaster for HoltWinters {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn forecast(&self, history: &[Option<f64>], horizon: usize) -> Result<Vec<f64>, ForecastError> {
        let state = self.after(history)?;
        Ok(self.ahead(&state).take(horizon).collect())
    }
}
