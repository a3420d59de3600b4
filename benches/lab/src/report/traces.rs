//! The loads of the report.

use std::path::Path;

use smo_core::scaling::{GeneratedLoad, LoadSeries};

use crate::load::LoadOptions;
use crate::solve::Fault;

/// One load.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// In file names.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) about: String,
    pub(super) load: LoadSeries,
    /// Forecasts are compared at means over so many steps too,
    pub(super) width: usize,
    /// whose season is so long.
    pub(super) period: usize,
}

struct Public {
    name: &'static str,
    file: &'static str,
    title: &'static str,
    about: &'static str,
    counts: bool,
    zero_is_gap: bool,
    width: usize,
    period: usize,
}

const PUBLIC: [Public; 3] = [
    Public {
        name: "nasa",
        file: "nasa_http_1995_minutes.csv",
        title: "NASA web server, July and August 1995",
        about: "Requests a minute to the Kennedy Space Center's server (Internet Traffic Archive), 58 days; minutes without one are taken for an outage.",
        counts: true,
        zero_is_gap: true,
        width: 10,
        period: 144,
    },
    Public {
        name: "elb",
        file: "nab_elb_request_count_8c0756.csv",
        title: "A load balancer, April 2014",
        about: "Requests in five minutes (Numenta Anomaly Benchmark), two weeks; a value has little to do with the one before it.",
        counts: true,
        zero_is_gap: true,
        width: 12,
        period: 24,
    },
    Public {
        name: "grok",
        file: "nab_grok_asg_anomaly.csv",
        title: "An autoscaling group, January 2014",
        about: "A measure of load every five minutes (Numenta Anomaly Benchmark), 16 days: steps between levels rather than days.",
        counts: false,
        zero_is_gap: false,
        width: 12,
        period: 24,
    },
];

/// The loads, and what is missing of the public ones.
pub(super) fn all(shared: &Path) -> Result<(Vec<Trace>, Vec<String>), Fault> {
    let (mut traces, mut missing) = (Vec::new(), Vec::new());
    for public in &PUBLIC {
        let file = shared.join("bench/traces").join(public.file);
        if !file.exists() {
            missing.push(format!("{} ({})", public.title, public.file));
            continue;
        }
        let options = LoadOptions {
            file,
            step: None,
            counts: public.counts,
            zero_is_gap: public.zero_is_gap,
        };
        traces.push(Trace {
            name: public.name.to_owned(),
            title: public.title.to_owned(),
            about: public.about.to_owned(),
            load: options.read()?,
            width: public.width,
            period: public.period,
        });
    }
    let usual = GeneratedLoad::default;
    for (name, title, load) in [
        ("days", "Generated: days with two spikes each", usual()),
        (
            "spikes",
            "Generated: noisy days with six spikes each",
            GeneratedLoad {
                seed: 7,
                spikes: 6.0,
                noise: 0.15,
                ..usual()
            },
        ),
        (
            "calm",
            "Generated: calm days, a spike every other day",
            GeneratedLoad {
                seed: 11,
                spikes: 0.5,
                noise: 0.04,
                ..usual()
            },
        ),
        (
            "flat",
            "Generated: no days, much noise, high spikes",
            GeneratedLoad {
                seed: 13,
                daily: 0.0,
                weekend: 0.0,
                noise: 0.25,
                spikes: 3.0,
                spike_height: 2.0,
                ..usual()
            },
        ),
    ] {
        let about = format!(
            "`GeneratedLoad` with seed {}: {} days of minutes, {:.0} % up and down by day, {:.0} % less at week-ends, {:.0} % noise, {} spikes a day of up to {} means.",
            load.seed,
            load.days,
            load.daily * 100.0,
            load.weekend * 100.0,
            load.noise * 100.0,
            load.spikes,
            load.spike_height
        );
        traces.push(generated(name, title, &about, &load)?);
    }
    Ok((traces, missing))
}

fn generated(name: &str, title: &str, about: &str, load: &GeneratedLoad) -> Result<Trace, Fault> {
    let series = load.series().map_err(|error| Fault::Failed {
        what: title.to_owned(),
        why: error.to_string(),
    })?;
    Ok(Trace {
        name: name.to_owned(),
        title: title.to_owned(),
        about: about.to_owned(),
        load: series,
        width: 10,
        period: 144,
    })
}

/// A day of minutes, for tests.
#[cfg(test)]
pub(super) fn small() -> Trace {
    let load = GeneratedLoad {
        days: 1,
        ..GeneratedLoad::default()
    };
    let mut trace = generated("small", "small", "small", &load).unwrap();
    trace.period = 24;
    trace
}
