//! What replicas carry, learned from samples.

use pyo3::prelude::*;
use smo_core::scaling as core;

use crate::convert::{Moment, serialised};
use crate::error;

/// One observation of a service: when, how many replicas served, requests per second of all of them, and how busy they were.
///
/// `utilisation` is the busy share of what limits the service; or `latency` and `unloaded_latency` are mean response times in
/// milliseconds, now and without load.
///
/// >>> from smo.profile import ProfileSample
/// >>> ProfileSample(60, 2, 150.0, latency=40, unloaded_latency=20).utilisation
/// 0.5
#[pyclass(module = "smo.profile", frozen, eq, from_py_object)]
#[derive(Clone, PartialEq)]
pub(crate) struct ProfileSample(core::ProfileSample);

#[pymethods]
impl ProfileSample {
    #[new]
    #[pyo3(signature = (at, replicas, rate, utilisation = None, *, latency = None, unloaded_latency = None))]
    fn new(
        py: Python<'_>,
        at: Moment,
        replicas: u32,
        rate: f64,
        utilisation: Option<f64>,
        latency: Option<f64>,
        unloaded_latency: Option<f64>,
    ) -> PyResult<Self> {
        let saturation = match (utilisation, latency, unloaded_latency) {
            (Some(share), None, None) => core::Saturation::Utilisation(share),
            (None, Some(milliseconds), Some(unloaded_milliseconds)) => core::Saturation::Latency {
                milliseconds,
                unloaded_milliseconds,
            },
            _ => {
                let fault = "a sample has a utilisation, or a latency and an unloaded_latency".to_owned();
                return Err(error::invalid_samples(py, [fault], ""));
            }
        };
        Ok(Self(core::ProfileSample {
            at: at.0,
            replicas,
            rate,
            saturation,
        }))
    }

    /// When, as RFC 3339.
    #[getter]
    fn at(&self) -> String {
        self.0.at.to_string()
    }

    /// How many replicas served.
    #[getter]
    fn replicas(&self) -> u32 {
        self.0.replicas
    }

    /// Requests per second of all of them.
    #[getter]
    fn rate(&self) -> f64 {
        self.0.rate
    }

    /// How busy they were, 0 to 1.
    #[getter]
    fn utilisation(&self) -> f64 {
        self.0.saturation.utilisation()
    }

    fn __repr__(&self) -> String {
        format!("<smo.profile.ProfileSample at {}>", self.0.at)
    }
}

/// Reads samples from a CSV text with the columns `time`, `replicas`, `rate`, and `utilisation`, or `latency` and `unloaded_latency`.
///
/// Raises `InvalidSamples` that names the line.
///
/// >>> from smo.profile import read_samples
/// >>> read_samples("time,replicas,rate,utilisation\n60,2,150.5,0.62\n")[0].rate
/// 150.5
#[pyfunction]
pub(crate) fn read_samples(py: Python<'_>, text: &str) -> PyResult<Vec<ProfileSample>> {
    let samples = core::read_profile_samples(text).map_err(|fault| error::samples(py, &fault))?;
    Ok(samples.into_iter().map(ProfileSample).collect())
}

/// Joins three answers of Prometheus to range queries with the same start, end and step: replicas that serve, requests per second of all of
/// them, and the busy share of what limits them. Moments that one of them lacks are left out.
///
/// Raises `InvalidSamples` that says where.
#[pyfunction]
pub(crate) fn join_prometheus(
    py: Python<'_>,
    replicas: &str,
    rate: &str,
    utilisation: &str,
) -> PyResult<Vec<ProfileSample>> {
    let samples = core::join_profile_samples(replicas, rate, utilisation);
    let samples = samples.map_err(|fault| error::samples(py, &fault))?;
    Ok(samples.into_iter().map(ProfileSample).collect())
}

/// A learned throughput: replicas carry `alpha * replicas + beta` requests per second at the utilisation that is aimed at.
#[pyclass(module = "smo.profile", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Profile(core::Profile);

fn interval(interval: core::Interval) -> (f64, f64, f64) {
    (interval.value, interval.low, interval.high)
}

#[pymethods]
impl Profile {
    /// What one more replica adds, and the ends of its interval of 95 % confidence.
    #[getter]
    fn alpha(&self) -> (f64, f64, f64) {
        interval(self.0.alpha)
    }

    /// What is there, or missing, whatever the number of replicas, and the ends of its interval.
    #[getter]
    fn beta(&self) -> (f64, f64, f64) {
        interval(self.0.beta)
    }

    /// How many samples it was learned from.
    #[getter]
    fn samples(&self) -> usize {
        self.0.samples
    }

    /// How many told too little and were left out.
    #[getter]
    fn ignored(&self) -> usize {
        self.0.ignored
    }

    /// The fewest and most replicas among the samples. Beyond, the line is a guess.
    #[getter]
    fn replicas(&self) -> (u32, u32) {
        self.0.replicas
    }

    /// Half of the samples are at most this far off, as a share of what is carried.
    #[getter]
    fn error(&self) -> f64 {
        self.0.error
    }

    /// What so many replicas carry, in requests per second.
    fn carries(&self, replicas: u32) -> f64 {
        self.0.throughput.capacity(replicas).to_f64()
    }

    /// Whether newer samples still agree with the profile.
    fn drift(&self, py: Python<'_>, newer: Vec<ProfileSample>) -> PyResult<Drift> {
        let newer: Vec<core::ProfileSample> = newer.into_iter().map(|sample| sample.0).collect();
        self.0
            .drift(&newer)
            .map(Drift)
            .map_err(|fault| error::profile(py, &fault))
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        format!("<smo.profile.Profile {}>", self.0.throughput)
    }
}

/// What newer samples say about a profile.
#[pyclass(module = "smo.profile", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Drift(core::Drift);

#[pymethods]
impl Drift {
    /// True when replicas carry more or less than the profile says: learn it again.
    #[getter]
    fn drifted(&self) -> bool {
        matches!(self.0, core::Drift::Drifted { .. })
    }

    /// How much more than the profile says newer samples show, as a share; `None` when too few of them tell.
    #[getter]
    fn shift(&self) -> Option<f64> {
        match self.0 {
            core::Drift::None { shift } | core::Drift::Drifted { shift, .. } => Some(shift),
            core::Drift::Unknown { .. } => None,
        }
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<smo.profile.Drift: {}>", self.0)
    }
}

/// Learns a profile from samples in the order of time.
///
/// `target` is the utilisation at which a service counts as full; samples less busy than `least_utilisation` are left out; `proportional` fixes
/// beta at 0, so that one count of replicas is enough. Raises `NotEnoughData` with the reason when samples do not tell, `InvalidSamples` with
/// every fault when they make no sense.
///
/// >>> from smo.profile import ProfileSample, learn
/// >>> def sample(second):
/// ...     replicas = 1 + second % 4
/// ...     rate = (110 * replicas - 30) * (0.4 + second % 7 / 20)
/// ...     return ProfileSample(second, replicas, rate, 0.8 * rate / (110 * replicas - 30))
/// >>> profile = learn([sample(second) for second in range(60)])
/// >>> round(profile.alpha[0]), round(profile.beta[0]), profile.carries(3)
/// (110, -30, 300.0)
#[pyfunction]
#[pyo3(signature = (samples, *, target = 0.8, least_utilisation = 0.2, least_samples = 20, proportional = false, most_error = 0.3))]
pub(crate) fn learn(
    py: Python<'_>,
    samples: Vec<ProfileSample>,
    target: f64,
    least_utilisation: f64,
    least_samples: usize,
    proportional: bool,
    most_error: f64,
) -> PyResult<Profile> {
    let samples: Vec<core::ProfileSample> = samples.into_iter().map(|sample| sample.0).collect();
    let options = core::ProfileOptions {
        target,
        least_utilisation,
        least_samples,
        proportional,
        most_error,
    };
    let profile = py.detach(|| core::Profile::learn(&samples, &options));
    profile.map(Profile).map_err(|fault| error::profile(py, &fault))
}
