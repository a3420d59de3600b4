//! What the files of an artifact are: a chart, a descriptor, or neither.

use serde_json::Value;
use smo_core::yaml;

use crate::archive::Files;

/// What files are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// `<folder>/Chart.yaml` is there.
    Chart(ChartFacts),
    /// The text of the YAML file with the root key `hdaGraph`.
    Descriptor(String),
    /// Several such files of which none is to be preferred.
    Ambiguous(Vec<String>),
    /// Neither a chart nor a descriptor.
    Neither,
}

/// What `Chart.yaml` says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChartFacts {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The whole of it.
    pub(crate) metadata: Value,
}

/// What the files of an archive are.
pub(crate) fn of_files(files: &Files) -> Content {
    if let Some(chart) = chart(files) {
        return Content::Chart(chart);
    }
    let descriptors: Vec<(&str, &str)> = files
        .iter()
        .filter(|(path, _)| path.ends_with(".yaml") || path.ends_with(".yml"))
        .filter_map(|(path, bytes)| text(bytes).map(|text| (path.as_str(), text)))
        .filter(|(_, text)| is_descriptor(text))
        .collect();
    let named = |stem: &str| {
        descriptors.iter().find(|(path, _)| {
            let file = path.rsplit('/').next().unwrap_or_default();
            file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")) == Some(stem)
        })
    };
    let chosen = match descriptors.as_slice() {
        [] => return Content::Neither,
        [only] => Some(only),
        _ => named("hdag").or_else(|| named("descriptor")),
    };
    match chosen {
        Some((_, text)) => Content::Descriptor((*text).to_owned()),
        None => Content::Ambiguous(descriptors.iter().map(|(path, _)| (*path).to_owned()).collect()),
    }
}

/// What a single text is.
pub(crate) fn of_text(bytes: &[u8]) -> Content {
    match text(bytes) {
        Some(text) if is_descriptor(text) => Content::Descriptor(text.to_owned()),
        _ => Content::Neither,
    }
}

/// The text of bytes, without a byte-order mark.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// True for YAML with the root key `hdaGraph`. A text that is no YAML is a descriptor when a line begins so: whoever
/// reads it then says what is wrong with it.
pub(crate) fn is_descriptor(text: &str) -> bool {
    match yaml::parse(text, yaml::Limits::default()) {
        Ok(root) => root.get("hdaGraph").is_some(),
        Err(_) => text
            .lines()
            .any(|line| line.starts_with("hdaGraph:") || line.starts_with("\"hdaGraph\"")),
    }
}

/// The chart whose folder is at the top of an archive. Charts within a chart lie deeper.
pub(crate) fn chart(files: &Files) -> Option<ChartFacts> {
    let is_chart = |path: &str| path.split_once('/').is_some_and(|(_, file)| file == "Chart.yaml");
    let (_, bytes) = files.iter().find(|(path, _)| is_chart(path))?;
    chart_facts(bytes)
}

/// What a `Chart.yaml` says; none when it has no name or no version.
pub(crate) fn chart_facts(bytes: &[u8]) -> Option<ChartFacts> {
    let root = yaml::parse(text(bytes)?, yaml::Limits::default()).ok()?;
    let field = |key: &str| {
        root.get(key)
            .and_then(|node| node.scalar_text().map(str::to_owned))
    };
    Some(ChartFacts {
        name: field("name")?,
        version: field("version")?,
        metadata: root.to_json(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    const GRAPH: &str = "hdaGraph: {id: g}";
    const CHART: &str = "apiVersion: v2\nname: web\nversion: 0.1.0\n";

    #[rstest]
    #[case(&[("web/Chart.yaml", CHART), ("web/hdag.yaml", GRAPH)], "chart web 0.1.0")]
    #[case(&[("web/Chart.yaml", "\u{feff}name: web\nversion: 0.1.0")], "chart web 0.1.0")]
    #[case(&[("Chart.yaml", CHART)], "neither")]
    #[case(&[("a/b/Chart.yaml", CHART)], "neither")]
    #[case(&[("web/Chart.yaml", "name: web")], "neither")]
    #[case(&[("g/graph.yml", GRAPH), ("g/values.yaml", "a: 1"), ("g/readme.md", GRAPH)], GRAPH)]
    #[case(&[("graph.yaml", "# top\n---\nhdaGraph:\n  id: h\n")], "# top\n---\nhdaGraph:\n  id: h\n")]
    #[case(&[("g/a.yaml", "hdaGraph:\n  id: [\n")], "hdaGraph:\n  id: [\n")]
    #[case(&[("g/a.yaml", GRAPH), ("g/hdag.yml", "hdaGraph: {id: h}")], "hdaGraph: {id: h}")]
    #[case(&[("g/a.yaml", GRAPH), ("g/descriptor.yaml", "hdaGraph: {id: d}")], "hdaGraph: {id: d}")]
    #[case(&[("g/a.yaml", GRAPH), ("g/b.yaml", GRAPH)], "several: g/a.yaml g/b.yaml")]
    #[case(&[("g/a.yaml", "graph: {}")], "neither")]
    #[case(&[], "neither")]
    fn what_files_are(#[case] list: &[(&str, &str)], #[case] expected: &str) {
        let shown = match of_files(&files(list)) {
            Content::Chart(chart) => format!("chart {} {}", chart.name, chart.version),
            Content::Descriptor(text) => text,
            Content::Ambiguous(names) => format!("several: {}", names.join(" ")),
            Content::Neither => "neither".to_owned(),
        };
        assert_eq!(shown, expected);
    }

    #[rstest]
    #[case(GRAPH.as_bytes(), true)]
    #[case(b"{\"hdaGraph\": {}}", true)]
    #[case(b"a: hdaGraph", false)]
    #[case(&[0xff, 0xfe], false)]
    fn what_a_text_is(#[case] bytes: &[u8], #[case] is_descriptor: bool) {
        assert_eq!(of_text(bytes) != Content::Neither, is_descriptor);
    }
}
