//! The answer of Prometheus to a range query
//! (<https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries>).

use jiff::Timestamp;
use serde_json::Value as Json;

use super::SamplesError;
use super::csv::moment;

const SHAPE: &str = "the whole answer to /api/v1/query_range, saved as it came";

/// Moments and values of the one series; values that are no number are left out.
pub(super) fn series(text: &str) -> Result<Vec<(Timestamp, f64)>, SamplesError> {
    let json: Json = serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        SamplesError::new(place, format!("this is no JSON: {error}"), SHAPE)
    })?;
    if json["status"].as_str() != Some("success") {
        let said = json["error"].as_str().unwrap_or("no status `success`");
        return Err(SamplesError::new(
            "status",
            format!("the query failed: {said}"),
            "the query in the expression browser first",
        ));
    }
    match json["data"]["resultType"].as_str() {
        Some("matrix") => {}
        other => {
            let kind = other.unwrap_or("nothing");
            let hint = "query_range rather than query, which answers about one moment";
            return Err(SamplesError::new(
                "data.resultType",
                format!("it is {kind} and no matrix"),
                hint,
            ));
        }
    }
    let Some(result) = json["data"]["result"].as_array() else {
        return Err(SamplesError::new("data.result", "it is no list", SHAPE));
    };
    let only = match result.as_slice() {
        [only] => only,
        [] => return Ok(Vec::new()),
        several => {
            let message = format!(
                "there are {} series, and which is meant is not said",
                several.len()
            );
            return Err(SamplesError::new(
                "data.result",
                message,
                "sum(...) around the query, or labels that leave one",
            ));
        }
    };
    let Some(values) = only["values"].as_array() else {
        return Err(SamplesError::new("data.result[0].values", "it is no list", SHAPE));
    };
    let mut samples: Vec<(Timestamp, f64)> = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let fault =
            |message: String| SamplesError::new(format!("data.result[0].values[{index}]"), message, SHAPE);
        let at = value[0].as_f64().and_then(moment);
        let number = value[1].as_str().and_then(|text| text.parse::<f64>().ok());
        let (Some(at), Some(number)) = (at, number) else {
            let shown: String = value.to_string().chars().take(60).collect();
            return Err(fault(format!(
                "`{shown}` is no pair of a time and a number in quotes"
            )));
        };
        if samples.last().is_some_and(|last| last.0 >= at) {
            return Err(fault(format!("it is at {at}, not after the one before it")));
        }
        if number.is_finite() {
            samples.push((at, number));
        }
    }
    Ok(samples)
}
