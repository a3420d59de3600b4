//! A front as a chart.

use std::fmt::Write as _;

use super::ParetoFront;
use crate::placement::map::{MARGIN, head};
use crate::svg::escape;

const CHART_WIDTH: u32 = 640;
const CHART_HEIGHT: u32 = 420;
const LEFT: u32 = 90;
const BOTTOM: u32 = 60;
const HEAD: u32 = 60;

impl ParetoFront {
    /// The front as a chart: a filled point is proved, a hollow one is the best found. Self-contained, without scripts.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut svg = head(CHART_WIDTH, CHART_HEIGHT);
        let (first, second) = (self.first, self.second);
        let title = format!("{} against {}", first.name(), second.name());
        let bottom = CHART_HEIGHT - BOTTOM;
        let _ = write!(
            svg,
            "<title>{title}</title><text class=\"title\" x=\"{LEFT}\" y=\"30\">{title}</text>\
             <path class=\"axis\" fill=\"none\" d=\"M{LEFT} {HEAD} V{bottom} H{}\"/>",
            CHART_WIDTH - MARGIN
        );
        let across: Vec<i64> = self.points.iter().map(|point| point.totals.of(first)).collect();
        let up: Vec<i64> = self.points.iter().map(|point| point.totals.of(second)).collect();
        let xs = scale(&across, LEFT + 20, CHART_WIDTH - MARGIN - 20);
        let ys = scale(&up, bottom - 20, HEAD + 20);
        let mut path = String::new();
        for (x, y) in xs.iter().zip(&ys) {
            // No placement is left of and below a point, so the front is a stair.
            let _ = if path.is_empty() {
                write!(path, "M{x} {y}")
            } else {
                write!(path, " H{x} V{y}")
            };
        }
        let _ = write!(svg, "<path class=\"front\" d=\"{path}\"/>");
        for ((point, x), y) in self.points.iter().zip(&xs).zip(&ys) {
            let class = if point.proved { "proved" } else { "open" };
            let text = format!(
                "{}, {}",
                first.describe(point.totals.of(first)),
                second.describe(point.totals.of(second))
            );
            let _ = write!(
                svg,
                "<g><title>{}</title><circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"5\"/></g>",
                escape(&text)
            );
        }
        for (amounts, goal, along) in [(&across, first, true), (&up, second, false)] {
            let ends = [amounts.iter().min(), amounts.iter().max()];
            for (number, end) in (0_u32..).zip(ends.into_iter().flatten()) {
                let text = escape(&goal.describe(*end));
                let (x, y, anchor) = match (along, number) {
                    (true, 0) => (LEFT + 20, bottom + 22, "start"),
                    (true, _) => (CHART_WIDTH - MARGIN, bottom + 22, "end"),
                    (false, 0) => (LEFT - 6, bottom - 16, "end"),
                    (false, _) => (LEFT - 6, HEAD + 24, "end"),
                };
                let _ = write!(
                    svg,
                    "<text class=\"small\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
                );
            }
        }
        svg.push_str("</svg>");
        svg
    }
}

/// Amounts between two ends of the picture.
fn scale(amounts: &[i64], from: u32, to: u32) -> Vec<i64> {
    let least = amounts.iter().copied().min().unwrap_or(0);
    let most = amounts.iter().copied().max().unwrap_or(0);
    let span = (i128::from(most) - i128::from(least)).max(1);
    let place = |amount: &i64| {
        let part = i128::from(*amount) - i128::from(least);
        let run = i128::from(to) - i128::from(from);
        i64::try_from(i128::from(from) + run * part / span).unwrap_or_default()
    };
    amounts.iter().map(place).collect()
}
