//! Whether a profile still holds: the sign test on newer samples.

use std::fmt;

use serde::Serialize;

use super::super::Faults;
use super::super::statistics::{float, median};
use super::fit::{Point, points, sample_faults};
use super::{Profile, ProfileError, ProfileSample};

/// How many newer samples it takes.
const LEAST_SAMPLES: usize = 8;
/// A shift this rare by chance is one.
const SIGNIFICANCE: f64 = 0.01;
/// A shift below this share changes no decision worth having.
const LEAST_SHIFT: f64 = 0.05;

/// What newer samples say about a profile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "drift")]
pub enum Drift {
    /// Too few of them are busy enough to tell.
    Unknown {
        /// How many are.
        usable: usize,
        /// How many it takes.
        needed: usize,
    },
    /// They agree.
    None {
        /// The median of what they carry more than the profile says, as a share.
        shift: f64,
    },
    /// Replicas carry more or less than the profile says: learn it again.
    Drifted {
        /// The median of what they carry more than the profile says, as a share.
        shift: f64,
        /// How likely so one-sided a deviation is by chance.
        chance: f64,
    },
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { usable, needed } => write!(
                f,
                "unknown: {usable} newer samples are busy enough to tell, {needed} are needed"
            ),
            Self::None { shift } => write!(f, "the profile holds ({:+.1} %)", shift * 100.0),
            Self::Drifted { shift, chance } => {
                let direction = if *shift < 0.0 { "less" } else { "more" };
                write!(
                    f,
                    "replicas carry {:.0} % {direction} than the profile says (by chance in {chance:.1e} of cases): learn it again",
                    shift.abs() * 100.0
                )
            }
        }
    }
}

pub(super) fn drift(profile: &Profile, newer: &[ProfileSample]) -> Result<Drift, ProfileError> {
    let faults = sample_faults(newer);
    if !faults.is_empty() {
        return Err(ProfileError::Invalid(Faults(faults)));
    }
    let points = points(newer, &profile.options);
    if points.len() < LEAST_SAMPLES {
        return Ok(Drift::Unknown {
            usable: points.len(),
            needed: LEAST_SAMPLES,
        });
    }
    let relative = |point: &Point| point.carried / profile.line(point.replicas) - 1.0;
    let mut shifts: Vec<f64> = points.iter().map(relative).collect();
    let above = shifts.iter().filter(|shift| **shift > 0.0).count();
    let shift = median(&mut shifts).unwrap_or(0.0);
    let chance = sign_test(above, shifts.len());
    Ok(if shift.abs() > LEAST_SHIFT && chance < SIGNIFICANCE {
        Drift::Drifted { shift, chance }
    } else {
        Drift::None { shift }
    })
}

/// How likely a fair coin falls as one-sidedly as `heads` of `throws`, or more so.
fn sign_test(heads: usize, throws: usize) -> f64 {
    let few = heads.min(throws - heads);
    // Binomial probabilities by their logarithms: powers of two below 2^-1000 would vanish.
    let mut logarithm = -float(throws) * std::f64::consts::LN_2;
    let mut tail = logarithm.exp();
    for successes in 1..=few {
        logarithm += (float(throws - successes + 1) / float(successes)).ln();
        tail += logarithm.exp();
    }
    (2.0 * tail).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_test_is_the_binomial_tail() {
        // Hand-worked: 2 * (1 + 8) / 256, and all of it in the middle.
        assert!((sign_test(1, 8) - 18.0 / 256.0).abs() < 1e-12);
        assert!((sign_test(7, 8) - 18.0 / 256.0).abs() < 1e-12);
        assert_eq!(sign_test(4, 8), 1.0);
        assert!(sign_test(2_000, 4_000) > 0.9);
        assert!(sign_test(1_800, 4_000) < 1e-8);
    }
}
