//! The loads of the report.

use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// Whether the policy was designed on it: what it shows is then no proof for other loads.
    pub(super) tried: bool,
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
    source: &'static str,
    counts: bool,
    zero_is_gap: bool,
    tried: bool,
    width: usize,
    period: usize,
}

const PUBLIC: [Public; 8] = [
    Public {
        name: "nasa",
        file: "nasa_http_1995_minutes.csv",
        title: "NASA web server, July and August 1995",
        about: "Requests a minute to the Kennedy Space Center's server (Internet Traffic Archive), 58 days; minutes without one are taken for an outage.",
        source: "dataset/nasa of github.com/reconfigurable-ml-pipeline/web-service-datasets, summed to minutes",
        counts: true,
        zero_is_gap: true,
        tried: true,
        width: 10,
        period: 144,
    },
    Public {
        name: "elb",
        file: "nab_elb_request_count_8c0756.csv",
        title: "A load balancer, April 2014",
        about: "Requests in five minutes (Numenta Anomaly Benchmark), two weeks; a value has little to do with the one before it.",
        source: "data/realAWSCloudwatch/elb_request_count_8c0756.csv of github.com/numenta/NAB",
        counts: true,
        zero_is_gap: true,
        tried: true,
        width: 12,
        period: 24,
    },
    Public {
        name: "grok",
        file: "nab_grok_asg_anomaly.csv",
        title: "An autoscaling group, January 2014",
        about: "A measure of load every five minutes (Numenta Anomaly Benchmark), 16 days: steps between levels rather than days.",
        source: "data/realAWSCloudwatch/grok_asg_anomaly.csv of github.com/numenta/NAB",
        counts: false,
        zero_is_gap: false,
        tried: true,
        width: 12,
        period: 24,
    },
    Public {
        name: "worldcup",
        file: "worldcup98_minutes.csv",
        title: "The site of the football World Cup, June and July 1998",
        about: "Requests a minute (Internet Traffic Archive), 1 June to 26 July: days, crowds at every match, and a calm end.",
        source: "invocation_count.csv of github.com/nimamahmoudi/worldcup98-dataset, summed by minute, from June on",
        counts: true,
        zero_is_gap: true,
        tried: true,
        width: 10,
        period: 144,
    },
    Public {
        name: "tweets",
        file: "twitter_stream_2021_08_minutes.csv",
        title: "Tweets of the public stream, August 2021",
        about: "Tweets a minute, 22 days; minutes without one are gaps of the archive.",
        source: "dataset/twitter_trace of github.com/reconfigurable-ml-pipeline/web-service-datasets, summed to minutes",
        counts: true,
        zero_is_gap: true,
        tried: true,
        width: 10,
        period: 144,
    },
    Public {
        name: "mentions",
        file: "Twitter_volume_AAPL.csv",
        title: "Mentions of Apple on Twitter, February to April 2015",
        about: "Tweets in five minutes (Numenta Anomaly Benchmark), 55 days: bursts of up to 280 times the median, which nothing announces.",
        source: "data/realTweets of github.com/numenta/NAB",
        counts: true,
        zero_is_gap: false,
        tried: true,
        width: 12,
        period: 24,
    },
    Public {
        name: "google",
        file: "Twitter_volume_GOOG.csv",
        title: "Mentions of Google on Twitter, February to April 2015",
        about: "Tweets in five minutes (Numenta Anomaly Benchmark), 55 days.",
        source: "data/realTweets of github.com/numenta/NAB",
        counts: true,
        zero_is_gap: false,
        tried: false,
        width: 12,
        period: 24,
    },
    Public {
        name: "facebook",
        file: "Twitter_volume_FB.csv",
        title: "Mentions of Facebook on Twitter, February to April 2015",
        about: "Tweets in five minutes (Numenta Anomaly Benchmark), 55 days.",
        source: "data/realTweets of github.com/numenta/NAB",
        counts: true,
        zero_is_gap: false,
        tried: false,
        width: 12,
        period: 24,
    },
];

/// The loads, and what is missing of the public ones: those that are in a folder among `sources`, the files among `sources`, whose
/// values are requests a second, and generated ones.
pub(super) fn all(sources: &[PathBuf]) -> Result<(Vec<Trace>, Vec<String>), Fault> {
    let (mut traces, mut missing) = (Vec::new(), Vec::new());
    for public in &PUBLIC {
        let files = sources.iter().map(|folder| folder.join(public.file));
        let Some(file) = files.into_iter().find(|file| file.exists()) else {
            missing.push(format!("{} (`{}`: {})", public.title, public.file, public.source));
            continue;
        };
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
            tried: public.tried,
            width: public.width,
            period: public.period,
        });
    }
    for file in sources.iter().filter(|source| !source.is_dir()) {
        traces.push(own(file)?);
    }
    let usual = GeneratedLoad::default;
    for (name, title, tried, load) in [
        ("days", "Generated: days with two spikes each", true, usual()),
        (
            "spikes",
            "Generated: noisy days with six spikes each",
            true,
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
            false,
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
            true,
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
        (
            "fine",
            "Generated: every quarter of a minute another value",
            true,
            GeneratedLoad {
                seed: 17,
                days: 10,
                step: Duration::from_secs(15),
                noise: 0.1,
                ..usual()
            },
        ),
    ] {
        let about = format!(
            "`GeneratedLoad` with seed {}: {} days, a value every {} s, {:.0} % up and down by day, {:.0} % less at week-ends, {:.0} % noise, {} spikes a day of up to {} means.",
            load.seed,
            load.days,
            load.step.as_secs(),
            load.daily * 100.0,
            load.weekend * 100.0,
            load.noise * 100.0,
            load.spikes,
            load.spike_height
        );
        let mut trace = generated(name, title, &about, &load)?;
        (trace.tried, trace.width) = (tried, steps(load.step, 600));
        traces.push(trace);
    }
    Ok((traces, missing))
}

/// How many steps a time has, one or more.
fn steps(step: Duration, seconds: u64) -> usize {
    let count = Duration::from_secs(seconds).as_nanos() / step.as_nanos().max(1);
    usize::try_from(count).unwrap_or(usize::MAX).max(1)
}

/// A load of a file, in requests per second, with days where it is longer than two.
fn own(file: &Path) -> Result<Trace, Fault> {
    let options = LoadOptions {
        file: file.to_owned(),
        step: None,
        counts: false,
        zero_is_gap: false,
    };
    let load = options.read()?;
    let name = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    // Ten minutes, as of the other loads, or a step where that is longer.
    let step = load.step();
    let width = steps(step, 600);
    let day = (steps(step, 86_400) / width).max(1);
    let period = if load.len() > 2 * day * width { day } else { 1 };
    let about = format!(
        "Requests per second of `{name}`, {} values {} s apart.",
        load.len(),
        step.as_secs_f64()
    );
    Ok(Trace {
        title: name.clone(),
        name,
        about,
        load,
        tried: false,
        width,
        period,
    })
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
        tried: false,
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
