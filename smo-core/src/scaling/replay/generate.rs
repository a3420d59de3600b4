//! Loads that are made: days, week-ends, noise and spikes, the same for the same seed.

use std::time::Duration;

use jiff::Timestamp;

use crate::random::Random;
use crate::scaling::statistics::float;
use crate::scaling::{ForecastError, LoadSeries};

/// A load to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct GeneratedLoad {
    /// What chance begins with.
    pub seed: u64,
    /// How many days; 14.
    pub days: u32,
    /// From one value to the next; 60 s.
    pub step: Duration,
    /// The mean without spikes, in requests per second; 100.
    pub mean: f64,
    /// How much more than the mean it is at 14 h, and less at 2 h, as a share; 0.6.
    pub daily: f64,
    /// How much less than on other days it is on the last two of seven, as a share; 0.3.
    pub weekend: f64,
    /// The standard deviation of every value, as a share; 0.08.
    pub noise: f64,
    /// How many spikes a day, about; 2.
    pub spikes: f64,
    /// How much a spike adds at most, in means; 1.
    pub spike_height: f64,
    /// How long a spike takes to come and go; 30 min.
    pub spike_length: Duration,
}

impl Default for GeneratedLoad {
    fn default() -> Self {
        Self {
            seed: 1,
            days: 14,
            step: Duration::from_secs(60),
            mean: 100.0,
            daily: 0.6,
            weekend: 0.3,
            noise: 0.08,
            spikes: 2.0,
            spike_height: 1.0,
            spike_length: Duration::from_secs(1800),
        }
    }
}

const DAY: f64 = 86_400.0;

impl GeneratedLoad {
    /// The load, from 1970 on.
    ///
    /// # Errors
    /// As [`LoadSeries::new`], for a mean that is no rate too.
    pub fn series(&self) -> Result<LoadSeries, ForecastError> {
        let step = self.step.as_secs_f64();
        let mut random = Random::new(self.seed);
        // A spike has a fifth of its time to rise.
        let length = self.spike_length.as_secs_f64() / step.max(f64::MIN_POSITIVE);
        let mut spikes: Vec<(f64, f64)> = Vec::new();
        let mut values = Vec::new();
        // One step too many already makes the series refuse itself.
        let count = (f64::from(self.days) * DAY / step).clamp(0.0, 200_000.0);
        for index in 0_u32..200_000 {
            if f64::from(index) >= count {
                break;
            }
            let second = f64::from(index) * step;
            let phase = std::f64::consts::TAU * (second / DAY - 14.0 / 24.0);
            let day = second / DAY;
            let rest = if day.rem_euclid(7.0) >= 5.0 {
                1.0 - self.weekend
            } else {
                1.0
            };
            let steady = self.mean * rest * (1.0 + self.daily * phase.cos());
            if random.share() < self.spikes * step / DAY {
                spikes.push((f64::from(index), 0.5 + 0.5 * random.share()));
            }
            spikes.retain(|(begun, _)| f64::from(index) - begun < 5.0 * length);
            let spiked: f64 = spikes
                .iter()
                .map(|(begun, height)| height * spike(f64::from(index) - begun, length))
                .sum();
            let value =
                (steady + self.mean * self.spike_height * spiked) * (1.0 + self.noise * normal(&mut random));
            // What is no number stays so, and is refused.
            values.push(Some(if value < 0.0 { 0.0 } else { value }));
        }
        LoadSeries::new(Timestamp::UNIX_EPOCH, self.step, values)
    }
}

/// A spike, 0 to 1: it rises in a fifth of its length, and falls by half in every next fifth.
fn spike(age: f64, length: f64) -> f64 {
    let fifth = (length / 5.0).max(1.0);
    if age < fifth {
        (age + 1.0) / (fifth + 1.0)
    } else {
        0.5_f64.powf((age - fifth) / fifth)
    }
}

/// About normal: twelve shares less six.
fn normal(random: &mut Random) -> f64 {
    let twelve: f64 = (0..12).map(|_| random.share()).sum();
    twelve - float(6)
}
