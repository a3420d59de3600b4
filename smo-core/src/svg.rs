//! What every picture needs: text that means itself.

/// Text that means itself in SVG.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no way to write other control characters.
            control if control.is_control() && !matches!(control, '\t' | '\n' | '\r') => out.push('?'),
            other => out.push(other),
        }
    }
    out
}

/// The first characters of a text that has more than `most`, with an ellipsis.
#[must_use]
pub fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out_of_the_picture() {
        assert_eq!(escape("a<b & \"c\"\u{0}>"), "a&lt;b &amp; &quot;c&quot;?&gt;");
        assert_eq!(shorten("abcdef", 4), "abc…");
    }
}
