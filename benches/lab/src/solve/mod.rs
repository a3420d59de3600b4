//! Solving problems of files: one small file a format, one trait, every answer checked before anybody sees it.
//!
//! To add a format, copy `gap.rs`: a reader whose faults name the line, a call of the solver, and a checker that works
//! on what was read and shares no code with the search. Then list it in [`FORMATS`].

mod answer;
mod fault;
mod fleet;
mod gap;
mod oracle;
mod problem;
mod roadef;
mod solution;
mod text;

use std::path::{Path, PathBuf};

pub use answer::{Answer, Status};
pub use fault::Fault;
pub(crate) use fleet::lose_a_cluster;
pub(crate) use oracle::Case;
pub(crate) use roadef::judged;

/// Every format.
pub const FORMATS: &[&dyn Format] = &[
    &oracle::Oracle,
    &gap::Gap,
    &fleet::Fleet,
    &roadef::Roadef,
    &problem::Problem,
];

/// One way to write problems down.
pub trait Format: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;

    /// What it is, in one line.
    fn about(&self) -> &'static str;

    /// Reads the problems of a file, solves and checks each, and gives it to `take`, in order, until that says false.
    ///
    /// # Errors
    /// [`Fault::Bad`] for a file that cannot be read as this format, [`Fault::Failed`] when the solver fails, and
    /// [`Fault::Wrong`] for an answer that does not stand up to the check: it is not shown.
    fn solve(
        &self,
        input: &Input,
        effort: Effort,
        take: &mut dyn FnMut(&Answer) -> bool,
    ) -> Result<(), Fault>;
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Where it is. Formats of several files find the others beside it.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl Input {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Fault::Unreadable`] when it is not there, no text, or longer than 1 GiB.
    pub fn read(path: &Path) -> Result<Self, Fault> {
        const MOST: u64 = 1 << 30;
        let unreadable = |why: String| Fault::Unreadable {
            path: path.to_owned(),
            why,
        };
        let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
        if size.len() > MOST {
            return Err(unreadable("it is longer than 1 GiB".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }
}

/// How much a solver may do for one problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effort {
    /// About so many seconds.
    pub seconds: f64,
    /// On so many threads.
    pub threads: u16,
}

impl Effort {
    /// The seconds as steps of a search that takes `per_second` of them.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn steps(&self, per_second: f64) -> u64 {
        // A cast of a float saturates.
        (self.seconds * per_second).max(1.0) as u64
    }
}

/// Solves a file of the format called `format`.
///
/// # Errors
/// As [`Format::solve`], and [`Fault::UnknownFormat`].
pub fn solve(
    format: &str,
    input: &Input,
    effort: Effort,
    take: &mut dyn FnMut(&Answer) -> bool,
) -> Result<(), Fault> {
    let Some(format) = FORMATS.iter().find(|known| known.name() == format) else {
        return Err(Fault::UnknownFormat(format.to_owned()));
    };
    format.solve(input, effort, take)
}
