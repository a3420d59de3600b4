//! Ranges of versions, in the grammar of Helm's `--version`.
//!
//! The grammar is that of [Masterminds semver](https://github.com/Masterminds/semver#checking-version-constraints):
//! comparisons `= != > < >= <= ~ ~> ^` joined by commas or spaces (all of them hold), alternatives joined by `||`, parts
//! left out or written `x`, `X` or `*`, and `1.2 - 3` for both ends. A pre-release is only in a range that names one.

use std::fmt;
use std::str::FromStr;

use semver::{BuildMetadata, Prerelease, Version};
use thiserror::Error;

/// A text that is no range of versions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no range of versions; write such as `^1.2`, `~1.2.3`, `>=1.2, <2` or `1.x`")]
pub struct RangeError(String);

/// A range of versions.
///
/// ```
/// use smo_artifact::VersionRange;
/// let range: VersionRange = "^1.2 || >=3.0.0-rc.1".parse()?;
/// assert!(range.contains(&semver::Version::new(1, 9, 0)));
/// assert!(!range.contains(&semver::Version::new(2, 0, 0)));
/// assert!(range.contains(&semver::Version::parse("3.0.0-rc.2").unwrap()));
/// # Ok::<(), smo_artifact::RangeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange {
    text: String,
    /// One of these has to hold, in which all have to hold.
    alternatives: Vec<Vec<Interval>>,
}

/// Versions from `from` (`true`: itself too) to `to` (likewise); `not`: all others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Interval {
    from: Option<(Version, bool)>,
    to: Option<(Version, bool)>,
    not: bool,
    /// A pre-release is named, so that pre-releases are meant.
    pre: bool,
}

impl Interval {
    fn contains(&self, version: &Version) -> bool {
        if !version.pre.is_empty() && !self.pre {
            return false;
        }
        let above = self.from.as_ref().is_none_or(|(from, itself)| {
            let order = version.cmp_precedence(from);
            order.is_gt() || *itself && order.is_eq()
        });
        let below = self.to.as_ref().is_none_or(|(to, itself)| {
            let order = version.cmp_precedence(to);
            order.is_lt() || *itself && order.is_eq()
        });
        (above && below) != self.not
    }
}

impl VersionRange {
    /// True when a version is in the range.
    #[must_use]
    pub fn contains(&self, version: &Version) -> bool {
        let all = |intervals: &Vec<Interval>| intervals.iter().all(|interval| interval.contains(version));
        self.alternatives.iter().any(all)
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for VersionRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        let alternatives: Option<Vec<_>> = text.split("||").map(all_of).collect();
        Ok(Self {
            text: text.to_owned(),
            alternatives: alternatives.ok_or_else(|| RangeError(text.to_owned()))?,
        })
    }
}

/// The intervals of one alternative; none when it is malformed.
fn all_of(text: &str) -> Option<Vec<Interval>> {
    let mut intervals = Vec::new();
    for part in text.split(',') {
        if let Some((from, to)) = part.split_once(" - ") {
            let (from, to) = (Partial::parse(from.trim())?, Partial::parse(to.trim())?);
            let pre = !from.pre.is_empty() || !to.pre.is_empty();
            intervals.push(Interval {
                from: Some((from.lowest(), true)),
                to: to.end(),
                not: false,
                pre,
            });
            continue;
        }
        let mut rest = part.trim();
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let operator_end = rest.find(|c| !"<>=!~^".contains(c))?;
            let (operator, tail) = rest.split_at(operator_end);
            let tail = tail.trim_start();
            let version_end = tail
                .find(|c: char| c.is_whitespace() || "<>=!~^".contains(c))
                .unwrap_or(tail.len());
            let (version, tail) = tail.split_at(version_end);
            intervals.push(interval(operator, &Partial::parse(version)?)?);
            rest = tail.trim_start();
        }
    }
    Some(intervals)
}

fn interval(operator: &str, partial: &Partial) -> Option<Interval> {
    let lowest = partial.lowest();
    let is_full = partial.patch.is_some();
    let (from, to, not) = match operator {
        "" | "=" | "==" => (Some((lowest, true)), partial.end(), false),
        "!=" => (Some((lowest, true)), partial.end(), true),
        ">=" | "=>" => (Some((lowest, true)), None, false),
        "<" => (None, Some((lowest, false)), false),
        "<=" | "=<" => (None, partial.end(), false),
        ">" if is_full => (Some((lowest, false)), None, false),
        // Above every version that `1.2` stands for.
        ">" => (partial.next().map(|next| (next, true)), None, false),
        "~" | "~>" => (Some((lowest, true)), exclusive(partial.next()), false),
        "^" => (Some((lowest, true)), exclusive(partial.next_breaking()), false),
        _ => return None,
    };
    Some(Interval {
        from,
        to,
        not,
        pre: !partial.pre.is_empty(),
    })
}

fn exclusive(version: Option<Version>) -> Option<(Version, bool)> {
    version.map(|version| (version, false))
}

/// A version of which parts may be left out from the right.
#[derive(Debug, Clone, Default)]
struct Partial {
    major: Option<u64>,
    minor: Option<u64>,
    patch: Option<u64>,
    pre: Prerelease,
}

impl Partial {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split('+').next()?;
        let (numbers, pre) = match text.split_once('-') {
            Some((numbers, pre)) => (numbers, Prerelease::new(pre).ok().filter(|pre| !pre.is_empty())?),
            None => (text, Prerelease::EMPTY),
        };
        let mut parts = Vec::new();
        let mut open = false;
        for part in numbers.split('.') {
            match part {
                "x" | "X" | "*" => open = true,
                _ if open => return None,
                _ => parts.push(part.parse::<u64>().ok()?),
            }
        }
        let mut parts = parts.into_iter();
        let partial = Self {
            major: parts.next(),
            minor: parts.next(),
            patch: parts.next(),
            pre,
        };
        let too_many = numbers.split('.').count() > 3;
        let pre_of_a_part = !partial.pre.is_empty() && partial.patch.is_none();
        (!too_many && !pre_of_a_part).then_some(partial)
    }

    /// The lowest version it stands for.
    fn lowest(&self) -> Version {
        Version {
            major: self.major.unwrap_or(0),
            minor: self.minor.unwrap_or(0),
            patch: self.patch.unwrap_or(0),
            pre: self.pre.clone(),
            build: BuildMetadata::EMPTY,
        }
    }

    /// The end of what it stands for: itself when complete, else all before the next.
    fn end(&self) -> Option<(Version, bool)> {
        match self.patch {
            Some(_) => Some((self.lowest(), true)),
            None => exclusive(self.next()),
        }
    }

    /// The first version of the next minor, or major where no minor was given: the end of `~` and of what an incomplete
    /// one stands for; none when it stands for all.
    fn next(&self) -> Option<Version> {
        match (self.major, self.minor) {
            (Some(major), Some(minor)) => Some(Version::new(major, minor.checked_add(1)?, 0)),
            (Some(major), None) => Some(Version::new(major.checked_add(1)?, 0, 0)),
            (None, _) => None,
        }
    }

    /// The end of `^`: the next version that may break, which is the first part that is not 0.
    fn next_breaking(&self) -> Option<Version> {
        let major = self.major?;
        match (major, self.minor, self.patch) {
            (0, Some(0), Some(patch)) => Some(Version::new(0, 0, patch.checked_add(1)?)),
            (0, Some(minor), _) => Some(Version::new(0, minor.checked_add(1)?, 0)),
            _ => Some(Version::new(major.checked_add(1)?, 0, 0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1.2.3", "1.2.3", "1.2.4 1.2.2 1.2.3-rc.1")]
    #[case("=v1.2", "1.2.0 1.2.9", "1.3.0 1.1.9")]
    #[case("1", "1.0.0 1.9.9", "2.0.0 0.9.0")]
    #[case("1.2.x", "1.2.0 1.2.9", "1.3.0")]
    #[case("*", "0.0.0 9.9.9", "1.0.0-rc.1")]
    #[case("!=1.2", "1.1.9 1.3.0", "1.2.0 1.2.5")]
    #[case(">1.2", "1.3.0 2.0.0", "1.2.9 1.0.0")]
    #[case("> 1.2.3", "1.2.4", "1.2.3")]
    #[case("<=1.2", "1.2.9 0.1.0", "1.3.0")]
    #[case("<1.2", "1.1.9", "1.2.0")]
    #[case("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2")]
    #[case("~>1", "1.0.0 1.9.0", "2.0.0")]
    #[case("^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2")]
    #[case("^0.2.3", "0.2.3 0.2.9", "0.3.0")]
    #[case("^0.0.3", "0.0.3", "0.0.4")]
    #[case("^0.0", "0.0.9", "0.1.0")]
    #[case("^0", "0.9.0", "1.0.0")]
    #[case(">=1.2, <2", "1.2.0 1.9.9", "2.0.0 1.1.0")]
    #[case(">= 1.2 < 2 != 1.5.0", "1.4.0", "1.5.0 2.0.0")]
    #[case("1.2 - 1.4", "1.2.0 1.4.9", "1.5.0 1.1.0")]
    #[case("1.2 - 1.4.1", "1.4.1", "1.4.2")]
    #[case("<1 || ^2", "0.9.0 2.1.0", "1.0.0 3.0.0")]
    #[case(">=1.0.0-rc.1", "1.0.0-rc.2 1.0.0 2.0.0-a", "1.0.0-beta")]
    #[case("1.2.3+build", "1.2.3", "1.2.4")]
    fn what_is_in_a_range(#[case] range: &str, #[case] within: &str, #[case] without: &str) {
        let range: VersionRange = range.parse().unwrap();
        let version = |text: &str| Version::parse(text).unwrap();
        for text in within.split(' ') {
            assert!(range.contains(&version(text)), "{text} is in {range}");
        }
        for text in without.split(' ') {
            assert!(!range.contains(&version(text)), "{text} is not in {range}");
        }
    }

    #[rstest]
    #[case("")]
    #[case(">=")]
    #[case("1.2.3.4")]
    #[case("x.1")]
    #[case("1.2-rc")]
    #[case("<>1")]
    #[case("1,,2")]
    #[case("latest")]
    #[case("^99999999999999999999")]
    fn what_is_no_range(#[case] text: &str) {
        assert_eq!(text.parse::<VersionRange>(), Err(RangeError(text.to_owned())));
    }

    #[test]
    fn the_refusal_shows_how() {
        let error = "latest!".parse::<VersionRange>().unwrap_err();
        insta::assert_snapshot!(error, @"`latest!` is no range of versions; write such as `^1.2`, `~1.2.3`, `>=1.2, <2` or `1.x`");
    }
}
