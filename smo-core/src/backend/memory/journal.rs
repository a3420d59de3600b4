//! What every in-memory backend can do besides its work: remember its calls, and fail as told.

use std::sync::Mutex;

use super::lock;
use crate::backend::BackendError;

/// One call that a backend received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The method, such as `apply`.
    pub operation: &'static str,
    /// What it was about: a service, a name, a query; empty when it is about everything.
    pub subject: String,
}

#[derive(Debug)]
struct Fault {
    operation: String,
    subject: Option<String>,
    moment: Moment,
    left: Option<u32>,
    error: BackendError,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The call has no effect.
    Before,
    /// The call has its effect, and its answer is lost.
    After,
}

/// The calls that a backend received, and the faults that are still to come.
#[derive(Debug, Default)]
pub struct Journal(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    calls: Vec<Call>,
    faults: Vec<Fault>,
}

impl Journal {
    /// Records a call, and fails it before its effect when that is scripted.
    pub(super) fn enter(
        &self,
        operation: &'static str,
        subject: impl Into<String>,
    ) -> Result<(), BackendError> {
        let subject = subject.into();
        let mut pages = lock(&self.0);
        pages.calls.push(Call {
            operation,
            subject: subject.clone(),
        });
        pages.take_fault(Moment::Before, operation, &subject)
    }

    /// Fails a call after its effect when that is scripted.
    pub(super) fn leave(&self, operation: &'static str, subject: &str) -> Result<(), BackendError> {
        lock(&self.0).take_fault(Moment::After, operation, subject)
    }

    fn script(
        &self,
        operation: &str,
        subject: Option<&str>,
        moment: Moment,
        left: Option<u32>,
        error: BackendError,
    ) {
        lock(&self.0).faults.push(Fault {
            operation: operation.to_owned(),
            subject: subject.map(ToOwned::to_owned),
            moment,
            left,
            error,
        });
    }
}

impl Pages {
    fn take_fault(&mut self, moment: Moment, operation: &str, subject: &str) -> Result<(), BackendError> {
        let applies = |fault: &&mut Fault| {
            fault.moment == moment
                && fault.operation == operation
                && fault.subject.as_deref().is_none_or(|wanted| wanted == subject)
                && fault.left != Some(0)
        };
        let Some(fault) = self.faults.iter_mut().find(applies) else {
            return Ok(());
        };
        fault.left = fault.left.map(|left| left - 1);
        let error = fault.error.clone();
        self.faults.retain(|fault| fault.left != Some(0));
        Err(error)
    }
}

/// A backend whose calls are recorded and whose faults are scripted. Operations are named as the methods of the port.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smo_core::backend::memory::{InMemoryDashboards, Scripted};
/// use smo_core::backend::{BackendError, DashboardBackend, ErrorKind};
///
/// let dashboards = InMemoryDashboards::new();
/// dashboards.fail_next("list", BackendError::new(ErrorKind::Unavailable, "list", "scripted"));
/// assert!(dashboards.list().await.is_err());
/// assert!(dashboards.list().await.is_ok());
/// assert_eq!(dashboards.calls().len(), 2);
/// # Ok(()) }
/// ```
pub trait Scripted {
    /// Where calls and faults are kept.
    fn journal(&self) -> &Journal;

    /// The calls so far, oldest first.
    fn calls(&self) -> Vec<Call> {
        lock(&self.journal().0).calls.clone()
    }

    /// What the calls of one operation were about, oldest first.
    fn calls_of(&self, operation: &str) -> Vec<String> {
        let pages = lock(&self.journal().0);
        let of_operation = pages.calls.iter().filter(|call| call.operation == operation);
        of_operation.map(|call| call.subject.clone()).collect()
    }

    /// Forgets the calls so far.
    fn forget_calls(&self) {
        lock(&self.journal().0).calls.clear();
    }

    /// Fails the next call of `operation`, without effect.
    fn fail_next(&self, operation: &str, error: BackendError) {
        self.fail_times(operation, 1, error);
    }

    /// Fails the next `times` calls of `operation`, without effect.
    fn fail_times(&self, operation: &str, times: u32, error: BackendError) {
        self.journal()
            .script(operation, None, Moment::Before, Some(times), error);
    }

    /// Fails every call of `operation` from now on, without effect, until [`Scripted::heal`].
    fn fail_always(&self, operation: &str, error: BackendError) {
        self.journal()
            .script(operation, None, Moment::Before, None, error);
    }

    /// Fails every call of `operation` about `subject` from now on, without effect, until [`Scripted::heal`].
    fn fail_about(&self, operation: &str, subject: &str, error: BackendError) {
        self.journal()
            .script(operation, Some(subject), Moment::Before, None, error);
    }

    /// Lets the next call of `operation` have its effect, and loses its answer.
    fn lose_next_answer(&self, operation: &str, error: BackendError) {
        self.journal()
            .script(operation, None, Moment::After, Some(1), error);
    }

    /// Drops every scripted fault.
    fn heal(&self) {
        lock(&self.journal().0).faults.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::ErrorKind;

    struct Probe(Journal);

    impl Scripted for Probe {
        fn journal(&self) -> &Journal {
            &self.0
        }
    }

    impl Probe {
        fn call(&self, subject: &str) -> bool {
            self.0
                .enter("op", subject)
                .and_then(|()| self.0.leave("op", subject))
                .is_ok()
        }
    }

    #[test]
    fn faults_come_in_the_order_they_were_scripted() {
        let error = || BackendError::new(ErrorKind::Unavailable, "op", "scripted");
        let probe = Probe(Journal::default());
        probe.fail_times("op", 2, error());
        probe.fail_about("op", "b", error());
        probe.fail_next("other", error());
        let outcomes = ["a", "a", "a", "b", "a", "b"].map(|subject| probe.call(subject));
        assert_eq!(outcomes, [false, false, true, false, true, false]);
        probe.heal();
        assert!(probe.call("b"));
        probe.lose_next_answer("op", error());
        assert_eq!([probe.call("a"), probe.call("a")], [false, true]);
        assert_eq!(probe.calls_of("op").len(), 9);
    }
}
