//! Comma-separated columns with a header; no quotes, since names and numbers need none.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{SamplesError, WHOLE, whole};

const SHAPE: &str = "a header, then one row a line, with commas between columns: `time,value`";

/// A header and what is below it.
#[derive(Debug)]
pub(super) struct Table<'a> {
    columns: Vec<&'a str>,
    rows: Vec<(usize, &'a str)>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row<'a> {
    line: usize,
    columns: &'a [&'a str],
    fields: Vec<&'a str>,
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

impl<'a> Table<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, SamplesError> {
        let lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()));
        let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let Some((line, header)) = lines.next() else {
            return Err(SamplesError::new("line 1", "there is no header", SHAPE));
        };
        let columns: Vec<&str> = header.split(',').map(str::trim).collect();
        if columns.len() < 2 {
            let message = format!("the header `{}` has one column", shown(header));
            return Err(SamplesError::new(format!("line {line}"), message, SHAPE));
        }
        if columns.iter().all(|column| column.parse::<f64>().is_ok()) {
            let message = "the first line has numbers only, so there is no header";
            return Err(SamplesError::new(format!("line {line}"), message, SHAPE));
        }
        Ok(Self {
            columns,
            rows: lines.collect(),
        })
    }

    pub(super) fn columns(&self) -> &[&'a str] {
        &self.columns
    }

    /// The number of a column by one of its names; the first is what it should be called.
    pub(super) fn column(&self, names: &[&str]) -> Result<usize, SamplesError> {
        let position = self.columns.iter().position(|column| names.contains(column));
        position.ok_or_else(|| {
            let wanted = names.first().copied().unwrap_or_default();
            let there = shown(&self.columns.join(", "));
            let hint = "the columns time, replicas, rate, and utilisation, or latency and unloaded_latency";
            SamplesError::new(
                "line 1",
                format!("there is no column `{wanted}` among {there}"),
                hint,
            )
        })
    }

    pub(super) fn rows(&'a self) -> impl Iterator<Item = Result<Row<'a>, SamplesError>> {
        self.rows.iter().map(|(line, text)| {
            let fields: Vec<&str> = text.split(',').map(str::trim).collect();
            if fields.len() != self.columns.len() {
                let (have, wanted) = (fields.len(), self.columns.len());
                let message = format!("{have} fields where the header has {wanted}");
                return Err(SamplesError::new(format!("line {line}"), message, SHAPE));
            }
            Ok(Row {
                line: *line,
                columns: &self.columns,
                fields,
            })
        })
    }
}

impl Row<'_> {
    fn field(&self, column: usize) -> (&str, &str) {
        let name = self.columns.get(column).copied().unwrap_or_default();
        (name, self.fields.get(column).copied().unwrap_or_default())
    }

    fn fault(&self, column: usize, hint: &str) -> SamplesError {
        let (name, text) = self.field(column);
        let message = format!("{name} is `{}`", shown(text));
        SamplesError::new(format!("line {}", self.line), message, hint)
    }

    /// A number; `None` where nothing is written, or NaN.
    pub(super) fn optional(&self, column: usize) -> Result<Option<f64>, SamplesError> {
        let (_, text) = self.field(column);
        if text.is_empty() || text.eq_ignore_ascii_case("nan") {
            return Ok(None);
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            _ => Err(self.fault(column, "a number with a point, or nothing for a gap")),
        }
    }

    pub(super) fn whole(&self, column: usize, value: f64) -> Result<u32, SamplesError> {
        whole(value).ok_or_else(|| self.fault(column, WHOLE))
    }

    pub(super) fn time(&self, column: usize) -> Result<Timestamp, SamplesError> {
        const HINT: &str = "2026-11-24T10:00:00Z, 2026-11-24 10:00:00, or seconds since 1970";
        let (name, text) = self.field(column);
        if let Ok(number) = text.parse::<f64>() {
            let seconds = match name {
                "minute" => number * 60.0,
                "hour" => number * 3600.0,
                _ => number,
            };
            return moment(seconds).ok_or_else(|| self.fault(column, HINT));
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(at);
        }
        let zoned = text
            .parse::<DateTime>()
            .ok()
            .and_then(|at| at.to_zoned(TimeZone::UTC).ok());
        zoned
            .map(|at| at.timestamp())
            .ok_or_else(|| self.fault(column, HINT))
    }
}

/// Seconds since 1970, to the millisecond.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn moment(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1000.0).round();
    (millis.abs() < 1e15)
        .then(|| Timestamp::from_millisecond(millis as i64).ok())
        .flatten()
}
