//! A picture of services in rows and what happens to them in columns: a map of cells, each with a colour and a few words.

use std::fmt::Write as _;

use crate::svg::{escape, shorten};

/// Of all pictures of placement.
const STYLE: &str = "text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif;font-size:12px;fill:#1f2933}\
.title{font-size:16px;font-weight:600}.small{font-size:11px;fill:#52606d}.here{fill:#cfe8d5;stroke:#2f855a}\
.priced{stroke:#9aa5b1}.closed{fill:#f1f3f5;stroke:#d0d5db}.moved{fill:#fdeec8;stroke:#b08900}.broken{fill:#fbd5d5;stroke:#c53030}\
.axis{stroke:#52606d}.front{fill:none;stroke:#2f6fb7;stroke-width:1.5}\
.proved{fill:#2f6fb7}.open{fill:#fff;stroke:#2f6fb7;stroke-width:1.5}";

pub(super) const MARGIN: u32 = 24;
const NAME: u32 = 190;
const CELL: u32 = 170;
const ROW: u32 = 40;
const TOP: u32 = 78;
const NOTE: u32 = 18;
/// A map without columns is as wide as its notes.
const NARROWEST: u32 = 640;

/// What a cell says, by its colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shade {
    /// It runs here.
    Here,
    /// It could, at a price: the colour.
    Priced(String),
    /// A rule forbids it.
    Closed,
    /// It moves here.
    Moved,
    /// It runs nowhere.
    Broken,
}

impl Shade {
    const fn class(&self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Priced(_) => "priced",
            Self::Closed => "closed",
            Self::Moved => "moved",
            Self::Broken => "broken",
        }
    }
}

/// A coloured field with a text, which is shortened there and whole in its tooltip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) shade: Shade,
    pub(super) text: String,
}

impl Cell {
    pub(super) fn new(shade: Shade, text: impl Into<String>) -> Self {
        Self {
            shade,
            text: text.into(),
        }
    }
}

/// The picture.
#[derive(Debug, Default)]
pub(super) struct Map {
    pub(super) title: String,
    pub(super) columns: Vec<String>,
    /// A name, and a cell or nothing for each column.
    pub(super) rows: Vec<(String, Vec<Option<Cell>>)>,
    /// Lines below the map.
    pub(super) notes: Vec<String>,
}

impl Map {
    /// Self-contained, without scripts.
    pub(super) fn to_svg(&self) -> String {
        let count = |length: usize| u32::try_from(length).unwrap_or(0);
        let mut width = MARGIN * 2 + NAME + CELL * count(self.columns.len());
        if !self.notes.is_empty() {
            width = width.max(NARROWEST);
        }
        let below = TOP + ROW * count(self.rows.len());
        let mut svg = head(width, below + NOTE * count(self.notes.len()) + MARGIN);
        let _ = write!(
            svg,
            "<title>{title}</title><text class=\"title\" x=\"{MARGIN}\" y=\"34\">{title}</text>",
            title = escape(&self.title)
        );
        let x = |column: u32| MARGIN + NAME + column * CELL;
        for (column, name) in (0..).zip(&self.columns) {
            let name = escape(&shorten(name, 24));
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{}\">{name}</text>",
                x(column) + 8,
                TOP - 12
            );
        }
        for (row, (name, cells)) in (0..).zip(&self.rows) {
            let y = TOP + row * ROW;
            let name = escape(&shorten(name, 28));
            let _ = write!(svg, "<text x=\"{MARGIN}\" y=\"{}\">{name}</text>", y + 24);
            for (column, cell) in (0..).zip(cells) {
                if let Some(cell) = cell {
                    draw(&mut svg, cell, x(column), y);
                }
            }
        }
        for (number, note) in (1..).zip(&self.notes) {
            let _ = write!(
                svg,
                "<text class=\"small\" x=\"{MARGIN}\" y=\"{}\">{}</text>",
                below + number * NOTE,
                escape(note)
            );
        }
        svg.push_str("</svg>");
        svg
    }
}

/// What every picture begins with.
pub(super) fn head(width: u32, height: u32) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\"><style>{STYLE}</style>"
    )
}

fn draw(svg: &mut String, Cell { shade, text }: &Cell, x: u32, y: u32) {
    let fill = match shade {
        Shade::Priced(colour) => format!(" fill=\"{colour}\""),
        _ => String::new(),
    };
    let _ = write!(
        svg,
        "<g><title>{}</title><rect class=\"{}\"{fill} x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"3\"/>\
         <text class=\"small\" x=\"{}\" y=\"{}\">{}</text></g>",
        escape(text),
        shade.class(),
        CELL - 6,
        ROW - 6,
        x + 8,
        y + 21,
        escape(&shorten(text, 26)),
    );
}
