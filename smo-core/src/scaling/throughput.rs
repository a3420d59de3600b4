//! How much load a number of replicas carries: a straight line.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::units::Rate;

/// `capacity(r) = alpha * r + beta` requests per second, for `r >= 1` replicas. No replica carries nothing.
///
/// `beta` is often negative: what the replicas lose to coordination.
///
/// ```
/// use smo_core::scaling::Throughput;
/// use smo_core::units::Rate;
/// let noise_reduction = Throughput::new(0.533, -0.416)?;
/// assert_eq!(noise_reduction.capacity(3).to_string(), "1.183 req/s");
/// assert_eq!(noise_reduction.needed(Rate::from_base(1_000_000)), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Throughput {
    /// What one more replica adds; more than zero.
    pub alpha: Rate,
    /// What is there, or missing, whatever the number of replicas.
    pub beta: Rate,
}

/// Why two numbers are no throughput.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum ThroughputError {
    /// One more replica has to add something.
    #[error("alpha is {0}; one more replica has to carry more, so it is above zero")]
    AlphaNotPositive(f64),
    /// Not a number, an infinity, or beyond 9 * 10^12 req/s.
    #[error("{name} is {value}, which is no rate")]
    NotARate {
        /// `alpha` or `beta`.
        name: &'static str,
        /// What was given.
        value: f64,
    },
}

impl Throughput {
    /// From numbers of requests per second, rounded to a millionth.
    ///
    /// # Errors
    /// When one is no finite rate, or `alpha` is not above zero.
    pub fn new(alpha: f64, beta: f64) -> Result<Self, ThroughputError> {
        let rate = |name, value| Rate::from_f64(value).ok_or(ThroughputError::NotARate { name, value });
        let alpha_rate = rate("alpha", alpha)?;
        if alpha_rate <= Rate::ZERO {
            return Err(ThroughputError::AlphaNotPositive(alpha));
        }
        Ok(Self {
            alpha: alpha_rate,
            beta: rate("beta", beta)?,
        })
    }

    /// What `replicas` carry, never below zero; stops at the largest rate.
    #[must_use]
    pub fn capacity(self, replicas: u32) -> Rate {
        if replicas == 0 {
            return Rate::ZERO;
        }
        let micro = i128::from(self.alpha.base()) * i128::from(replicas) + i128::from(self.beta.base());
        Rate::from_base(i64::try_from(micro.max(0)).unwrap_or(i64::MAX))
    }

    /// The fewest replicas that carry `load`: `ceil((load - beta) / alpha)`, 0 for no load and at least 1 otherwise.
    /// `None` when more than `u32::MAX` are needed, or `alpha` is not above zero.
    #[must_use]
    pub fn needed(self, load: Rate) -> Option<u32> {
        if load <= Rate::ZERO {
            return Some(0);
        }
        let alpha = i128::from(self.alpha.base());
        if alpha <= 0 {
            return None;
        }
        let missing = i128::from(load.base()) - i128::from(self.beta.base());
        let replicas = missing.div_euclid(alpha) + i128::from(missing.rem_euclid(alpha) > 0);
        u32::try_from(replicas.max(1)).ok()
    }
}

impl fmt::Display for Throughput {
    /// As a formula of `r`: `0.533 r - 0.416`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} r", self.alpha.decimal())?;
        match self.beta.base() {
            0 => Ok(()),
            below if below < 0 => {
                let magnitude = Rate::from_base(below.saturating_neg());
                write!(f, " - {}", magnitude.decimal())
            }
            _ => write!(f, " + {}", self.beta.decimal()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(30.0, 10.0, "50", 2)]
    #[case(25.0, 5.0, "80", 3)]
    #[case(0.1, 0.0, "0.3", 3)] // 0.1 + 0.1 + 0.1 > 0.3 in binary floating point
    #[case(0.533, -0.416, "10", 20)]
    #[case(1.0, 100.0, "1", 1)] // no replica carries nothing, whatever beta says
    #[case(1.0, -5.0, "0", 0)]
    #[case(1.0, 0.0, "1.000001", 2)]
    fn the_fewest_replicas(#[case] alpha: f64, #[case] beta: f64, #[case] load: &str, #[case] needed: u32) {
        let throughput = Throughput::new(alpha, beta).unwrap();
        assert_eq!(
            throughput.needed(Rate::parse_decimal(load).unwrap()),
            Some(needed)
        );
    }

    #[test]
    fn numbers_that_are_no_throughput_are_refused() {
        let refused = |alpha, beta| Throughput::new(alpha, beta).unwrap_err().to_string();
        insta::assert_snapshot!(refused(0.0, 1.0), @"alpha is 0; one more replica has to carry more, so it is above zero");
        insta::assert_snapshot!(refused(f64::NAN, 1.0), @"alpha is NaN, which is no rate");
        insta::assert_snapshot!(refused(1.0, f64::INFINITY), @"beta is inf, which is no rate");
        insta::assert_snapshot!(refused(-2.0, 1.0), @"alpha is -2; one more replica has to carry more, so it is above zero");
        let huge = Throughput::new(1e-6, 0.0).unwrap();
        assert_eq!(huge.needed(Rate::from_base(i64::MAX)), None);
    }

    #[test]
    fn it_reads_as_a_formula() {
        assert_eq!(Throughput::new(110.0, -30.0).unwrap().to_string(), "110 r - 30");
        assert_eq!(Throughput::new(1.5, 0.0).unwrap().to_string(), "1.5 r");
        assert_eq!(Throughput::new(1.0, 2.5).unwrap().to_string(), "1 r + 2.5");
    }

    proptest! {
        #[test]
        fn needed_is_enough_and_one_fewer_is_not(alpha in 1_i64..100_000_000, beta in -50_000_000_i64..50_000_000, load in 1_i64..10_000_000_000) {
            let throughput = Throughput { alpha: Rate::from_base(alpha), beta: Rate::from_base(beta) };
            let load = Rate::from_base(load);
            if let Some(needed) = throughput.needed(load) {
                prop_assert!(throughput.capacity(needed) >= load);
                prop_assert!(needed == 1 || throughput.capacity(needed - 1) < load);
            }
        }
    }
}
