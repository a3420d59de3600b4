//! Numbers of a text, with the lines they are on.

use super::{Fault, Input};

/// Goes through the words of a text one by one.
#[derive(Debug)]
pub(super) struct Words<'a> {
    input: &'a Input,
    lines: std::str::Lines<'a>,
    words: std::str::SplitAsciiWhitespace<'a>,
    line: usize,
    taken: usize,
}

impl<'a> Words<'a> {
    pub(super) fn of(input: &'a Input) -> Self {
        Self {
            input,
            lines: input.text.lines(),
            words: "".split_ascii_whitespace(),
            line: 0,
            taken: 0,
        }
    }

    /// A fault at the word that was read last.
    pub(super) fn fault(&self, message: String, hint: &str) -> Fault {
        Fault::Bad {
            path: self.input.path.clone(),
            line: self.line.max(1),
            message,
            hint: hint.to_owned(),
        }
    }

    fn next(&mut self) -> Option<&'a str> {
        loop {
            if let Some(word) = self.words.next() {
                self.taken += 1;
                return Some(word);
            }
            self.words = self.lines.next()?.split_ascii_whitespace();
            self.line += 1;
        }
    }

    /// The next number, which is called `what` when it is missing or none, and is at least `least`.
    pub(super) fn whole(&mut self, what: impl Fn() -> String, least: i64, hint: &str) -> Result<i64, Fault> {
        let Some(word) = self.next() else {
            let taken = self.taken;
            let message = format!("the file ends after {taken} numbers, before {}", what());
            return Err(self.fault(message, hint));
        };
        match word.parse::<i64>() {
            Ok(number) if number >= least && number < i64::MAX => Ok(number),
            Ok(number) => Err(self.fault(
                format!(
                    "{} is {number}, and has to be {least} or more, and below 2^63 - 1",
                    what()
                ),
                hint,
            )),
            Err(_) => {
                let shown: String = word.chars().take(40).collect();
                Err(self.fault(
                    format!("{} is `{shown}`, and has to be a whole number of 64 bits", what()),
                    hint,
                ))
            }
        }
    }

    /// Nothing may be left.
    pub(super) fn end(&mut self, hint: &str) -> Result<(), Fault> {
        let taken = self.taken;
        match self.next() {
            None => Ok(()),
            Some(word) => {
                let shown: String = word.chars().take(40).collect();
                Err(self.fault(format!("`{shown}` is left over after all {taken} numbers"), hint))
            }
        }
    }
}
