//! Licence expressions as crates write them: `(MIT OR Apache-2.0) AND Unicode-3.0`, and the old `MIT/Apache-2.0`.
//!
//! Grammar: SPDX specification 3.0, annex B "SPDX license expressions"; `AND` binds tighter than `OR`.

/// Whether the allowed licences suffice to use something under `expression`.
pub(crate) fn is_allowed(expression: &str, allow: &[String]) -> Result<bool, String> {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, allow };
    let allowed = reader.any()?;
    match reader.words {
        [] => Ok(allowed),
        [word, ..] => Err(format!("`{word}` is out of place in `{expression}`")),
    }
}

struct Reader<'a> {
    words: &'a [&'a str],
    allow: &'a [String],
}

impl Reader<'_> {
    fn any(&mut self) -> Result<bool, String> {
        let mut allowed = self.all()?;
        while self.skip("OR") {
            allowed |= self.all()?;
        }
        Ok(allowed)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut allowed = self.one()?;
        while self.skip("AND") {
            allowed &= self.one()?;
        }
        Ok(allowed)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.skip("(") {
            let allowed = self.any()?;
            return if self.skip(")") {
                Ok(allowed)
            } else {
                Err("a `)` is missing".to_owned())
            };
        }
        let mut licence = self.next()?.to_owned();
        if self.skip("WITH") {
            licence = format!("{licence} WITH {}", self.next()?);
        }
        Ok(self.allow.contains(&licence))
    }

    fn skip(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn next(&mut self) -> Result<&str, String> {
        match self.words {
            [] => Err("the expression ends too early".to_owned()),
            [word @ ("OR" | "AND" | "WITH" | "(" | ")"), ..] => {
                Err(format!("`{word}` stands where a licence should"))
            }
            [word, rest @ ..] => {
                self.words = rest;
                Ok(word)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(expression: &str) -> Result<bool, String> {
        let allow = [
            "MIT",
            "Apache-2.0",
            "Apache-2.0 WITH LLVM-exception",
            "Unicode-3.0",
        ];
        is_allowed(expression, &allow.map(str::to_owned))
    }

    #[test]
    fn expressions_are_weighed() {
        for yes in [
            "MIT",
            "GPL-3.0-only OR MIT",
            "MIT/GPL-2.0",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
            "GPL-3.0-only AND ISC OR MIT",
            "((MIT))",
        ] {
            assert_eq!(allowed(yes), Ok(true), "{yes}");
        }
        for no in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "MIT AND (GPL-3.0-only OR ISC)",
            "MIT WITH Classpath-exception-2.0",
            "mit",
        ] {
            assert_eq!(allowed(no), Ok(false), "{no}");
        }
    }

    #[test]
    fn broken_expressions_are_errors() {
        for broken in ["", "MIT OR", "MIT MIT", "(MIT", "MIT)", "AND MIT", "MIT WITH"] {
            assert!(allowed(broken).is_err(), "{broken}");
        }
    }
}
