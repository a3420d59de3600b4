//! The Theil-Sen line through what samples say is carried.

use std::collections::BTreeMap;

use super::super::statistics::{at_rank, float, median};
use super::super::{Faults, Throughput};
use super::{
    Interval, Profile, ProfileError, ProfileFault, ProfileOptions, ProfileSample, Refusal, Saturation,
};

/// The normal quantile of a two-sided confidence of 95 %.
const Z: f64 = 1.96;
/// More samples are thinned out evenly: all pairs are looked at.
const MOST_SAMPLES: usize = 2_000;

/// What a sample says about one count of replicas: requests per second at the target utilisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) replicas: u32,
    pub(super) carried: f64,
}

pub(super) fn sample_faults(samples: &[ProfileSample]) -> Vec<ProfileFault> {
    let mut faults = Vec::new();
    for (index, sample) in samples.iter().enumerate() {
        let mut check = |what, value: f64, allowed, sound: bool| {
            if !(value.is_finite() && sound) {
                faults.push(ProfileFault::Value {
                    index,
                    what,
                    value,
                    allowed,
                });
            }
        };
        check("rate", sample.rate, "0 or more", sample.rate >= 0.0);
        match sample.saturation {
            Saturation::Utilisation(share) => {
                check("utilisation", share, "0 to 2", (0.0..=2.0).contains(&share));
            }
            Saturation::Latency {
                milliseconds,
                unloaded_milliseconds,
            } => {
                check("latency", milliseconds, "above 0", milliseconds > 0.0);
                let sound = unloaded_milliseconds > 0.0;
                check("unloaded latency", unloaded_milliseconds, "above 0", sound);
            }
        }
        if sample.replicas == 0 {
            faults.push(ProfileFault::NoReplicas { index });
        }
        if index > 0 && samples.get(index - 1).is_some_and(|before| before.at > sample.at) {
            let at = sample.at;
            faults.push(ProfileFault::Unsorted { index, at });
        }
    }
    faults
}

fn option_faults(options: &ProfileOptions) -> Vec<ProfileFault> {
    let share = |value: f64| value > 0.0 && value <= 1.0;
    let mut faults = Vec::new();
    for (option, value) in [
        ("target", options.target),
        ("least_utilisation", options.least_utilisation),
        ("most_error", options.most_error),
    ] {
        if !share(value) {
            faults.push(ProfileFault::Option {
                option,
                value,
                allowed: "above 0 and at most 1",
            });
        }
    }
    if options.least_samples < 3 {
        faults.push(ProfileFault::Option {
            option: "least_samples",
            value: float(options.least_samples),
            allowed: "3 or more",
        });
    }
    faults
}

/// The samples that are busy enough to tell.
pub(super) fn points(samples: &[ProfileSample], options: &ProfileOptions) -> Vec<Point> {
    let point = |sample: &ProfileSample| {
        let utilisation = sample.saturation.utilisation();
        (utilisation >= options.least_utilisation && sample.rate > 0.0).then(|| Point {
            replicas: sample.replicas,
            carried: sample.rate * options.target / utilisation,
        })
    };
    samples.iter().filter_map(point).collect()
}

pub(super) fn learn(samples: &[ProfileSample], options: &ProfileOptions) -> Result<Profile, ProfileError> {
    let mut faults = option_faults(options);
    faults.extend(sample_faults(samples));
    if !faults.is_empty() {
        return Err(ProfileError::Invalid(Faults(faults)));
    }
    let points = points(samples, options);
    let ignored = samples.len() - points.len();
    let usable = points.len();
    if usable < options.least_samples {
        return Err(ProfileError::Refused(Refusal::TooFew {
            usable,
            needed: options.least_samples,
            ignored,
            least: options.least_utilisation,
        }));
    }
    let stride = usable.div_ceil(MOST_SAMPLES);
    let points: Vec<Point> = points.into_iter().step_by(stride).collect();
    let counts = points.iter().map(|point| point.replicas);
    let few = counts.clone().min().unwrap_or(0);
    let many = counts.max().unwrap_or(0);
    let (alpha, beta) = if options.proportional {
        (
            ratio(&points),
            Interval {
                value: 0.0,
                low: 0.0,
                high: 0.0,
            },
        )
    } else if few == many {
        return Err(ProfileError::Refused(Refusal::OneCount {
            usable,
            replicas: few,
        }));
    } else {
        let alpha = slope(&points);
        (alpha, intercept(&points, alpha.value))
    };
    if alpha.low <= 0.0 {
        return Err(ProfileError::Refused(Refusal::SlopeUnclear {
            low: alpha.low,
            high: alpha.high,
        }));
    }
    let throughput = Throughput::new(alpha.value, beta.value)
        .map_err(|error| ProfileError::Refused(Refusal::NoThroughput(error.to_string())))?;
    let mut profile = Profile {
        throughput,
        alpha,
        beta,
        samples: usable,
        ignored,
        replicas: (few, many),
        error: 0.0,
        options: *options,
    };
    let off = |point: &Point| (point.carried / profile.line(point.replicas) - 1.0).abs();
    let mut errors: Vec<f64> = points.iter().map(off).collect();
    profile.error = median(&mut errors).unwrap_or(f64::INFINITY);
    if profile.error.is_nan() || profile.error > options.most_error {
        return Err(ProfileError::Refused(Refusal::TooNoisy {
            error: profile.error,
            most: options.most_error,
        }));
    }
    Ok(profile)
}

/// The median slope of all pairs of different counts, with Sen's interval: the slopes at the ranks around the middle
/// that Kendall's statistic says, with its variance for tied counts.
fn slope(points: &[Point]) -> Interval {
    let mut slopes = Vec::new();
    for (index, a) in points.iter().enumerate() {
        for b in points.iter().skip(index + 1).filter(|b| b.replicas != a.replicas) {
            slopes.push((b.carried - a.carried) / (f64::from(b.replicas) - f64::from(a.replicas)));
        }
    }
    let mut ties: BTreeMap<u32, usize> = BTreeMap::new();
    for point in points {
        *ties.entry(point.replicas).or_default() += 1;
    }
    let spread = |count: usize| {
        let n = float(count);
        n * (n - 1.0) * (2.0 * n + 5.0)
    };
    let tied: f64 = ties.values().map(|count| spread(*count)).sum();
    let variance = (spread(points.len()) - tied) / 18.0;
    let value = median(&mut slopes).unwrap_or(0.0);
    around_middle(&slopes, value, Z * variance.max(0.0).sqrt())
}

/// The values half of `width` ranks below and above the middle. `sorted` is what `value` is the median of.
fn around_middle(sorted: &[f64], value: f64, width: f64) -> Interval {
    let count = float(sorted.len());
    Interval {
        value,
        low: at_rank(sorted, (count - width) / 2.0 - 1.0),
        high: at_rank(sorted, (count + width) / 2.0),
    }
}

/// The median of what is left beside the slope, with the interval of a median by order statistics.
fn intercept(points: &[Point], alpha: f64) -> Interval {
    let rest = |point: &Point| point.carried - alpha * f64::from(point.replicas);
    let mut rests: Vec<f64> = points.iter().map(rest).collect();
    let value = median(&mut rests).unwrap_or(0.0);
    around_middle(&rests, value, Z * float(rests.len()).sqrt())
}

/// The median of what each replica carries.
fn ratio(points: &[Point]) -> Interval {
    let each = |point: &Point| point.carried / f64::from(point.replicas);
    let mut ratios: Vec<f64> = points.iter().map(each).collect();
    let value = median(&mut ratios).unwrap_or(0.0);
    around_middle(&ratios, value, Z * float(ratios.len()).sqrt())
}
