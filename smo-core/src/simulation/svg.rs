//! The picture of a simulation: for every service its load and capacity, its replicas by cluster, and what happened.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use super::result::{Happening, ServiceCourse, SimulationResult, elapsed};
use crate::backend::since;
use crate::id::{ClusterName, ServiceKey};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const LOADS: f64 = 130.0;
const REPLICAS: f64 = 70.0;
const TITLE: f64 = 26.0;
const GAP: f64 = 22.0;
/// Colours of clusters that most people can tell apart (Okabe and Ito, <https://jfly.uni-koeln.de/color/>).
const COLOURS: [&str; 7] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999",
];

pub(super) fn picture(result: &SimulationResult) -> String {
    let clusters: BTreeSet<&ClusterName> = result
        .services
        .values()
        .flat_map(|course| course.clusters.iter().flat_map(|at| at.keys()))
        .collect();
    let clusters: Vec<&ClusterName> = clusters.into_iter().collect();
    let panel = TITLE + LOADS + GAP + REPLICAS + GAP;
    let height = panel * count(result.services.len()) + 40.0;
    let mut svg = String::new();
    let _ = write!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12"><title>simulation</title><rect width="100%" height="100%" fill="#ffffff"/>"##
    );
    for (index, (service, course)) in result.services.iter().enumerate() {
        let top = panel * count(index);
        Panel { result, course, top }.draw(&mut svg, service, &clusters);
    }
    let legend = height - 14.0;
    let mut at = LEFT;
    for (colour, name) in [
        ("#444444", "load"),
        ("#009e73", "capacity"),
        ("#d55e00", "overload"),
    ] {
        key(&mut svg, &mut at, legend, colour, name);
    }
    for (index, name) in clusters.iter().enumerate() {
        key(&mut svg, &mut at, legend, colour_of(index), name.as_str());
    }
    svg.push_str("</svg>\n");
    svg
}

#[allow(clippy::cast_precision_loss, reason = "a number of panels or ticks")]
fn count(number: usize) -> f64 {
    number as f64
}

fn colour_of(index: usize) -> &'static str {
    COLOURS[index % COLOURS.len()]
}

fn key(svg: &mut String, at: &mut f64, y: f64, colour: &str, name: &str) {
    let _ = write!(
        svg,
        r#"<rect x="{at:.1}" y="{:.1}" width="10" height="10" fill="{colour}"/><text x="{:.1}" y="{y:.1}">{name}</text>"#,
        y - 10.0,
        *at + 14.0
    );
    *at += 26.0 + 7.0 * count(name.len());
}

struct Panel<'a> {
    result: &'a SimulationResult,
    course: &'a ServiceCourse,
    top: f64,
}

impl Panel<'_> {
    fn x(&self, elapsed: Duration) -> f64 {
        let whole = self.course.tick.as_secs_f64() * count(self.course.load.len()).max(1.0);
        LEFT + (WIDTH - LEFT - RIGHT) * (elapsed.as_secs_f64() / whole).min(1.0)
    }

    fn tick(&self, index: usize) -> f64 {
        self.x(self.course.tick.mul_f64(count(index)))
    }

    fn draw(&self, svg: &mut String, service: &ServiceKey, clusters: &[&ClusterName]) {
        let summary = self.course.summary();
        let _ = write!(
            svg,
            r#"<text x="{LEFT}" y="{:.1}" font-weight="bold">{service}</text><text x="{:.1}" y="{:.1}" text-anchor="end">overloaded {:.1} %, {:.2} replica-hours</text>"#,
            self.top + 18.0,
            WIDTH - RIGHT,
            self.top + 18.0,
            summary.violations * 100.0,
            summary.replica_hours
        );
        self.loads(svg);
        self.replicas(svg, clusters);
        self.happenings(svg, service);
    }

    fn loads(&self, svg: &mut String) {
        let rates = self.course.load.iter().chain(&self.course.capacity);
        let most = rates.map(|rate| rate.to_f64()).fold(0.0, f64::max).max(1e-6);
        let base = self.top + TITLE + LOADS;
        let y = |value: f64| base - LOADS * value / most;
        self.axis(svg, base, LOADS, &format!("{most:.0} req/s"));
        for (index, (load, capacity)) in self.course.load.iter().zip(&self.course.capacity).enumerate() {
            if load > capacity {
                let (from, to) = (y(load.to_f64()), y(capacity.to_f64()));
                let (left, right) = (self.tick(index), self.tick(index + 1));
                let _ = write!(
                    svg,
                    r##"<rect x="{left:.1}" y="{from:.1}" width="{:.1}" height="{:.1}" fill="#d55e00" fill-opacity="0.5"/>"##,
                    right - left,
                    to - from
                );
            }
        }
        for (values, colour) in [(&self.course.capacity, "#009e73"), (&self.course.load, "#444444")] {
            let mut path = String::new();
            for (index, rate) in values.iter().enumerate() {
                let command = if index == 0 { 'M' } else { 'L' };
                let at = y(rate.to_f64());
                let _ = write!(
                    path,
                    "{command}{:.1} {at:.1}L{:.1} {at:.1}",
                    self.tick(index),
                    self.tick(index + 1)
                );
            }
            let _ = write!(
                svg,
                r#"<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>"#
            );
        }
    }

    fn replicas(&self, svg: &mut String, clusters: &[&ClusterName]) {
        let most = f64::from(self.course.ready.iter().copied().max().unwrap_or(0).max(1));
        let base = self.top + TITLE + LOADS + GAP + REPLICAS;
        self.axis(svg, base, REPLICAS, &format!("{most} replicas"));
        let mut start = 0;
        while start < self.course.clusters.len() {
            let here = &self.course.clusters[start];
            let alike = self.course.clusters[start..].iter().take_while(|at| *at == here);
            let end = start + alike.count();
            let mut below = 0.0;
            for (index, name) in clusters.iter().enumerate() {
                let replicas = f64::from(here.get(*name).copied().unwrap_or(0));
                if replicas > 0.0 {
                    let high = REPLICAS * replicas / most;
                    let _ = write!(
                        svg,
                        r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{high:.1}" fill="{}"/>"#,
                        self.tick(start),
                        base - below - high,
                        self.tick(end) - self.tick(start),
                        colour_of(index)
                    );
                    below += high;
                }
            }
            start = end;
        }
    }

    fn axis(&self, svg: &mut String, base: f64, height: f64, top: &str) {
        let _ = write!(
            svg,
            r##"<path d="M{LEFT} {:.1}V{base:.1}H{:.1}" fill="none" stroke="#999999"/><text x="{:.1}" y="{:.1}" text-anchor="end" font-size="10">{top}</text>"##,
            base - height,
            WIDTH - RIGHT,
            LEFT - 4.0,
            base - height + 9.0
        );
    }

    /// Moves of this service and failures of clusters, as lines with their words.
    fn happenings(&self, svg: &mut String, service: &ServiceKey) {
        for (at, happening) in &self.result.happenings {
            let shown = match happening {
                Happening::Scaled { .. } | Happening::NotPlaced { .. } => false,
                Happening::Moved { service: moved, .. } | Happening::Edited { service: moved, .. } => {
                    moved == service
                }
                Happening::ClusterFailed { .. } | Happening::ClusterReturned { .. } => true,
            };
            if shown {
                let x = self.x(since(*at, self.result.start));
                let _ = write!(
                    svg,
                    r##"<path d="M{x:.1} {:.1}V{:.1}" stroke="#cc79a7" stroke-dasharray="3 2"/><text x="{:.1}" y="{:.1}" font-size="10">{} {happening}</text>"##,
                    self.top + TITLE,
                    self.top + TITLE + LOADS + GAP + REPLICAS,
                    x + 3.0,
                    self.top + TITLE + LOADS + 12.0,
                    elapsed(self.result.start, *at)
                );
            }
        }
    }
}
