//! What is done about releases whose last operation failed or was cut off.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use smo_core::backend::{ChartState, ErrorKind, ReleaseName};

use super::driver::Helm;
use super::failure::Failure;
use super::output::{Listed, last_good};

/// The operations of this process.
#[derive(Debug, Default)]
pub(crate) struct Operations(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    under_way: BTreeSet<ReleaseName>,
    /// Those whose future was dropped before it ended.
    cut_off: BTreeSet<ReleaseName>,
}

impl Operations {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an operation, unless one is under way.
    pub(crate) fn begin(self: &Arc<Self>, release: &ReleaseName) -> Result<Operation, Failure> {
        if !self.state().under_way.insert(release.clone()) {
            let message = "another operation of this process is under way";
            return Err(Failure::new(ErrorKind::Conflict, message));
        }
        Ok(Operation {
            all: Arc::clone(self),
            release: release.clone(),
            has_ended: false,
        })
    }

    fn was_cut_off(&self, release: &ReleaseName) -> bool {
        self.state().cut_off.contains(release)
    }
}

/// An operation under way. Dropped without [`Operation::end`], it was cut off.
#[derive(Debug)]
pub(crate) struct Operation {
    all: Arc<Operations>,
    release: ReleaseName,
    has_ended: bool,
}

impl Operation {
    /// The operation came to an end. Where the control plane or the program was lost, what it did is not known, and the
    /// next operation looks after it as if it had been cut off.
    pub(crate) fn end<T>(mut self, result: &Result<T, Failure>) {
        self.has_ended = !matches!(result, Err(failure) if failure.kind == ErrorKind::Unavailable);
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let mut state = self.all.state();
        state.under_way.remove(&self.release);
        if self.has_ended {
            state.cut_off.remove(&self.release);
        } else {
            state.cut_off.insert(self.release.clone());
        }
    }
}

impl Helm {
    /// The release as an operation can go on from: what failed for good or was cut off is mended first.
    pub(crate) async fn settle(&self, release: &ReleaseName) -> Result<Option<Listed>, Failure> {
        let Some(found) = self.find(release).await? else {
            return Ok(None);
        };
        match found.installed.state {
            ChartState::Uninstalling => {
                self.uninstall(release).await?;
                Ok(None)
            }
            ChartState::Pending if !self.is_abandoned(release, &found) => Err(Failure::new(
                ErrorKind::Conflict,
                "another operation (install, upgrade or rollback) is under way",
            )),
            ChartState::Pending => self.restore(release).await,
            // Helm upgrades a failed release when an earlier revision is in force, and only then.
            ChartState::Failed if !self.is_in_force(release).await? => self.restore(release).await,
            _ => Ok(Some(found)),
        }
    }

    /// True when nobody can be at work on a pending release any more.
    fn is_abandoned(&self, release: &ReleaseName, found: &Listed) -> bool {
        let age = found
            .updated
            .map(|updated| Timestamp::now().duration_since(updated));
        let limit = jiff::SignedDuration::try_from(self.config.timeout).unwrap_or(jiff::SignedDuration::MAX);
        self.operations.was_cut_off(release) || age.is_some_and(|age| age > limit)
    }

    async fn is_in_force(&self, release: &ReleaseName) -> Result<bool, Failure> {
        let past = self.history(release).await?;
        Ok(past.iter().any(|past| past.state == "deployed"))
    }

    /// Brings the last good revision back; takes the release away when there is none.
    async fn restore(&self, release: &ReleaseName) -> Result<Option<Listed>, Failure> {
        match last_good(&self.history(release).await?) {
            Some(revision) => {
                self.rollback(release, revision).await?;
                self.find(release).await
            }
            None => {
                self.uninstall(release).await?;
                Ok(None)
            }
        }
    }

    /// After a failed operation: the revision before in force again, or nothing left of a first install. `before` is
    /// what was there when the operation began. The failure says so where that cannot be done.
    pub(crate) async fn clean_up(
        &self,
        release: &ReleaseName,
        before: Option<&Listed>,
        failure: Failure,
    ) -> Failure {
        if failure.is_about_the_name() {
            return failure;
        }
        let cleaned = async {
            let Some(now) = self.find(release).await? else {
                return Ok(());
            };
            let is_as_before = before.is_some_and(|before| before.installed == now.installed);
            // Helm marks what it gave up as failed. What is pending it could not mark any more, or it is the work of
            // another process that was quicker.
            let is_ours = match now.installed.state {
                ChartState::Failed => true,
                ChartState::Pending => failure.kind == ErrorKind::Unavailable,
                _ => false,
            };
            if is_ours && !is_as_before {
                self.restore(release).await?;
            }
            Ok(())
        };
        match cleaned.await {
            Ok(()) => failure,
            Err(Failure { message, .. }) => {
                let what = if before.is_some() {
                    "the revision before could not be brought back"
                } else {
                    "what it left could not be removed"
                };
                Failure::new(failure.kind, format!("{}; {what}: {message}", failure.message))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_that_is_dropped_was_cut_off() {
        let operations = Arc::new(Operations::default());
        let release = ReleaseName {
            namespace: "p".parse().unwrap(),
            name: "web".parse().unwrap(),
        };
        let first = operations.begin(&release).unwrap();
        let refused = operations.begin(&release).unwrap_err();
        insta::assert_snapshot!(refused.message, @"another operation of this process is under way");
        drop(first);
        assert!(operations.was_cut_off(&release));
        operations.begin(&release).unwrap().end(&Ok(()));
        assert!(!operations.was_cut_off(&release));
        for (kind, was_cut_off) in [(ErrorKind::Unavailable, true), (ErrorKind::Invalid, false)] {
            let failed: Result<(), Failure> = Err(Failure::new(kind, "x"));
            operations.begin(&release).unwrap().end(&failed);
            assert_eq!(operations.was_cut_off(&release), was_cut_off);
        }
    }
}
