//! Waiting for what is asynchronous, from synchronous Python: without holding the interpreter, and so that ctrl-c and
//! cancelled tasks end it.

use std::cell::RefCell;
use std::future::Future;
use std::mem;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyInterruptedError, PyRuntimeError};
use pyo3::prelude::*;
use smo_core::backend::BackendError;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::error;

/// How often somebody who waits looks for signals.
const BEAT: Duration = Duration::from_millis(100);

/// The runtime behind connections and timers, with the process that it belongs to: its threads do not survive a fork.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// The runtime of this process. The first caller starts it: importing the module and working in memory need no threads.
pub(crate) fn start() -> PyResult<Handle> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((process, runtime)) = &*runtime
        && *process == std::process::id()
    {
        return Ok(runtime.handle().clone());
    }
    let started = Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("smo")
        .enable_all()
        .build()
        .map_err(|error| PyRuntimeError::new_err(format!("no threads for connections: {error}")))?;
    let handle = started.handle().clone();
    // To drop the runtime of the parent process would wait for threads that are not here.
    mem::forget(runtime.replace((std::process::id(), started)));
    Ok(handle)
}

/// The runtime of this process, if there is one.
fn started() -> Option<Handle> {
    let runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (process, runtime) = runtime.as_ref()?;
    (*process == std::process::id()).then(|| runtime.handle().clone())
}

/// Something that is used through connections, which a fork does not copy.
#[derive(Debug, Clone)]
pub(crate) struct Port<T> {
    port: T,
    /// The only process that may use it; `None` for what is in memory.
    process: Option<u32>,
}

impl<T: Clone> Port<T> {
    /// What has no connections.
    pub(crate) fn in_memory(port: T) -> Self {
        Self { port, process: None }
    }

    /// What has connections, and so belongs to this process.
    pub(crate) fn connected(port: T) -> Self {
        Self {
            port,
            process: Some(std::process::id()),
        }
    }

    /// What is to be used, unless this is another process than the one that it belongs to.
    pub(crate) fn get(&self) -> PyResult<T> {
        if self.process.is_none_or(|process| process == std::process::id()) {
            return Ok(self.port.clone());
        }
        Err(PyRuntimeError::new_err(
            "this was connected before the process was forked, and connections do not survive that; connect again here",
        ))
    }

    /// The same of another port that uses this one.
    pub(crate) fn map<U: Clone>(&self, with: impl FnOnce(T) -> U) -> PyResult<Port<U>> {
        Ok(Port {
            port: with(self.get()?),
            process: self.process,
        })
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on this thread, without holding the interpreter. Unlike that of an async runtime it may be called
/// within itself: a Python placer may ask the fleet while a deployment waits for it.
///
/// Ctrl-c drops the future and raises `KeyboardInterrupt`; so does a cancelled task, as [`Cancellation`] says.
pub(crate) fn block_on<T: Send>(py: Python<'_>, future: impl Future<Output = T> + Send) -> PyResult<T> {
    let cancelled = CANCELLED.with_borrow(Clone::clone);
    py.detach(move || {
        let runtime = started();
        let _entered = runtime.as_ref().map(Handle::enter);
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut look = Instant::now() + BEAT;
        loop {
            if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                return Ok(value);
            }
            thread::park_timeout(BEAT);
            if Instant::now() < look {
                continue;
            }
            look = Instant::now() + BEAT;
            if cancelled
                .as_ref()
                .is_some_and(|flag| flag.load(Ordering::Relaxed))
            {
                return Err(PyInterruptedError::new_err("the task was cancelled"));
            }
            Python::attach(|py| py.check_signals())?;
        }
    })
}

/// Waits for what a backend answers, and raises its failure.
pub(crate) fn ask<T: Send>(
    py: Python<'_>,
    question: impl Future<Output = Result<T, BackendError>> + Send,
) -> PyResult<T> {
    block_on(py, question)?.map_err(|failed| error::backend(py, &failed))
}

thread_local! {
    /// Set while a task waits for what this thread does.
    static CANCELLED: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Ends what a thread waits for when the task that it works for is cancelled. For `smo.aio`.
#[pyclass(module = "smo._smo", frozen)]
#[derive(Default)]
pub(crate) struct Cancellation(Arc<AtomicBool>);

#[pymethods]
impl Cancellation {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Calls `function`. What it waits for ends with `InterruptedError` after `cancel`.
    fn run<'py>(&self, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let before = CANCELLED.replace(Some(Arc::clone(&self.0)));
        let result = function.call0();
        CANCELLED.set(before);
        result
    }

    /// Ends what `run` waits for, within a moment.
    fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
