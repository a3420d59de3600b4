//! Just enough reading of Rust source for the layering rules: code without comments, strings and tests, and the paths in it.

use std::path::{Path, PathBuf};

/// One source file.
pub(crate) struct Source {
    /// Where it is, from the workspace root.
    pub(crate) path: PathBuf,
    /// As written.
    pub(crate) text: String,
    /// Comments, literals and `#[cfg(test)]` items blanked; lines stay where they are.
    pub(crate) code: String,
}

impl Source {
    fn read(root: &Path, path: &Path) -> Self {
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let code = without_tests(&code_only(&text));
        Self {
            path: path.strip_prefix(root).unwrap_or(path).to_owned(),
            text,
            code,
        }
    }

    /// The module path below the crate root: `["plan", "diff"]` for `plan/diff.rs`, none for `lib.rs`.
    pub(crate) fn module(&self) -> Vec<String> {
        let below = self
            .path
            .components()
            .skip_while(|part| part.as_os_str() != "src")
            .skip(1);
        let mut parts: Vec<String> = below
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        if let Some(file) = parts.pop()
            && !["mod.rs", "lib.rs", "main.rs"].contains(&file.as_str())
        {
            parts.push(file.trim_end_matches(".rs").to_owned());
        }
        parts
    }
}

/// A made-up source file, for tests of the rules.
pub(crate) fn sample(path: &str, text: &str) -> Source {
    Source {
        path: path.into(),
        text: text.to_owned(),
        code: without_tests(&code_only(text)),
    }
}

/// Every source file below `folder`, in order of name, without the modules that only tests have.
pub(crate) fn sources(root: &Path, folder: &str) -> Vec<Source> {
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    files.sort();
    let test_only: Vec<PathBuf> = files.iter().flat_map(|file| test_modules(file)).collect();
    files.retain(|file| {
        !test_only
            .iter()
            .any(|only| file.starts_with(only) || *file == only.with_extension("rs"))
    });
    files.iter().map(|file| Source::read(root, file)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// The folders of modules declared as `#[cfg(test)] mod name;` in `file`.
fn test_modules(file: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let is_root = file
        .file_name()
        .is_some_and(|name| name == "mod.rs" || name == "lib.rs");
    let folder = if is_root {
        file.with_file_name("")
    } else {
        file.with_extension("")
    };
    let code = code_only(&text);
    let declared = code.split(TEST_ATTRIBUTE).skip(1).filter_map(|rest| {
        let (name, _) = rest.trim_start().strip_prefix("mod ")?.split_once(';')?;
        name.chars()
            .all(|c| c.is_alphanumeric() || c == '_')
            .then(|| folder.join(name))
    });
    declared.collect()
}

const TEST_ATTRIBUTE: &str = "#[cfg(test)]";

/// Blanks comments and the insides of string and character literals; keeps every line break.
fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_or_comment(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that begins at `at` ends; `at` itself when none begins there.
fn literal_or_comment(chars: &[char], at: usize) -> usize {
    let get = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let skip_to = |from: usize, end: &str| {
        let end: Vec<char> = end.chars().collect();
        let found = (from..chars.len()).find(|&i| chars[i..].starts_with(&end));
        found.map_or(chars.len(), |i| i + end.len())
    };
    let in_word = at > 0 && (get(at - 1).is_alphanumeric() || get(at - 1) == '_');
    match (get(at), get(at + 1)) {
        ('/', '/') => (at..chars.len())
            .find(|&i| chars[i] == '\n')
            .unwrap_or(chars.len()),
        ('/', '*') => {
            let (mut depth, mut i) = (1, at + 2);
            while depth > 0 && i < chars.len() {
                match (get(i), get(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
            }
            i
        }
        ('"', _) => {
            let mut i = at + 1;
            while i < chars.len() && chars[i] != '"' {
                i += if chars[i] == '\\' { 2 } else { 1 };
            }
            (i + 1).min(chars.len())
        }
        ('r', '"' | '#') if !in_word || get(at - 1) == 'b' => {
            let hashes = chars[at + 1..].iter().take_while(|&&c| c == '#').count();
            if get(at + 1 + hashes) == '"' {
                skip_to(at + 2 + hashes, &format!("\"{}", "#".repeat(hashes)))
            } else {
                at // a raw identifier
            }
        }
        ('\'', '\\') => skip_to(at + 3, "'"),
        ('\'', _) if get(at + 2) == '\'' => at + 3,
        _ => at,
    }
}

/// Blanks every item that stands under `#[cfg(test)]`. Expects the output of [`code_only`].
fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(TEST_ATTRIBUTE) {
        out.push_str(&rest[..at]);
        let item = &rest[at..];
        let mut depth = 0_usize;
        let end = item.char_indices().skip(TEST_ATTRIBUTE.len()).find_map(|(i, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            (depth == 0 && (c == '}' || c == ';')).then_some(i + 1)
        });
        let (gone, after) = item.split_at(end.unwrap_or(item.len()));
        out.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// One path in code, such as `crate::plan::Change`, with `use` trees spelled out, and its line from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PathUse {
    pub(crate) line: usize,
    pub(crate) parts: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    PathSeparator,
    Other(char),
}

/// Every path in `code`; single words are paths of one part.
pub(crate) fn paths(code: &str) -> Vec<PathUse> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((line, token)) = tokens.get(at) {
        match token {
            Token::Word(word) if word == "use" => {
                at += 1;
                use_tree(&tokens, &mut at, &[], &mut found);
            }
            Token::Word(word) => {
                let mut parts = vec![word.clone()];
                while let (Some((_, Token::PathSeparator)), Some((_, Token::Word(next)))) =
                    (tokens.get(at + 1), tokens.get(at + 2))
                {
                    parts.push(next.clone());
                    at += 2;
                }
                found.push(PathUse { line: *line, parts });
                at += 1;
            }
            _ => at += 1,
        }
    }
    found
}

/// Spells out one branch of a `use` tree: stops at the `,`, `}` or `;` that ends it.
fn use_tree(tokens: &[(usize, Token)], at: &mut usize, prefix: &[String], found: &mut Vec<PathUse>) {
    let mut parts = prefix.to_vec();
    let mut grouped = false;
    let mut first_line = None;
    while let Some((line, token)) = tokens.get(*at) {
        first_line.get_or_insert(*line);
        match token {
            Token::Word(word) if word == "as" => *at += 1,
            Token::Word(word) => parts.push(word.clone()),
            Token::Other('{') => {
                grouped = true;
                loop {
                    *at += 1;
                    use_tree(tokens, at, &parts, found);
                    if !matches!(tokens.get(*at), Some((_, Token::Other(',')))) {
                        break;
                    }
                }
            }
            Token::Other(',' | '}' | ';') => break,
            _ => {}
        }
        *at += 1;
    }
    if !grouped && parts.len() > prefix.len() {
        found.push(PathUse {
            line: first_line.unwrap_or(0),
            parts,
        });
    }
}

fn tokens(code: &str) -> Vec<(usize, Token)> {
    let mut found = Vec::new();
    for (line, text) in code.lines().enumerate() {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let (token, length) = if is_word(first) {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (Token::Word(rest[..length].to_owned()), length)
            } else if rest.starts_with("::") {
                (Token::PathSeparator, 2)
            } else {
                (Token::Other(first), first.len_utf8())
            };
            if !first.is_whitespace() {
                found.push((line + 1, token));
            }
            rest = &rest[length..];
        }
    }
    found
}
