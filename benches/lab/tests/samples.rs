//! `smo-lab profile`, `backtest`, `replay` and `report scaling` on files of our own.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    folder.join(name).display().to_string()
}

/// Exit code, standard output, standard error.
fn lab(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_smo-lab"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| {
        String::from_utf8(bytes)
            .unwrap()
            .replace(env!("CARGO_MANIFEST_DIR"), "lab")
    };
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn json(arguments: &[&str]) -> Json {
    let (code, out, errors) = lab(&[arguments, &["--json"]].concat());
    assert_eq!(code, 0, "{errors}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_profile_is_learned_from_csv_and_its_drift_told() {
    let file = data("profile.csv");
    // The first 90 minutes carry 90 r - 20, the rest 60 r - 20.
    let learned = json(&["profile", &file, "--learn-percent", "75"]);
    let alpha = &learned["profile"]["alpha"];
    let within = |interval: &Json, value: f64| {
        interval["low"].as_f64().unwrap() <= value && value <= interval["high"].as_f64().unwrap()
    };
    assert!(within(alpha, 90.0), "{alpha}");
    assert!(within(&learned["profile"]["beta"], -20.0));
    assert_eq!(learned["drift"]["drift"], "drifted");
    let (code, text, _) = lab(&["profile", &file, "--learn-percent", "75"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!(text, @"
    90.155489 r - 20.474187 req/s at 80 % busy, learned from 90 samples of 1 to 5 replicas, half of them within 1.5 %
      alpha 90.155 (89.336 to 91.078), beta -20.474 (-21.635 to -19.295), with 95 % confidence
      the 30 samples after them: replicas carry 36 % less than the profile says (by chance in 1.9e-9 of cases): learn it again
    ");
}

#[test]
fn a_profile_is_learned_from_three_answers_of_prometheus() {
    let (replicas, rate, utilisation) = (data("replicas.json"), data("rate.json"), data("utilisation.json"));
    let sources = [
        "profile",
        "--replicas",
        &replicas,
        "--rate",
        &rate,
        "--utilisation",
        &utilisation,
    ];
    let learned = json(&sources);
    // One of the forty has no utilisation.
    assert_eq!(learned["profile"]["samples"], 39);
    assert!(
        (learned["profile"]["alpha"]["value"].as_f64().unwrap() - 50.0).abs() < 0.1,
        "{learned}"
    );
    assert!(learned["drift"].is_null());
}

#[test]
fn samples_that_do_not_tell_are_refused() {
    let (code, out, errors) = lab(&["profile", &data("profile.csv"), "--learn-percent", "10"]);
    assert_eq!((code, out.as_str()), (1, ""));
    insta::assert_snapshot!(errors, @"
    error: lab/tests/data/profile.csv: no profile: 12 samples are usable and 20 are needed; 0 are less than 20 % busy
      try: samples over several counts of replicas and busier hours, or --proportional for a line through 0
    ");
    let (code, _, errors) = lab(&["profile", &data("load.csv")]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(errors, @"
    error: lab/tests/data/load.csv, line 1: there is no column `replicas` among time, requests
      try: the columns time, replicas, rate, and utilisation, or latency and unloaded_latency
    ");
    let (code, _, errors) = lab(&["profile", &data("profile.csv"), "--target", "3"]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(errors, @"
    error: lab/tests/data/profile.csv: the samples are no basis for a profile: the option target is 3, and has to be above 0 and at most 1
      try: samples sorted by time, with shares as 0.62 rather than 62
    ");
    assert_eq!(lab(&["profile"]).0, 2);
    assert_eq!(lab(&["profile", "--replicas", "a"]).0, 2);
}

#[test]
fn a_load_is_forecast_again() {
    let report = json(&["backtest", &data("load.csv"), "--counts", "--horizon", "3"]);
    assert!(
        (140..=148).contains(&report["season"]["period"].as_u64().unwrap()),
        "{}",
        report["season"]
    );
    let models = report["models"].as_array().unwrap();
    assert_eq!(models.len(), 3);
    for model in models {
        assert!(model["mase"].as_f64().unwrap() < 1.5, "{model}");
        assert_eq!(model["quantiles"].as_array().unwrap().len(), 3);
    }
    let (code, text, _) = lab(&["backtest", &data("load.csv"), "--counts", "--horizon", "3"]);
    assert!(
        code == 0 && text.starts_with("season of 14") && text.contains("rolling Holt-Winters: "),
        "{text}"
    );
    let (code, _, errors) = lab(&["backtest", &data("load.csv"), "--period", "5000"]);
    assert!(
        code == 1 && errors.contains("too few for seasonal naive"),
        "{errors}"
    );
}

#[test]
fn a_load_is_replayed() {
    let report = json(&["replay", &data("load.csv"), "--counts", "--max", "60"]);
    let policies = report["policies"].as_array().unwrap();
    let named = |name: &str| policies.iter().find(|outcome| outcome["policy"] == name).unwrap();
    assert_eq!(named("knows the future")["violationShare"], 0.0);
    let hours = |name: &str| named(name)["replicaHours"].as_f64().unwrap();
    assert!(hours("knows the future") < hours("HPA 80 %") && hours("HPA 80 %") < hours("HPA 70 %"));
    let rival = &report["autoscalerOfAsManyHours"];
    assert!(rival["replicaHours"].as_f64().unwrap() >= hours("smo, 0.90 quantile"));
    let (code, text, _) = lab(&["replay", &data("load.csv"), "--counts", "--alpha", "500"]);
    assert!(code == 0 && text.starts_with("smo, 0.90 quantile: "), "{text}");
    let (code, _, errors) = lab(&["replay", &data("load.csv"), "--alpha", "0"]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(errors, @"
    error: lab/tests/data/load.csv: alpha is 0; one more replica has to carry more, so it is above zero
      try: an alpha above 0, a maximum of at least the minimum, and a load that is not over after what is learned from
    ");
    let (code, _, errors) = lab(&["replay", &data("small.gap")]);
    assert_eq!(code, 1);
    insta::assert_snapshot!(errors, @"
    error: lab/tests/data/small.gap, line 1: the header `3 8` has one column
      try: a header, then one row a line, with commas between columns: `time,value`
    ");
}
