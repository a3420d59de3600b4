//! Charts as SVG: axes, lines and points, nothing else.

use std::fmt::Write as _;

use smo_core::svg::escape;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 48.0;

/// A line or points.
pub(super) struct Curve {
    pub(super) label: String,
    pub(super) colour: &'static str,
    pub(super) points: Vec<(f64, f64)>,
    /// Marks every point.
    pub(super) marked: bool,
    /// Texts beside points, which may be fewer.
    pub(super) notes: Vec<String>,
}

/// Axes with curves.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) across: String,
    pub(super) up: String,
    pub(super) curves: Vec<Curve>,
    /// The values up are shown by their logarithm.
    pub(super) logarithmic: bool,
}

/// A scale from values to a range of pixels.
struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
}

/// The least value that a logarithmic scale shows.
const LEAST: f64 = 1e-4;

impl Scale {
    fn at(&self, value: f64) -> f64 {
        let on = |value: f64| {
            if self.logarithmic {
                value.max(LEAST).log10()
            } else {
                value
            }
        };
        let share = (on(value) - on(self.low)) / (on(self.high) - on(self.low)).max(1e-12);
        self.from + share * (self.to - self.from)
    }

    /// Round values, five or so.
    fn ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            let decades = -4_i32..=3;
            let values = decades.map(|power| 10_f64.powi(power));
            return values
                .filter(|value| (self.low..=self.high).contains(value))
                .collect();
        }
        let span = (self.high - self.low).max(1e-12);
        let rough = 10_f64.powf((span / 5.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * rough)
            .into_iter()
            .find(|step| span / step <= 6.0)
            .unwrap_or(rough);
        let mut ticks = Vec::new();
        let mut tick = (self.low / step).ceil() * step;
        while tick <= self.high + step * 1e-9 && ticks.len() < 20 {
            ticks.push(tick);
            tick += step;
        }
        ticks
    }
}

impl Chart {
    pub(super) fn svg(&self) -> String {
        let points = || self.curves.iter().flat_map(|curve| curve.points.iter().copied());
        let low = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let high = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
        let across = Scale {
            low: low(&mut points().map(|point| point.0)),
            high: high(&mut points().map(|point| point.0)),
            from: LEFT,
            to: WIDTH - RIGHT,
            logarithmic: false,
        };
        let lowest = low(&mut points().map(|point| point.1));
        let highest = high(&mut points().map(|point| point.1));
        let up = Scale {
            low: if self.logarithmic {
                lowest.max(LEAST) / 1.3
            } else {
                0.0
            },
            high: if self.logarithmic {
                highest.max(LEAST) * 1.3
            } else {
                highest * 1.05
            },
            from: HEIGHT - BOTTOM,
            to: TOP,
            logarithmic: self.logarithmic,
        };
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"18\" font-size=\"14\">{}</text>\n",
            escape(&self.title)
        );
        self.axes(&mut svg, &across, &up);
        let mut legend = LEFT;
        for curve in &self.curves {
            draw(&mut svg, curve, &across, &up);
            let _ = writeln!(
                svg,
                "<rect x=\"{legend:.0}\" y=\"28\" width=\"12\" height=\"4\" fill=\"{}\"/>",
                curve.colour
            );
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"36\" font-size=\"11\">{}</text>",
                legend + 16.0,
                escape(&curve.label)
            );
            #[allow(clippy::cast_precision_loss)]
            let width = curve.label.chars().count() as f64 * 6.5;
            legend += 34.0 + width;
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn axes(&self, svg: &mut String, across: &Scale, up: &Scale) {
        let (base, end) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for tick in up.ticks() {
            let y = up.at(tick);
            let _ = writeln!(
                svg,
                "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{end}\" y2=\"{y:.1}\" stroke=\"#ddd\"/>"
            );
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                y + 4.0,
                number(tick)
            );
        }
        for tick in across.ticks() {
            let x = across.at(tick);
            let _ = writeln!(
                svg,
                "<line x1=\"{x:.1}\" y1=\"{base}\" x2=\"{x:.1}\" y2=\"{:.0}\" stroke=\"#888\"/>",
                base + 4.0
            );
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
                base + 17.0,
                number(tick)
            );
        }
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{base}\" x2=\"{end}\" y2=\"{base}\" stroke=\"#888\"/>"
        );
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{}</text>",
            (LEFT + end) / 2.0,
            HEIGHT - 10.0,
            escape(&self.across)
        );
        let middle = (TOP + base) / 2.0;
        let _ = writeln!(
            svg,
            "<text x=\"14\" y=\"{middle:.0}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {middle:.0})\">{}</text>",
            escape(&self.up)
        );
    }
}

fn number(value: f64) -> String {
    if value != 0.0 && value.abs() < 1.0 {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').to_owned()
    } else {
        format!("{value:.0}")
    }
}

fn draw(svg: &mut String, curve: &Curve, across: &Scale, up: &Scale) {
    let mut path = String::new();
    for (index, (x, y)) in curve.points.iter().enumerate() {
        let command = if index == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{:.1} {:.1}", across.at(*x), up.at(*y));
    }
    let _ = writeln!(
        svg,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\"/>",
        curve.colour
    );
    if !curve.marked {
        return;
    }
    for (index, (x, y)) in curve.points.iter().enumerate() {
        let (x, y) = (across.at(*x), up.at(*y));
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{}\"/>",
            curve.colour
        );
        if let Some(note) = curve.notes.get(index) {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\" fill=\"{}\">{}</text>",
                x + 6.0,
                y - 5.0,
                curve.colour,
                escape(note)
            );
        }
    }
}
