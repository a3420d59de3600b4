//! Fenced blocks of Markdown files, the commands in them, and the output they promise.

/// One fenced block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Line of the opening fence, from 1.
    pub(crate) line: usize,
    /// First word of the info string: `rust`, `console`; empty when there is none.
    pub(crate) language: String,
    /// The other words of the info string: `ignore`, `no_run`.
    pub(crate) flags: Vec<String>,
    /// The lines between the fences, without the fence's own indentation.
    pub(crate) lines: Vec<String>,
}

/// One line `$ command`, and the lines below it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// Line of the `$`, from 1.
    pub(crate) line: usize,
    /// The words of the command; none holds a blank.
    pub(crate) words: Vec<String>,
    /// What the page shows below it; empty when it shows nothing.
    pub(crate) output: Vec<String>,
}

/// Every fenced block of `text`. A fence that is not closed runs to the end, as in CommonMark.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let bare = line.trim_start();
        let Some(mark) = bare.chars().next().filter(|c| matches!(c, '`' | '~')) else {
            continue;
        };
        let length = bare.chars().take_while(|&c| c == mark).count();
        let info = &bare[length..];
        if length < 3 || (mark == '`' && info.contains('`')) {
            continue;
        }
        let indent = line.len() - bare.len();
        let mut words = info
            .split(|c: char| c.is_whitespace() || c == ',')
            .filter(|word| !word.is_empty());
        let language = words.next().unwrap_or_default().to_owned();
        let flags = words.map(str::to_owned).collect();
        let body = lines.by_ref().map(|(_, line)| line).take_while(|line| {
            let end = line.trim();
            !(end.len() >= length && end.chars().all(|c| c == mark))
        });
        let body = body.map(|line| {
            let blanks = line.len() - line.trim_start().len();
            line[blanks.min(indent)..].to_owned()
        });
        let lines = body.collect();
        found.push(Block {
            line: index + 1,
            language,
            flags,
            lines,
        });
    }
    found
}

impl Block {
    /// Whether readers take it for something to type.
    pub(crate) fn is_console(&self) -> bool {
        matches!(self.language.as_str(), "console" | "sh" | "bash" | "shell")
    }

    /// Every command in it; a `\` at the end of a line joins the next.
    pub(crate) fn commands(&self) -> Vec<Command> {
        let mut found: Vec<Command> = Vec::new();
        let mut joined = false;
        for (index, line) in self.lines.iter().enumerate() {
            let typed = line.strip_prefix("$ ").or(joined.then_some(line.as_str()));
            if let Some(typed) = typed {
                let words = typed.trim_end_matches('\\').split_whitespace().map(str::to_owned);
                match found.last_mut() {
                    Some(command) if joined => command.words.extend(words),
                    _ => found.push(Command {
                        line: self.line + index + 1,
                        words: words.collect(),
                        output: Vec::new(),
                    }),
                }
                joined = typed.ends_with('\\');
            } else if let Some(command) = found.last_mut() {
                command.output.push(line.clone());
            }
        }
        for command in &mut found {
            while command.output.last().is_some_and(|line| line.trim().is_empty()) {
                command.output.pop();
            }
        }
        found
    }
}

/// Whether `actual` is what the page shows. In the page, a line `...` stands for any lines, and `[..]` in a line for
/// any characters: times, and parts left out. Blanks at the end of a line do not count.
pub(crate) fn matches_output(shown: &[String], actual: &[&str]) -> bool {
    match (shown, actual) {
        ([], []) => true,
        ([first, rest @ ..], _) if first.trim() == "..." => {
            (0..=actual.len()).any(|skipped| matches_output(rest, &actual[skipped..]))
        }
        ([shown, more @ ..], [line, lines @ ..]) => {
            matches_line(shown.trim_end(), line.trim_end()) && matches_output(more, lines)
        }
        _ => false,
    }
}

fn matches_line(shown: &str, actual: &str) -> bool {
    match shown.split_once("[..]") {
        None => shown == actual,
        Some((start, rest)) => actual.strip_prefix(start).is_some_and(|left| {
            let mut ends = left.char_indices().map(|(at, _)| at).chain([left.len()]);
            ends.any(|at| matches_line(rest, &left[at..]))
        }),
    }
}

mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<String> {
        text.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn fences_are_found_with_their_lines() {
        let text = "# A\n\n```rust,no_run\nfn main() {}\n```\n\ninline ```x``` is none\n\n1. step\n   ~~~~ console\n   $ a\n   ~~~\n     b\n   ~~~~\n\n```\nbare\n";
        assert_eq!(
            blocks(text),
            [
                Block {
                    line: 3,
                    language: "rust".into(),
                    flags: words(&["no_run"]),
                    lines: words(&["fn main() {}"])
                },
                Block {
                    line: 10,
                    language: "console".into(),
                    flags: vec![],
                    lines: words(&["$ a", "~~~", "  b"])
                },
                Block {
                    line: 16,
                    language: String::new(),
                    flags: vec![],
                    lines: words(&["bare"])
                },
            ]
        );
    }

    #[test]
    fn commands_are_found_with_what_they_promise() {
        let text =
            "```console\n$ cargo run \\\n    --example plan\nfirst\n\nsecond\n\n$ cargo xtask test\n```\n";
        assert_eq!(
            blocks(text)[0].commands(),
            [
                Command {
                    line: 2,
                    words: words(&["cargo", "run", "--example", "plan"]),
                    output: words(&["first", "", "second"]),
                },
                Command {
                    line: 8,
                    words: words(&["cargo", "xtask", "test"]),
                    output: vec![]
                },
            ]
        );
    }

    #[test]
    fn output_matches_with_gaps_and_without() {
        let actual = ["placed in 0.3 ms", "a", "b", "end"];
        for shown in [
            &["placed in 0.3 ms", "a", "b", "end"][..],
            &["placed in [..] ms", "...", "end"],
            &["..."],
            &["[..]", "a", "...", "b", "end  "],
        ] {
            assert!(matches_output(&words(shown), &actual), "{shown:?}");
        }
        for shown in [
            &[][..],
            &["placed in 0.3 ms", "a", "b"],
            &["placed in [..] s", "..."],
            &["...", "a", "end"],
            &["placed in 0.3 ms", "a", "b", "end", "more"],
        ] {
            assert!(!matches_output(&words(shown), &actual), "{shown:?}");
        }
    }
}
