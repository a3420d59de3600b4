//! Steps by the first two moments of a slope: Kingma, Ba, [Adam](https://arxiv.org/abs/1412.6980), 2015.
//!
//! Its steps do not depend on how steep a slope is, so one length serves all variables, and a length that shrinks on a
//! schedule settles sooner than steps by Polyak's rule or the volume algorithm.

const FIRST: f64 = 0.9;
const SECOND: f64 = 0.99;

/// The moments, by variable.
///
/// ```
/// use smo_core::adam::Adam;
///
/// // uphill on 1 - (x - 3)^2, whose slope is 6 - 2 x
/// let (mut adam, mut x) = (Adam::new(1), [0.0]);
/// for step in 0..200 {
///     adam.step(&[6.0 - 2.0 * x[0]], 0.5 * 0.98_f64.powi(step), 0.0, &mut x);
/// }
/// assert!((x[0] - 3.0).abs() < 0.1);
/// ```
#[derive(Debug, Clone)]
pub struct Adam {
    first: Vec<f64>,
    second: Vec<f64>,
    /// The share of the moments that is still their start.
    first_left: f64,
    second_left: f64,
}

impl Adam {
    /// At rest, for so many variables.
    #[must_use]
    pub fn new(variables: usize) -> Self {
        Self {
            first: vec![0.0; variables],
            second: vec![0.0; variables],
            first_left: 1.0,
            second_left: 1.0,
        }
    }

    /// Moves the variables up the slopes by about `length` each, in their unit, and not below `least`. Each slice has one number a
    /// variable; what is missing in one is left as it is.
    pub fn step(&mut self, slopes: &[f64], length: f64, least: f64, variables: &mut [f64]) {
        self.first_left *= FIRST;
        self.second_left *= SECOND;
        let (first_part, second_part) = (1.0 - self.first_left, 1.0 - self.second_left);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((variable, slope), (first, second)) in variables.iter_mut().zip(slopes).zip(moments) {
            *first += (1.0 - FIRST) * (slope - *first);
            *second += (1.0 - SECOND) * (slope * slope - *second);
            let by = *first / first_part / ((*second / second_part).sqrt() + 1e-3);
            *variable = (*variable + length * by).max(least);
        }
    }
}
