//! The plan as a picture: clusters as boxes with their use, services in them, links between.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{DeploymentPlan, ServicePlan, Start, Target};
use crate::cluster::{Cluster, Inventory, Readiness};
use crate::id::{ClusterName, ServiceId};
use crate::resources::ResourceName;
use crate::svg::{escape, shorten};

const MARGIN: u32 = 24;
const BOX_WIDTH: u32 = 280;
const GUTTER: u32 = 90;
const COLUMNS: usize = 3;
const HEADER: u32 = 60;
const BAR: u32 = 22;
const CARD: u32 = 48;
const CARD_GAP: u32 = 14;
const PAD: u32 = 14;

const STYLE: &str = "text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:12px;fill:#1f2933}\
.title{font-size:18px;font-weight:600}.name{font-size:14px;font-weight:600}.small{font-size:11px;fill:#52606d}\
.cluster{fill:#f7f9fb;stroke:#9aa5b1}.down{fill:#fbeaea;stroke:#cf6679;stroke-dasharray:6 4}\
.chart{fill:#fffbea;stroke:#b08900;stroke-dasharray:2 3}.card{fill:#e3f0ff;stroke:#2f6fb7}\
.waiting{fill:#fff;stroke:#2f6fb7;stroke-dasharray:5 3}.bar{fill:#e4e7eb}.used{fill:#3e8ed0}.other{fill:#9aa5b1}\
.link{fill:none;stroke:#52606d;stroke-width:1.5}.limit{font-size:10px;fill:#52606d}";

/// A box of the picture: a cluster, or the clusters that only the charts know.
struct Area<'a> {
    title: String,
    subtitle: String,
    class: &'static str,
    cluster: Option<&'a Cluster>,
    services: Vec<&'a ServiceId>,
}

/// Where a card is drawn.
#[derive(Clone, Copy)]
struct Card {
    x: u32,
    y: u32,
}

impl DeploymentPlan {
    /// The plan as an SVG picture (self-contained, no scripts): every cluster of `fleet` with its cpu, memory and GPUs,
    /// each service where it runs (dashed while it waits for an alert), and the links with their limits.
    #[must_use]
    pub fn to_svg(&self, fleet: &Inventory) -> String {
        let areas = self.areas(fleet);
        let (cards, boxes, height) = layout(&areas);
        let columns = areas.len().clamp(1, COLUMNS) as u32;
        let width = 2 * MARGIN + columns * BOX_WIDTH + (columns - 1) * GUTTER;
        let mut svg = String::new();
        // Writing to a String cannot fail.
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\
             <title>{title}</title><style>{STYLE}</style>\
             <defs><marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
             <path d=\"M0 0 8 4 0 8z\" fill=\"#52606d\"/></marker></defs>\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\
             <text class=\"title\" x=\"{MARGIN}\" y=\"34\">{title}</text>\
             <text class=\"small\" x=\"{MARGIN}\" y=\"52\">{subtitle}</text>",
            title = escape(&self.title()),
            subtitle = escape(&self.totals_line()),
        );
        for (area, (x, y, box_height)) in areas.iter().zip(&boxes) {
            self.draw_area(&mut svg, area, *x, *y, *box_height);
        }
        self.draw_links(&mut svg, &cards);
        for (id, places) in &cards {
            for card in places {
                self.draw_card(&mut svg, id, *card);
            }
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn areas<'a>(&'a self, fleet: &'a Inventory) -> Vec<Area<'a>> {
        let runs_on = |cluster: &ClusterName| {
            let here = |service: &ServicePlan| service.release.target.clusters().contains(cluster);
            self.services
                .iter()
                .filter(|(_, service)| here(service))
                .map(|(id, _)| id)
                .collect()
        };
        let mut areas: Vec<Area<'a>> = fleet
            .clusters
            .values()
            .map(|cluster| Area {
                title: cluster.name.to_string(),
                subtitle: subtitle(cluster),
                class: if cluster.readiness.is_ready() {
                    "cluster"
                } else {
                    "down"
                },
                cluster: Some(cluster),
                services: runs_on(&cluster.name),
            })
            .collect();
        let unknown = |service: &ServicePlan| match &service.release.target {
            Target::Clusters(_) => false,
            Target::ChosenByChart { declared } => {
                declared.iter().all(|name| fleet.cluster(name.as_str()).is_none())
            }
        };
        let elsewhere: Vec<&ServiceId> = self
            .services
            .iter()
            .filter(|(_, service)| unknown(service))
            .map(|(id, _)| id)
            .collect();
        if !elsewhere.is_empty() {
            areas.push(Area {
                title: "where the charts say".to_owned(),
                subtitle: "static placement".to_owned(),
                class: "chart",
                cluster: None,
                services: elsewhere,
            });
        }
        areas
    }

    fn draw_area(&self, svg: &mut String, area: &Area<'_>, x: u32, y: u32, height: u32) {
        let _ = write!(
            svg,
            "<rect class=\"{}\" x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{height}\" rx=\"8\"/>\
             <text class=\"name\" x=\"{tx}\" y=\"{}\">{}</text><text class=\"small\" x=\"{tx}\" y=\"{}\">{}</text>",
            area.class,
            y + 24,
            escape(&shorten(&area.title, 28)),
            y + 42,
            escape(&shorten(&area.subtitle, 41)),
            tx = x + PAD,
        );
        let Some(cluster) = area.cluster else { return };
        for (row, (resource, offered)) in shown_resources(cluster).into_iter().enumerate() {
            let ours = self.demand_on(&cluster.name, &resource);
            draw_bar(
                svg,
                x + PAD,
                y + HEADER + row as u32 * BAR,
                cluster,
                &resource,
                offered,
                ours,
            );
        }
    }

    /// What this plan takes of a resource on a cluster.
    fn demand_on(&self, cluster: &ClusterName, resource: &ResourceName) -> u64 {
        let of_service = |service: &ServicePlan| match &service.release.target {
            Target::Clusters(assignment) => service
                .release
                .resources
                .amount(resource.as_str())
                .saturating_mul(assignment.on(cluster).into()),
            Target::ChosenByChart { .. } => 0,
        };
        self.services
            .values()
            .map(of_service)
            .fold(0, u64::saturating_add)
    }

    fn draw_card(&self, svg: &mut String, id: &ServiceId, card: Card) {
        let Some(service) = self.services.get(id) else {
            return;
        };
        let waiting = matches!(service.start, Start::OnEvent { .. });
        let detail = if waiting {
            "waits for its alert".to_owned()
        } else {
            service.release.resources.to_string()
        };
        let _ = write!(
            svg,
            "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{CARD}\" rx=\"6\"><title>{}</title></rect>\
             <text x=\"{tx}\" y=\"{}\">{}</text><text class=\"small\" x=\"{tx}\" y=\"{}\">{}</text>",
            if waiting { "waiting" } else { "card" },
            card.x,
            card.y,
            BOX_WIDTH - 2 * PAD,
            escape(&format!("{id}: {}", service.release.resources)),
            card.y + 20,
            escape(&shorten(id.as_str(), 34)),
            card.y + 37,
            escape(&shorten(&detail, 37)),
            tx = card.x + 10,
        );
    }

    fn draw_links(&self, svg: &mut String, cards: &Cards<'_>) {
        for link in &self.requirements.links {
            let ends =
                [&link.from, &link.to].map(|id| cards.get(id).and_then(|places| places.first()).copied());
            let [Some(from), Some(to)] = ends else { continue };
            let (path, middle) = curve(from, to);
            let _ = write!(
                svg,
                "<path class=\"link\" d=\"{path}\" marker-end=\"url(#head)\"/>"
            );
            let limit = match (link.rtt_below, link.max_hops) {
                (Some(rtt), _) => format!("< {rtt}"),
                (None, Some(hops)) => format!("<= {hops} hop"),
                (None, None) => continue,
            };
            let (x, y) = middle;
            let _ = write!(
                svg,
                "<text class=\"limit\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>",
                escape(&limit)
            );
        }
    }
}

/// Cards by service.
type Cards<'a> = BTreeMap<&'a ServiceId, Vec<Card>>;

/// Cards, boxes (x, y, height) in the order of the areas, and the height of the picture.
fn layout<'a>(areas: &[Area<'a>]) -> (Cards<'a>, Vec<(u32, u32, u32)>, u32) {
    let mut cards: Cards<'a> = BTreeMap::new();
    let mut boxes = Vec::new();
    let mut top = 70;
    for row in areas.chunks(COLUMNS) {
        let height = row.iter().map(box_height).max().unwrap_or(0);
        for (column, area) in row.iter().enumerate() {
            let x = MARGIN + column as u32 * (BOX_WIDTH + GUTTER);
            boxes.push((x, top, height));
            let first = top + HEADER + bars(area) * BAR + PAD / 2;
            for (index, id) in area.services.iter().enumerate() {
                let y = first + index as u32 * (CARD + CARD_GAP);
                cards.entry(id).or_default().push(Card { x: x + PAD, y });
            }
        }
        top += height + GUTTER / 2;
    }
    (cards, boxes, top.saturating_sub(GUTTER / 2) + MARGIN)
}

fn bars(area: &Area<'_>) -> u32 {
    area.cluster
        .map_or(0, |cluster| shown_resources(cluster).len() as u32)
}

fn box_height(area: &Area<'_>) -> u32 {
    HEADER + bars(area) * BAR + area.services.len() as u32 * (CARD + CARD_GAP) + PAD
}

/// Cpu, memory, and every extended resource.
fn shown_resources(cluster: &Cluster) -> Vec<(ResourceName, u64)> {
    let shown = |name: &ResourceName| {
        matches!(name.as_str(), ResourceName::CPU | ResourceName::MEMORY) || name.is_extended()
    };
    cluster
        .allocatable
        .iter()
        .filter(|(name, _)| shown(name))
        .map(|(name, amount)| (name.clone(), amount))
        .collect()
}

fn draw_bar(
    svg: &mut String,
    x: u32,
    y: u32,
    cluster: &Cluster,
    resource: &ResourceName,
    offered: u64,
    ours: u64,
) {
    let full = u64::from(BOX_WIDTH - 2 * PAD - 130);
    let share = |amount: u64| {
        if offered == 0 {
            0
        } else {
            (u128::from(amount.min(offered)) * u128::from(full) / u128::from(offered)) as u64
        }
    };
    let others = cluster.allocated.amount(resource.as_str());
    let (grey, blue) = (share(others), share(others.saturating_add(ours)) - share(others));
    let label = resource.as_str().rsplit('/').next().unwrap_or_default();
    let _ = write!(
        svg,
        "<text class=\"small\" x=\"{x}\" y=\"{}\">{}</text><rect class=\"bar\" x=\"{bx}\" y=\"{y}\" width=\"{full}\" height=\"12\" rx=\"2\"/>\
         <rect class=\"other\" x=\"{bx}\" y=\"{y}\" width=\"{grey}\" height=\"12\" rx=\"2\"/>\
         <rect class=\"used\" x=\"{}\" y=\"{y}\" width=\"{blue}\" height=\"12\" rx=\"2\"/>\
         <text class=\"small\" x=\"{}\" y=\"{}\">{} / {}</text>",
        y + 10,
        escape(label),
        u64::from(x) + 52 + grey,
        u64::from(x) + 58 + full,
        y + 10,
        resource.quantity(others.saturating_add(ours)),
        resource.quantity(offered),
        bx = x + 52,
    );
}

/// A curve from one card to another and where to write on it: beside the box when both are in one, else across.
fn curve(from: Card, to: Card) -> (String, (u32, u32)) {
    let width = BOX_WIDTH - 2 * PAD;
    let (y1, y2) = (from.y + CARD / 2, to.y + CARD / 2);
    if from.x == to.x {
        let (x, out) = (from.x + width, from.x + width + 46);
        return (
            format!("M{x} {y1} C{out} {y1} {out} {y2} {x} {y2}"),
            (x + 44, u32::midpoint(y1, y2)),
        );
    }
    let (x1, x2) = if from.x < to.x {
        (from.x + width, to.x)
    } else {
        (from.x, to.x + width)
    };
    let middle = u32::midpoint(x1, x2);
    (
        format!("M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"),
        (middle, u32::midpoint(y1, y2).saturating_sub(6)),
    )
}

fn subtitle(cluster: &Cluster) -> String {
    let mut parts: Vec<String> = cluster.region.iter().cloned().collect();
    match &cluster.readiness {
        Readiness::Ready => {}
        Readiness::NotReady { reason, .. } | Readiness::Unknown { reason } => {
            parts.push(format!("not ready: {reason}"))
        }
    }
    if let Some(carbon) = &cluster.carbon {
        parts.push(format!("{} gCO2e/kWh", carbon.intensity.grams()));
    }
    parts.join(" · ")
}
