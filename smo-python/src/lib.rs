//! `smo._smo`: the compiled half of the Python package `smo`.
//!
//! Conversions only: what is decided is decided in `smo-core`. Stubs are in `python/smo/_smo.pyi`; a test compares them
//! with this module.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smo_core::units::Cpu;

/// Reads an amount of processor time as Kubernetes writes it and returns it in thousandths of a core.
///
/// >>> import smo
/// >>> smo.cpu_millicores("500m")
/// 500
/// >>> smo.cpu_millicores("1.5")
/// 1500
#[pyfunction]
fn cpu_millicores(text: &str) -> PyResult<u64> {
    text.parse()
        .map(Cpu::millicores)
        .map_err(|error| PyValueError::new_err(error.to_string()))
}

/// The compiled half of the package `smo`.
#[pymodule(gil_used = false)]
mod _smo {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::cpu_millicores;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
