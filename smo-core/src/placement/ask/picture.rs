//! Pictures: prices as a map of services and clusters, a front as a chart.

use std::fmt::Write as _;

use super::full_text::Cell;
use super::{FullExplanation, ParetoFront};
use crate::placement::Value;
use crate::svg::{escape, shorten};

const STYLE: &str = "text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:12px;fill:#1f2933}\
.title{font-size:16px;font-weight:600}.small{font-size:11px;fill:#52606d}.here{fill:#cfe8d5;stroke:#2f855a}\
.priced{stroke:#9aa5b1}.closed{fill:#f1f3f5;stroke:#d0d5db}.axis{stroke:#52606d}.front{fill:none;stroke:#2f6fb7;stroke-width:1.5}\
.proved{fill:#2f6fb7}.open{fill:#fff;stroke:#2f6fb7;stroke-width:1.5}";

const MARGIN: u32 = 24;
const NAME: u32 = 190;
const CELL: u32 = 170;
const ROW: u32 = 40;
const TOP: u32 = 78;

fn head(width: u32, height: u32) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\"><style>{STYLE}</style>"
    )
}

impl FullExplanation {
    /// A map of services and clusters: where each service runs, and what every other cluster costs or what forbids it. The
    /// dearer, the redder. Self-contained, without scripts.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let clusters: Vec<_> = self.decision.explanation.clusters.keys().collect();
        let width = MARGIN * 2 + NAME + CELL * u32::try_from(clusters.len()).unwrap_or(0);
        let height = TOP + ROW * u32::try_from(self.services.len()).unwrap_or(0) + MARGIN;
        let mut svg = head(width, height);
        let prices = self.services.values().flat_map(|choice| choice.others.values());
        let dearest = prices.filter_map(super::Price::difference).max();
        let title = format!("why here: {}", self.decision.verdict());
        let _ = write!(
            svg,
            "<title>{title}</title><text class=\"title\" x=\"{MARGIN}\" y=\"34\">{title}</text>",
            title = escape(&title)
        );
        for (column, cluster) in (0_u32..).zip(&clusters) {
            let x = MARGIN + NAME + column * CELL + 8;
            let name = escape(&shorten(cluster.as_str(), 24));
            let _ = write!(svg, "<text x=\"{x}\" y=\"{}\">{name}</text>", TOP - 12);
        }
        for (row, (service, choice)) in (0_u32..).zip(&self.services) {
            let y = TOP + row * ROW;
            let name = escape(&shorten(service.service.as_str(), 28));
            let _ = write!(svg, "<text x=\"{MARGIN}\" y=\"{}\">{name}</text>", y + 24);
            for (column, cluster) in (0_u32..).zip(&clusters) {
                let (class, fill, text) = match Self::cell(choice, cluster) {
                    Cell::Chosen(text) => ("here", None, text),
                    Cell::Priced(price, text) => ("priced", Some(shade(price, dearest)), text),
                    Cell::Closed(text) => ("closed", None, text),
                    Cell::Empty => continue,
                };
                let x = MARGIN + NAME + column * CELL;
                let fill = fill.map(|fill| format!(" fill=\"{fill}\"")).unwrap_or_default();
                let _ = write!(
                    svg,
                    "<g><title>{}</title><rect class=\"{class}\"{fill} x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"3\"/>\
                     <text class=\"small\" x=\"{}\" y=\"{}\">{}</text></g>",
                    escape(&text),
                    CELL - 6,
                    ROW - 6,
                    x + 8,
                    y + 21,
                    escape(&shorten(&text, 26)),
                );
            }
        }
        svg.push_str("</svg>");
        svg
    }
}

/// From white to red, by the share of the dearest price.
fn shade(price: Value, dearest: Option<Value>) -> String {
    let whole = dearest.map_or(0, Value::units).max(1);
    let part = price.units().clamp(0, whole);
    // Scaled down first where the product would not fit.
    let scale = (whole / i128::from(u64::MAX)).max(1);
    let share = (part / scale) * 110 / (whole / scale).max(1);
    let rest = 250 - u8::try_from(share.clamp(0, 110)).unwrap_or(0);
    format!("#fa{rest:02x}{rest:02x}")
}

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
