//! Why there is no answer.

use std::path::PathBuf;

use smo_core::diagnostic::Violations;
use smo_core::scaling::SamplesError;
use thiserror::Error;

use super::FORMATS;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// No such format.
    #[error("there is no format `{0}`")]
    UnknownFormat(String),
    /// No file, or no text.
    #[error("{} cannot be read: {why}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The file is not what the format says.
    #[error("{}:{line}: {message}", .path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        message: String,
        /// What to try.
        hint: String,
    },
    /// A problem of the library is refused: every fault, with its line.
    #[error(transparent)]
    Violations(#[from] Violations),
    /// A file holds no samples.
    #[error("{}, {error}", .path.display())]
    Samples {
        /// The file.
        path: PathBuf,
        /// Where and what.
        error: SamplesError,
    },
    /// The samples are sound, and what was asked for cannot be had from them.
    #[error("{what}: {why}")]
    Refused {
        /// What was asked for.
        what: String,
        /// Why not.
        why: String,
        /// What to try.
        hint: String,
    },
    /// The solver failed.
    #[error("{what} got no answer: {why}")]
    Failed {
        /// Which problem.
        what: String,
        /// What the solver says.
        why: String,
    },
    /// The answer does not stand up to the check.
    #[error("the answer to {what} is wrong, and is not shown: {}", .faults.join("; "))]
    Wrong {
        /// Which problem.
        what: String,
        /// What the checker found.
        faults: Vec<String>,
    },
}

impl Fault {
    /// What to try.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::UnknownFormat(_) => {
                let names: Vec<&str> = FORMATS.iter().map(|format| format.name()).collect();
                vec![format!("one of {}", names.join(", "))]
            }
            Self::Unreadable { .. } => vec!["the path of a file of text that is there".to_owned()],
            Self::Bad { hint, .. } => vec![hint.clone()],
            // each fault is shown with its own
            Self::Violations(_) => Vec::new(),
            Self::Samples { error, .. } => vec![error.hint.clone()],
            Self::Refused { hint, .. } => vec![hint.clone()],
            Self::Failed { .. } => vec!["smaller numbers, or more --seconds".to_owned()],
            Self::Wrong { .. } => {
                vec!["this is a bug of the solver: please report it with the file".to_owned()]
            }
        }
    }
}
