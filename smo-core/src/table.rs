//! Plain columns of text: no lines, two spaces between columns, nothing at the end of a line.

use std::fmt;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Width, presets};

/// A table for people, printed by `Display`.
///
/// ```
/// use smo_core::table::Table;
/// let table = Table::new(&["service", "replicas"]).right(1).row(["web", "2"]).row(["a-long-name", "10"]);
/// assert_eq!(table.to_string(), "  service      replicas\n  web                 2\n  a-long-name        10\n");
/// ```
#[derive(Debug, Clone)]
pub struct Table {
    inner: comfy_table::Table,
    /// Whether a column has a text below its title.
    used: Vec<bool>,
}

impl Table {
    /// A table with these column titles.
    #[must_use]
    pub fn new(titles: &[&str]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled);
        inner.set_header(titles.iter().copied());
        for column in inner.column_iter_mut() {
            column
                .set_padding((0, 2))
                .set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(1)));
        }
        Self {
            inner,
            used: vec![false; titles.len()],
        }
    }

    /// The same with the texts of a column at its right edge.
    #[must_use]
    pub fn right(mut self, column: usize) -> Self {
        if let Some(column) = self.inner.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self
    }

    /// The same with one more row.
    #[must_use]
    pub fn row<T: ToString>(mut self, cells: impl IntoIterator<Item = T>) -> Self {
        self.push(cells);
        self
    }

    /// Adds a row.
    pub fn push<T: ToString>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells: Vec<String> = cells.into_iter().map(|cell| cell.to_string()).collect();
        for (used, cell) in self.used.iter_mut().zip(&cells) {
            *used |= !cell.is_empty();
        }
        self.inner.add_row(cells);
    }

    /// The same without columns that have no text below their title.
    #[must_use]
    pub fn without_empty_columns(mut self) -> Self {
        for (column, used) in self.inner.column_iter_mut().zip(&self.used) {
            if !used {
                column.set_constraint(ColumnConstraint::Hidden);
            }
        }
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.inner.lines() {
            writeln!(f, "  {}", line.trim_end())?;
        }
        Ok(())
    }
}
