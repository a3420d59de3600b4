//! The page that comes out.

use std::fmt::Write as _;

/// Markdown, in the order it was written.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn section(&mut self, title: &str, text: &str) {
        let _ = write!(self.0, "\n## {title}\n\n{}\n", text.trim_end());
    }

    pub(crate) fn line(&mut self, text: &str) {
        let _ = write!(self.0, "\n{text}\n");
    }

    pub(crate) fn text(self) -> String {
        self.0.trim_start().to_owned()
    }
}

/// A table with these columns.
#[derive(Debug)]
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let rule = vec!["---"; columns.len()];
        Self(format!("{}{}", row(columns), row(&rule)))
    }

    pub(crate) fn add(&mut self, cells: &[&str]) {
        self.0.push_str(&row(cells));
    }

    pub(crate) fn text(self) -> String {
        self.0
    }
}

fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}
