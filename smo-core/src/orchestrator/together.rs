//! Several calls under way at once, a few at a time, with results in the order of the calls.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// A call, its result, or neither when it was never made.
enum Slot<F: Future> {
    Waiting(Pin<Box<F>>),
    UnderWay(Pin<Box<F>>),
    Ended(F::Output),
    Gone,
}

/// Makes `calls`, at most `limit` (and at least one) at a time, each begun in its order. Once a result is one to `stop`
/// at, no further call is begun, and those under way are finished. `None` stands for a call that was not made.
pub(super) async fn together<F: Future>(
    limit: usize,
    calls: impl IntoIterator<Item = F>,
    stop: impl Fn(&F::Output) -> bool,
) -> Vec<Option<F::Output>> {
    let mut slots: Vec<Slot<F>> = calls
        .into_iter()
        .map(|call| Slot::Waiting(Box::pin(call)))
        .collect();
    let mut stopped = false;
    poll_fn(|context| {
        let mut under_way = 0;
        // Those under way stand before those that wait, so what ends here makes room in the same pass.
        for slot in &mut slots {
            let call = match std::mem::replace(slot, Slot::Gone) {
                Slot::UnderWay(call) => Some(call),
                Slot::Waiting(call) if !stopped && under_way < limit.max(1) => Some(call),
                other => {
                    *slot = other;
                    None
                }
            };
            let Some(mut call) = call else { continue };
            *slot = match call.as_mut().poll(context) {
                Poll::Pending => {
                    under_way += 1;
                    Slot::UnderWay(call)
                }
                Poll::Ready(output) => {
                    stopped |= stop(&output);
                    Slot::Ended(output)
                }
            };
        }
        if under_way == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    let result = |slot| match slot {
        Slot::Ended(output) => Some(output),
        _ => None,
    };
    slots.into_iter().map(result).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// Ends after so many looks.
    async fn after(looks: u32) {
        let mut left = looks;
        poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    #[tokio::test]
    async fn results_stand_in_the_order_of_the_calls() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let order = RefCell::new(Vec::new());
        let call = async |number: u32| {
            now.set(now.get() + 1);
            most.set(most.get().max(now.get()));
            after(9 - number).await;
            now.set(now.get() - 1);
            order.borrow_mut().push(number);
            number
        };
        let results = together(3, (0..9).map(call), |_| false).await;
        assert_eq!(results, (0..9).map(Some).collect::<Vec<_>>());
        assert_eq!(most.get(), 3, "at most three at a time");
        assert_ne!(*order.borrow(), (0..9).collect::<Vec<_>>(), "they overlap");
    }

    /// A host may spawn an operation on a runtime of several threads.
    #[test]
    fn operations_can_be_sent() {
        fn is_send<T: Send>(_: T) {}
        let fleet = crate::backend::memory::InMemoryFleet::new(crate::cluster::Inventory::new([]));
        let orchestrator = crate::orchestrator::Orchestrator::builder(fleet.clone(), fleet.clock()).build();
        let graph = crate::id::GraphKey::new("p".parse().unwrap(), "g".parse().unwrap());
        is_send(orchestrator.remove(&graph));
        is_send(orchestrator.start(&graph));
        is_send(orchestrator.reconcile(jiff::Timestamp::UNIX_EPOCH));
    }

    #[tokio::test]
    async fn nothing_is_begun_after_a_failure() {
        let call = async |(number, looks): (u32, u32)| {
            after(looks).await;
            number
        };
        let failure = |number: &u32| *number == 1;
        let results = together(2, [(0, 5), (1, 2), (2, 0), (3, 0)].map(call), failure).await;
        assert_eq!(results, [Some(0), Some(1), None, None]);
        // What ends at once goes one after the other, as if there were no others.
        let results = together(8, [(0, 0), (1, 0), (2, 0)].map(call), failure).await;
        assert_eq!(results, [Some(0), Some(1), None]);
        assert_eq!(together(0, [(4, 1)].map(call), failure).await, [Some(4)]);
        assert_eq!(together(2, [].map(call), failure).await, []);
    }
}
