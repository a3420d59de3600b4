//! The price at which a concave function of it is greatest, from few looks.

/// What was looked at, lowest price first, and what it proved.
#[derive(Debug, Clone, Default)]
pub(super) struct Climb {
    looked: Vec<(i128, i128)>,
}

impl Climb {
    /// Notes what a price proved.
    pub(super) fn note(&mut self, price: i128, bound: i128) {
        let at = self.looked.partition_point(|(known, _)| *known < price);
        self.looked.insert(at, (price, bound));
    }

    /// The price that proved most.
    pub(super) fn best(&self) -> Option<i128> {
        let best = self.looked.iter().max_by_key(|(_, bound)| *bound);
        best.map(|(price, _)| *price)
    }

    /// The price to look at next: `guess` where that tells something, twice the best price while no greater one proved less, a point on the
    /// wider side of the best one else (golden section). `None` where there is nothing left to learn.
    pub(super) fn next(&self, guess: i128) -> Option<i128> {
        let best = self.best()?;
        let at = self.looked.iter().position(|(price, _)| *price == best)?;
        let low = at
            .checked_sub(1)
            .and_then(|at| self.looked.get(at))
            .map(|(price, _)| *price);
        let Some((high, _)) = self.looked.get(at + 1).copied() else {
            return Some(guess.max(best.checked_mul(2)?).max(best + 1));
        };
        let low = low.unwrap_or(best);
        let width = high - low;
        if width < 4 || width < best / 64 {
            return None;
        }
        if low < guess && guess < high && (guess - best).abs() > width / 16 {
            return Some(guess);
        }
        let part = |width: i128| (width * 3 / 8).max(1);
        Some(if high - best > best - low {
            best + part(high - best)
        } else {
            best - part(best - low)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_of_a_hill_is_found_from_either_side() {
        for top in [0, 1, 700, 1_000_000] {
            let hill = |price: i128| -(price - top) * (price - top);
            for guess in [1, 5_000, 3_000_000] {
                let mut climb = Climb::default();
                climb.note(0, hill(0));
                for _ in 0..60 {
                    let Some(price) = climb.next(guess) else { break };
                    climb.note(price, hill(price));
                }
                let best = climb.best().unwrap();
                assert!(
                    (best - top).abs() <= top / 40 + 4,
                    "{best} for {top} from {guess}: {climb:?}"
                );
            }
        }
    }
}
