//! Amounts with their unit in the type: quantities, cpu, bytes, money, carbon, latency, rates.
//!
//! Every amount is an integer in a unit small enough that sums are exact, arithmetic is checked, and
//! cpu and bytes read and print as [Kubernetes quantities][k8s].
//!
//! [k8s]: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QuantityError {
    /// The text is no number with an optional Kubernetes suffix.
    #[error("`{0}` is not a Kubernetes quantity such as 500m, 2, 1.5 or 2Gi")]
    Malformed(String),
    /// The amount is below zero.
    #[error("`{0}` is negative")]
    Negative(String),
    /// The amount does not fit 64 bits in its base unit.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

const NANO: i128 = 1_000_000_000;

/// The greatest common divisor: the largest unit that both amounts are multiples of.
pub(crate) fn gcd<N: Copy + Default + PartialEq + std::ops::Rem<Output = N>>(mut a: N, mut b: N) -> N {
    while b != N::default() {
        (a, b) = (b, a % b);
    }
    a
}

/// Reads a Kubernetes quantity exactly, as a count of `unit` nano-units each, rounded up as Kubernetes rounds.
fn parse_scaled(text: &str, nano_per_unit: i128) -> Result<u64, QuantityError> {
    let malformed = || QuantityError::Malformed(text.to_owned());
    let too_large = || QuantityError::TooLarge(text.to_owned());
    let body = text.trim();
    let unsigned = body.strip_prefix(['+', '-']).unwrap_or(body);
    let digits_end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (digits, suffix) = unsigned.split_at(digits_end);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(malformed());
    }
    let (numerator, exponent10) = match suffix {
        "n" => (1, -9),
        "u" => (1, -6),
        "m" => (1, -3),
        "" => (1, 0),
        "k" => (1, 3),
        "M" => (1, 6),
        "G" => (1, 9),
        "T" => (1, 12),
        "P" => (1, 15),
        "E" => (1, 18),
        "Ki" => (1_i128 << 10, 0),
        "Mi" => (1 << 20, 0),
        "Gi" => (1 << 30, 0),
        "Ti" => (1 << 40, 0),
        "Pi" => (1 << 50, 0),
        "Ei" => (1 << 60, 0),
        _ => {
            let power = suffix.strip_prefix(['e', 'E']).ok_or_else(malformed)?;
            (1, power.parse::<i32>().map_err(|_| malformed())?)
        }
    };
    let mut mantissa: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        mantissa = mantissa
            .checked_mul(10)
            .and_then(|value| value.checked_add(i128::from(digit - b'0')))
            .ok_or_else(too_large)?;
    }
    if body.starts_with('-') && mantissa != 0 {
        return Err(QuantityError::Negative(text.to_owned()));
    }
    if mantissa == 0 {
        return Ok(0);
    }
    let scale = exponent10.saturating_sub(i32::try_from(fraction.len()).map_err(|_| too_large())?);
    let base = mantissa
        .checked_mul(numerator)
        .and_then(|v| v.checked_mul(NANO))
        .ok_or_else(too_large)?;
    let nanos = if scale >= 0 {
        u32::try_from(scale)
            .ok()
            .and_then(|power| 10_i128.checked_pow(power))
            .and_then(|factor| base.checked_mul(factor))
            .ok_or_else(too_large)?
    } else {
        // Beyond 10^38 the divisor exceeds any i128, so the value rounds up to one nano-unit.
        match 10_i128.checked_pow(scale.unsigned_abs()) {
            Some(divisor) => div_ceil(base, divisor),
            None => 1,
        }
    };
    u64::try_from(div_ceil(nanos, nano_per_unit)).map_err(|_| too_large())
}

fn div_ceil(value: i128, divisor: i128) -> i128 {
    value / divisor + i128::from(value % divisor > 0)
}

/// Prints `value` units of `10^exponent` in the shortest exact decimal form.
pub(crate) fn decimal(value: i128, decimals: u32) -> String {
    let scale = 10_i128.pow(decimals);
    let (sign, magnitude) = if value < 0 {
        ("-", value.unsigned_abs())
    } else {
        ("", value.unsigned_abs())
    };
    let scale = scale.unsigned_abs();
    let fraction = format!("{:0width$}", magnitude % scale, width = decimals as usize);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", magnitude / scale)
}

macro_rules! checked_arithmetic {
    ($name:ident, $repr:ty) => {
        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0);

            /// The sum, or `None` when it does not fit.
            #[must_use]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// The difference, or `None` when it does not fit.
            #[must_use]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }

            /// `count` times the amount, or `None` when it does not fit.
            #[must_use]
            pub fn checked_mul(self, count: $repr) -> Option<Self> {
                self.0.checked_mul(count).map(Self)
            }

            /// The difference, never below zero.
            #[must_use]
            pub fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0).max(0))
            }
        }
    };
}

macro_rules! quantity_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// Cpu time per time, in millicores (1000 = one core).
///
/// ```
/// use smo_core::units::Cpu;
/// let cpu: Cpu = "1.5".parse()?;
/// assert_eq!(cpu, Cpu::from_millicores(1500));
/// assert_eq!(cpu.to_string(), "1500m");
/// # Ok::<(), smo_core::units::QuantityError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cpu(u64);

impl Cpu {
    /// From millicores.
    #[must_use]
    pub const fn from_millicores(millicores: u64) -> Self {
        Self(millicores)
    }

    /// From whole cores.
    #[must_use]
    pub const fn from_cores(cores: u32) -> Self {
        Self(cores as u64 * 1000)
    }

    /// In millicores.
    #[must_use]
    pub const fn millicores(self) -> u64 {
        self.0
    }

    /// In cores as people write them: `0.5`, `8`.
    #[must_use]
    pub fn cores(self) -> String {
        decimal(i128::from(self.0), 3)
    }
}

impl FromStr for Cpu {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_scaled(text, NANO / 1000).map(Self)
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{}", self.0 / 1000)
        } else {
            write!(f, "{}m", self.0)
        }
    }
}

checked_arithmetic!(Cpu, u64);
quantity_text!(Cpu);

/// Memory or storage, in bytes.
///
/// ```
/// use smo_core::units::Bytes;
/// assert_eq!("2Gi".parse::<Bytes>()?.get(), 2 << 30);
/// assert_eq!(Bytes::new(500 << 20).to_string(), "500Mi");
/// assert_eq!(Bytes::new(10_000_000_000).to_string(), "10G");
/// # Ok::<(), smo_core::units::QuantityError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(u64);

impl Bytes {
    /// From bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// In bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_scaled(text, NANO).map(Self)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DECIMAL: [(u64, &str); 6] = [
            (1_000_000_000_000_000_000, "E"),
            (1_000_000_000_000_000, "P"),
            (1_000_000_000_000, "T"),
            (1_000_000_000, "G"),
            (1_000_000, "M"),
            (1_000, "k"),
        ];
        const BINARY: [(u64, &str); 6] = [
            (1 << 60, "Ei"),
            (1 << 50, "Pi"),
            (1 << 40, "Ti"),
            (1 << 30, "Gi"),
            (1 << 20, "Mi"),
            (1 << 10, "Ki"),
        ];
        if self.0 == 0 {
            return f.write_str("0");
        }
        let fits = |table: [(u64, &'static str); 6]| {
            table.into_iter().find(|(unit, _)| self.0.is_multiple_of(*unit))
        };
        // The shorter of the two exact forms; binary on a tie, as Kubernetes users write memory.
        let (unit, suffix) = match (fits(BINARY), fits(DECIMAL)) {
            (Some(binary), Some(decimal)) if self.0 / decimal.0 < self.0 / binary.0 => decimal,
            (Some(binary), _) => binary,
            (None, Some(decimal)) => decimal,
            (None, None) => (1, ""),
        };
        write!(f, "{}{suffix}", self.0 / unit)
    }
}

checked_arithmetic!(Bytes, u64);
quantity_text!(Bytes);

/// Data per time, in bytes per second; written as a quantity of bytes, `125M` for a gigabit per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DataRate(u64);

impl DataRate {
    /// From bytes per second.
    #[must_use]
    pub const fn new(bytes_per_second: u64) -> Self {
        Self(bytes_per_second)
    }

    /// In bytes per second.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for DataRate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Bytes>().map(|bytes| Self(bytes.get()))
    }
}

impl fmt::Display for DataRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Bytes(self.0).fmt(f)
    }
}

checked_arithmetic!(DataRate, u64);
quantity_text!(DataRate);

/// A decimal number times a power of ten, read from its text without rounding through binary floating point.
pub(crate) fn parse_decimal(text: &str, decimals: u32) -> Option<i128> {
    let (negative, body) = match text.trim().strip_prefix('-') {
        Some(body) => (true, body),
        None => (false, text.trim()),
    };
    let (body, exponent) = match body.split_once(['e', 'E']) {
        Some((body, exponent)) => (body, exponent.parse::<i32>().ok()?),
        None => (body, 0),
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mantissa: i128 = digits.parse().ok()?;
    let shift = exponent
        .checked_add(decimals.try_into().ok()?)?
        .checked_sub(fraction.len().try_into().ok()?)?;
    let scaled = if shift >= 0 {
        mantissa.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?)?
    } else {
        let divisor = 10_i128.checked_pow(shift.unsigned_abs()).unwrap_or(i128::MAX);
        (mantissa + divisor / 2) / divisor
    };
    Some(if negative { -scaled } else { scaled })
}

/// A number of at most three decimals and fifteen digits, in thousandths; `None` for others. As its shortest decimal says: no two decimals
/// of fifteen digits are one float.
fn thousandths(value: f64) -> Option<i64> {
    const MOST: f64 = 1e15;
    let whole = (value * 1000.0).round();
    let exact = whole.abs() < MOST && whole / 1000.0 == value;
    #[allow(clippy::cast_possible_truncation)]
    exact.then_some(whole as i64)
}

macro_rules! decimal_unit {
    ($(#[$meta:meta])* $name:ident, $decimals:literal, $unit:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i64);

        impl $name {
            #[doc = concat!("From 10^-", $decimals, " ", $unit, ".")]
            #[must_use]
            pub const fn from_base(base: i64) -> Self {
                Self(base)
            }

            #[doc = concat!("In 10^-", $decimals, " ", $unit, ".")]
            #[must_use]
            pub const fn base(self) -> i64 {
                self.0
            }

            #[doc = concat!("Reads a decimal number of ", $unit, ", rounded to the nearest base unit; `None` when it is no number or too large.")]
            #[must_use]
            pub fn parse_decimal(text: &str) -> Option<Self> {
                parse_decimal(text, $decimals)?.try_into().ok().map(Self)
            }

            #[doc = concat!("From a floating-point number of ", $unit, "; `None` when it is not finite or too large.")]
            #[must_use]
            pub fn from_f64(value: f64) -> Option<Self> {
                if let Some(thousandths) = thousandths(value) {
                    let base = i128::from(thousandths).checked_mul(10_i128.checked_pow($decimals - 3)?)?;
                    return base.try_into().ok().map(Self);
                }
                if value.is_finite() { Self::parse_decimal(&value.to_string()) } else { None }
            }

            #[doc = concat!("In ", $unit, ", for display and for floating-point solvers.")]
            #[must_use]
            #[allow(clippy::cast_precision_loss)]
            pub fn to_f64(self) -> f64 {
                self.0 as f64 / 10_f64.powi($decimals)
            }

            #[doc = concat!("The exact decimal number of ", $unit, ", without the unit.")]
            #[must_use]
            pub fn decimal(self) -> String {
                decimal(i128::from(self.0), $decimals)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{} ", $unit), self.decimal())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_f64(self.to_f64())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = f64::deserialize(deserializer)?;
                Self::from_f64(value).ok_or_else(|| serde::de::Error::custom("number out of range"))
            }
        }

        checked_arithmetic!($name, i64);
    };
}

decimal_unit!(
    /// Running cost, in nano-euro per hour. Serialised as a number of EUR/h.
    Money, 9, "EUR/h"
);
decimal_unit!(
    /// Emissions, in microgram CO2-equivalent per hour. Serialised as a number of gCO2e/h.
    Carbon, 6, "gCO2e/h"
);
decimal_unit!(
    /// Round-trip time, in microseconds. Serialised as a number of milliseconds.
    Latency, 3, "ms"
);
decimal_unit!(
    /// Requests per time, in millionths of a request per second. Serialised as a number of requests per second.
    Rate, 6, "req/s"
);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("500m", 500)]
    #[case("2", 2000)]
    #[case("1.5", 1500)]
    #[case(".5", 500)]
    #[case("1e3", 1_000_000)]
    #[case("1E-1", 100)]
    #[case("100u", 1)] // rounds up
    #[case("1n", 1)]
    #[case("0", 0)]
    #[case("1k", 1_000_000)]
    fn cpu_reads_every_suffix(#[case] text: &str, #[case] millicores: u64) {
        assert_eq!(text.parse::<Cpu>().unwrap().millicores(), millicores);
    }

    #[rstest]
    #[case("129e6", 129_000_000)]
    #[case("2Gi", 2 << 30)]
    #[case("1.5Ki", 1536)]
    #[case("16E", 16_000_000_000_000_000_000)]
    #[case("1m", 1)]
    fn bytes_read_every_suffix(#[case] text: &str, #[case] bytes: u64) {
        assert_eq!(text.parse::<Bytes>().unwrap().get(), bytes);
    }

    #[rstest]
    #[case("")]
    #[case("tiny")]
    #[case("1.2.3")]
    #[case("500MiB")]
    #[case("1 Gi")]
    #[case("e3")]
    #[case("1e")]
    #[case("--1")]
    fn malformed_quantities_are_refused(#[case] text: &str) {
        assert_eq!(
            text.parse::<Bytes>(),
            Err(QuantityError::Malformed(text.to_owned()))
        );
    }

    #[test]
    fn negative_and_huge_quantities_are_refused() {
        assert_eq!("-1".parse::<Cpu>(), Err(QuantityError::Negative("-1".to_owned())));
        assert_eq!(
            "99E".parse::<Bytes>(),
            Err(QuantityError::TooLarge("99E".to_owned()))
        );
        assert_eq!(
            "1e400".parse::<Bytes>(),
            Err(QuantityError::TooLarge("1e400".to_owned()))
        );
        assert_eq!("-0".parse::<Cpu>().unwrap(), Cpu::ZERO);
    }

    #[test]
    fn money_is_exact_in_decimal() {
        let price = Money::parse_decimal("0.1").unwrap();
        assert_eq!(price.checked_mul(3), Money::parse_decimal("0.3"));
        assert_eq!(price.to_string(), "0.1 EUR/h");
        for value in [
            0.1,
            0.125,
            0.001,
            4.35,
            -7.0,
            1e12,
            123_456_789.012,
            0.000_1,
            1.0 / 3.0,
            1e-9,
            2e11 + 0.001,
        ] {
            assert_eq!(
                Money::from_f64(value),
                Money::parse_decimal(&value.to_string()),
                "{value}"
            );
        }
        assert_eq!(Money::from_f64(f64::NAN), None);
        assert_eq!(Money::parse_decimal("-1.25").unwrap().to_string(), "-1.25 EUR/h");
    }

    proptest! {
        #[test]
        fn printing_then_reading_gives_the_same_amount(value: u64) {
            prop_assert_eq!(Cpu(value).to_string().parse::<Cpu>().unwrap(), Cpu(value));
            prop_assert_eq!(Bytes(value).to_string().parse::<Bytes>().unwrap(), Bytes(value));
        }
    }
}
