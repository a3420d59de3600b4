//! Texts that are read, and every way in which they can be wrong.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

const ANSWER: &str = r#"{"status": "success", "data": {"resultType": "matrix", "result": [
    {"metric": {"service": "web"}, "values": [[60, "2"], [75.5, "NaN"], [90, "3.5"]]}]}}"#;

#[test]
fn loads_are_read_from_csv_and_from_prometheus() {
    assert_eq!(
        read_load("minute,requests\n0,42\n1,\n# a note\n\n2,58\n").unwrap(),
        [(at(0), 42.0), (at(120), 58.0)]
    );
    assert_eq!(
        read_load("time,host,rate\n1970-01-01T00:01:00Z,a,1.5\n").unwrap(),
        [(at(60), 1.5)]
    );
    assert_eq!(read_load("at,rate\n90,1\n").unwrap(), [(at(90), 1.0)]);
    assert_eq!(read_load(ANSWER).unwrap(), [(at(60), 2.0), (at(90), 3.5)]);
    assert_eq!(
        usual_step(&[(at(0), 1.0), (at(60), 1.0), (at(300), 1.0), (at(360), 1.0)]),
        Some(Duration::from_secs(60))
    );
    assert_eq!(usual_step(&[(at(0), 1.0)]), None);
}

#[test]
fn profile_samples_are_read() {
    let latency = "rate,time,latency,unloaded_latency,replicas\n150,60,40,20,2\n,75,40,20,2\n";
    assert_eq!(
        read_profile_samples(latency).unwrap(),
        [ProfileSample {
            at: at(60),
            replicas: 2,
            rate: 150.0,
            saturation: Saturation::Latency {
                milliseconds: 40.0,
                unloaded_milliseconds: 20.0
            }
        }]
    );
    let series = |values: &str| {
        format!(
            r#"{{"status": "success", "data": {{"resultType": "matrix", "result": [{{"metric": {{}}, "values": [{values}]}}]}}}}"#
        )
    };
    let joined = join_profile_samples(
        &series(r#"[60, "2"], [75, "2"], [90, "0"]"#),
        &series(r#"[60, "100"], [90, "120"]"#),
        &series(r#"[60, "0.5"], [75, "0.5"], [90, "0.5"]"#),
    );
    assert_eq!(
        joined.unwrap(),
        [ProfileSample {
            at: at(60),
            replicas: 2,
            rate: 100.0,
            saturation: Saturation::Utilisation(0.5)
        }]
    );
    let apart = join_profile_samples(
        &series(r#"[60, "2"]"#),
        &series(r#"[61, "1"]"#),
        &series(r#"[60, "1"]"#),
    );
    insta::assert_snapshot!(apart.unwrap_err(), @"the three answers: they have no moment in common");
    let half = join_profile_samples(
        &series(r#"[60, "2.5"]"#),
        &series(r#"[60, "1"]"#),
        &series(r#"[60, "1"]"#),
    );
    insta::assert_snapshot!(half.unwrap_err(), @"replicas: sample 0 at 1970-01-01T00:01:00Z: 2.5 is no number of replicas");
    let none = join_profile_samples(&series(""), "no", &series(""));
    insta::assert_snapshot!(none.unwrap_err(), @"rate: line 1, column 2: this is no JSON: expected ident at line 1 column 2");
}

#[test]
fn what_cannot_be_read_says_where_and_what_to_try() {
    let load = |text: &str| {
        let error = read_load(text).unwrap_err();
        assert!(!error.hint.is_empty());
        error.to_string()
    };
    insta::assert_snapshot!(load(""), @"line 1: there is no header");
    insta::assert_snapshot!(load("value\n1\n"), @"line 1: the header `value` has one column");
    insta::assert_snapshot!(load("0,42\n1,62\n"), @"line 1: the first line has numbers only, so there is no header");
    insta::assert_snapshot!(load("time,value\n60,1\n\nyesterday,2\n"), @"line 4: time is `yesterday`");
    insta::assert_snapshot!(load("time,value\n60,many\n"), @"line 2: value is `many`");
    insta::assert_snapshot!(load("time,value\n60,inf\n"), @"line 2: value is `inf`");
    insta::assert_snapshot!(load("time,value\n60,1,2\n"), @"line 2: 3 fields where the header has 2");
    insta::assert_snapshot!(load("time,value\n1e300,1\n"), @"line 2: time is `1e300`");
    insta::assert_snapshot!(load("{"), @"line 1, column 1: this is no JSON: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(load(r#"{"status": "error", "error": "parse error: unexpected end"}"#), @"status: the query failed: parse error: unexpected end");
    insta::assert_snapshot!(load(&ANSWER.replace("matrix", "vector")), @"data.resultType: it is vector and no matrix");
    insta::assert_snapshot!(load(&ANSWER.replace("]}]}}", "]}, {}]}}")), @"data.result: there are 2 series, and which is meant is not said");
    insta::assert_snapshot!(load(&ANSWER.replace("\"2\"", "2")), @"data.result[0].values[0]: `[60,2]` is no pair of a time and a number in quotes");
    insta::assert_snapshot!(load(&ANSWER.replace("90", "60")), @"data.result[0].values[2]: it is at 1970-01-01T00:01:00Z, not after the one before it");
    let profile = |text: &str| read_profile_samples(text).unwrap_err().to_string();
    insta::assert_snapshot!(profile("time,replicas,rate\n"), @"line 1: there is no column `latency` among time, replicas, rate");
    insta::assert_snapshot!(profile("time,replicas,rate,latency\n"), @"line 1: there is no column `unloaded_latency` among time, replicas, rate, latency");
    insta::assert_snapshot!(profile("time,replicas,rate,utilisation\n60,1.5,3,0.5\n"), @"line 2: replicas is `1.5`");
}
