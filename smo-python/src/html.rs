//! Tables for notebooks.

/// Text that means itself in HTML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A table with a caption; every cell is escaped.
pub(crate) fn table(caption: &str, titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let row = |tag: &str, cells: &mut dyn Iterator<Item = String>| {
        let cells: String = cells
            .map(|cell| format!("<{tag} style=\"text-align:left\">{}</{tag}>", escape(&cell)))
            .collect();
        format!("<tr>{cells}</tr>")
    };
    let head = row("th", &mut titles.iter().map(ToString::to_string));
    let body: String = rows
        .into_iter()
        .map(|cells| row("td", &mut cells.into_iter()))
        .collect();
    let caption = escape(caption);
    format!(
        "<table><caption style=\"text-align:left\">{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"
    )
}

/// Lines of text as they are.
pub(crate) fn lines(text: &str) -> String {
    format!("<pre>{}</pre>", escape(text))
}
