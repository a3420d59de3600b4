//! Order statistics of finite numbers, for learning and forecasting.

/// The median of numbers in any order; `None` of none. Sorts them.
pub(super) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    values
        .get(middle.wrapping_sub(1))
        .map(|lower| lower.midpoint(upper))
}

/// The value at a rank counted from 0, the ends standing for ranks beyond them. `sorted` is not empty.
pub(super) fn at_rank(sorted: &[f64], rank: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    // A float to integer cast saturates, so a negative rank is the first one.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let index = (rank.round() as usize).min(last);
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// A count as a floating-point number.
#[allow(clippy::cast_precision_loss)]
pub(super) fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ranks() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(at_rank(&[1.0, 2.0, 3.0], -4.0), 1.0);
        assert_eq!(at_rank(&[1.0, 2.0, 3.0], 1.4), 2.0);
        assert_eq!(at_rank(&[1.0, 2.0, 3.0], 99.0), 3.0);
    }
}
