//! Lines that are known, with noise and outliers that are made without chance.

use proptest::prelude::*;

use super::*;

/// Deterministic noise between -1 and 1 (the fractional part of multiples of the golden ratio).
fn noise(index: u32) -> f64 {
    (f64::from(index) * 0.618_033_988_749_895).fract() * 2.0 - 1.0
}

fn samples(alpha: f64, beta: f64, spread: f64, count: u32, replicas: u32) -> Vec<ProfileSample> {
    let sample = |index: u32| {
        let replicas = 1 + index % replicas;
        let carried = alpha * f64::from(replicas) + beta;
        let utilisation = 0.3 + 0.6 * (noise(index * 7 + 3) + 1.0) / 2.0;
        ProfileSample {
            at: Timestamp::from_second(i64::from(index) * 15).unwrap(),
            replicas,
            rate: carried * utilisation / 0.8 * (1.0 + spread * noise(index)),
            saturation: Saturation::Utilisation(utilisation),
        }
    };
    (0..count).map(sample).collect()
}

fn learn(samples: &[ProfileSample]) -> Result<Profile, ProfileError> {
    Profile::learn(samples, &ProfileOptions::default())
}

#[test]
fn a_noisy_line_is_found_with_its_interval() {
    let mut samples = samples(110.0, -30.0, 0.05, 1_204, 8);
    samples[17].saturation = Saturation::Utilisation(0.05);
    insta::assert_snapshot!(learn(&samples).unwrap(), @"
    109.910584 r - 29.756341 req/s at 80 % busy, learned from 1203 samples of 1 to 8 replicas, half of them within 2.5 %
      alpha 109.911 (109.464 to 110.353), beta -29.756 (-30.814 to -28.961), with 95 % confidence
      left out, since less than 20 % busy: 1
    ");
}

#[test]
fn a_quarter_of_outliers_does_not_matter() {
    let mut samples = samples(110.0, -30.0, 0.02, 400, 5);
    for sample in samples.iter_mut().step_by(4) {
        sample.rate *= 9.0;
    }
    let profile = learn(&samples).unwrap();
    assert!((profile.alpha.value - 110.0).abs() < 8.0, "{profile}");
    assert!((profile.line(3) - 300.0).abs() < 15.0, "{profile}");
}

#[test]
fn response_times_tell_the_same_line() {
    let by_latency: Vec<ProfileSample> = samples(50.0, 5.0, 0.0, 100, 4)
        .into_iter()
        .map(|mut sample| {
            let busy = sample.saturation.utilisation();
            sample.saturation = Saturation::Latency {
                milliseconds: 20.0 / (1.0 - busy),
                unloaded_milliseconds: 20.0,
            };
            sample
        })
        .collect();
    let profile = learn(&by_latency).unwrap();
    assert!((profile.alpha.value - 50.0).abs() < 1e-6 && (profile.beta.value - 5.0).abs() < 1e-6);
    let idle = Saturation::Latency {
        milliseconds: 15.0,
        unloaded_milliseconds: 20.0,
    };
    assert_eq!(idle.utilisation(), 0.0);
}

#[test]
fn samples_that_do_not_tell_are_refused_with_the_reason() {
    let refused = |samples: &[ProfileSample]| learn(samples).unwrap_err().to_string();
    let mut idle = samples(10.0, 0.0, 0.0, 40, 3);
    for sample in idle.iter_mut().skip(7) {
        sample.saturation = Saturation::Utilisation(0.1);
    }
    insta::assert_snapshot!(refused(&idle), @"no profile: 7 samples are usable and 20 are needed; 33 are less than 20 % busy");
    insta::assert_snapshot!(refused(&samples(10.0, 0.0, 0.0, 40, 1)), @"no profile: all 40 usable samples are of 1 replica; another count is needed, or a line through 0");
    insta::assert_snapshot!(refused(&samples(0.1, 100.0, 0.2, 40, 3)), @"no profile: one more replica may carry nothing more: alpha is between -3.925 and 6.480 req/s");
    let mut torn = samples(10.0, 0.0, 0.0, 60, 3);
    for (index, sample) in torn.iter_mut().enumerate() {
        sample.rate *= [0.2, 1.0, 3.0, 0.4, 2.0][index % 5];
    }
    insta::assert_snapshot!(refused(&torn), @"no profile: half of the samples are 80 % or more off the best line, 30 % are allowed");
    let proportional = ProfileOptions {
        proportional: true,
        ..ProfileOptions::default()
    };
    let profile = Profile::learn(&samples(10.0, 0.0, 0.0, 40, 1), &proportional).unwrap();
    assert_eq!(profile.throughput.to_string(), "10 r");
}

#[test]
fn every_fault_is_told_at_once() {
    let mut samples = samples(10.0, 0.0, 0.0, 5, 3);
    samples[0].rate = f64::NAN;
    samples[1].rate = -3.0;
    samples[2].replicas = 0;
    samples[3].saturation = Saturation::Latency {
        milliseconds: 0.0,
        unloaded_milliseconds: f64::INFINITY,
    };
    samples[4].at = Timestamp::UNIX_EPOCH;
    samples[4].saturation = Saturation::Utilisation(80.0);
    let options = ProfileOptions {
        target: 0.0,
        least_samples: 1,
        ..ProfileOptions::default()
    };
    let error = Profile::learn(&samples, &options).unwrap_err().to_string();
    insta::assert_snapshot!(error.replace("; ", "\n"), @"
    the samples are no basis for a profile: the option target is 0, and has to be above 0 and at most 1
    the option least_samples is 1, and has to be 3 or more
    samples[0]: rate is NaN, and has to be 0 or more
    samples[1]: rate is -3, and has to be 0 or more
    samples[2]: no replica ran, so nothing was carried
    samples[3]: latency is 0, and has to be above 0
    samples[3]: unloaded latency is inf, and has to be above 0
    samples[4]: utilisation is 80, and has to be 0 to 2
    samples[4] is at 1970-01-01T00:00:00Z, before the one before it
    sort them by time
    ");
}

#[test]
fn drift_is_told_from_noise() {
    let profile = learn(&samples(110.0, -30.0, 0.05, 400, 5)).unwrap();
    let drift = |alpha, count| {
        profile
            .drift(&samples(alpha, -30.0, 0.05, count, 5))
            .unwrap()
            .to_string()
    };
    insta::assert_snapshot!(drift(110.0, 60), @"the profile holds (-0.1 %)");
    insta::assert_snapshot!(drift(88.0, 60), @"replicas carry 23 % less than the profile says (by chance in 1.7e-18 of cases): learn it again");
    insta::assert_snapshot!(drift(140.0, 12), @"replicas carry 32 % more than the profile says (by chance in 4.9e-4 of cases): learn it again");
    insta::assert_snapshot!(drift(88.0, 5), @"unknown: 5 newer samples are busy enough to tell, 8 are needed");
}

proptest! {
    #[test]
    fn an_exact_line_is_found_exactly(alpha in 0.5..500.0_f64, share in -0.4..2.0_f64, count in 20..80_u32, replicas in 2..9_u32) {
        let beta = alpha * share;
        let profile = learn(&samples(alpha, beta, 0.0, count, replicas)).unwrap();
        prop_assert!((profile.alpha.value - alpha).abs() < 1e-6 * alpha);
        prop_assert!((profile.beta.value - beta).abs() < 1e-5 * alpha);
        prop_assert!(profile.alpha.low <= profile.alpha.value && profile.alpha.value <= profile.alpha.high);
        let drift = profile.drift(&samples(alpha, beta, 0.0, 30, replicas)).unwrap();
        let holds = matches!(drift, Drift::None { .. });
        prop_assert!(holds, "{drift}");
    }
}
