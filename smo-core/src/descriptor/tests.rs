//! Every code is given by some input, and every text of an error or note is looked at.

use std::collections::BTreeSet;

use super::{Dangling, Descriptor, ValidateOptions, codes};
use crate::decode::UnknownKeys;
use crate::diagnostic::{Violation, Violations};
use crate::yaml::Limits;

/// One service with `deployment` and `artifact` as given.
fn service(deployment: &str, artifact: &str) -> String {
    format!(
        "hdaGraph:
  imVersion: 0.4.0
  id: g
  services:
    - id: web
      deployment: {deployment}
      artifact: {artifact}
"
    )
}

/// One service with the given intent, and a second one called `api`.
fn intent(intent: &str) -> String {
    let deployment = format!("{{intent: {intent}}}");
    service(&deployment, "{ociImage: oci://r/p/web}")
        + "    - {id: api, deployment: {intent: {compute: {cpu: 1, ram: 1, storage: 1}}}, artifact: {ociImage: oci://r/p/api}}\n"
}

/// One service with the given trigger.
fn trigger(trigger: &str) -> String {
    service(
        &format!("{{trigger: {trigger}, intent: {{resources: small}}}}"),
        "{ociImage: oci://r/p/web}",
    )
}

/// One service from the given artifact.
fn artifact(artifact: &str) -> String {
    service("{intent: {resources: small}}", artifact)
}

/// A graph with a head and one plain service.
fn head(head: &str) -> String {
    format!(
        "hdaGraph:\n{head}  services: [{{id: a, deployment: {{intent: {{resources: small}}}}, artifact: {{ociImage: r/p/a}}}}]\n"
    )
}

/// Everything a text gives: its errors, or its notes.
fn read(text: &str, options: &ValidateOptions) -> Violations {
    let result = Descriptor::parse(text).and_then(|descriptor| descriptor.validate_with(options));
    match result {
        Ok(validated) => Violations::new("descriptor", validated.notes),
        Err(violations) => violations,
    }
}

fn cases() -> Vec<(&'static str, String)> {
    let compute = |compute: &str| intent(&format!("{{compute: {compute}}}"));
    let event = |event: &str| trigger(&format!("{{event: {{events: [{event}]}}}}"));
    vec![
        ("no YAML", "hdaGraph: [1".to_owned()),
        ("two documents", "hdaGraph: {}\n---\nhdaGraph: {}\n".to_owned()),
        ("a key twice", "hdaGraph:\n  id: a\n  id: b\n".to_owned()),
        ("an anchor bomb", bomb()),
        ("nothing", String::new()),
        ("a list", "- a\n".to_owned()),
        ("no root key", "id: g\nservices: []\n".to_owned()),
        ("another document", "kind: Pod\n".to_owned()),
        ("a text as graph", "hdaGraph: image-detection\n".to_owned()),
        ("an empty graph", "hdaGraph: {}\n".to_owned()),
        ("no services", "hdaGraph: {imVersion: 0.4.0, id: g, services: []}\n".to_owned()),
        ("services as map", "hdaGraph: {imVersion: 0.4.0, id: g, services: {a: 1}}\n".to_owned()),
        ("a service as text", "hdaGraph: {imVersion: 0.4.0, id: g, services: [a]}\n".to_owned()),
        ("wrong head", head("  imVersion: 0.5\n  id: Graph 1\n  version: 1.0\n  designer: [a]\n")),
        ("a version with v", head("  imVersion: 0.4.0\n  id: g\n  version: v1.2.3\n")),
        ("a version of words", head("  imVersion: 0.4.0\n  id: g\n  version: latest\n")),
        ("no version of the model", head("  id: g\n")),
        ("the old model", head("  imVersion: 0.3.0\n  id: g\n  hdaGraphIntent: Low latency\n")),
        (
            "graph intents",
            head("  imVersion: 0.4.0\n  id: g\n  hdaGraphIntent:\n    security: {}\n    useStaticPlacement: maybe\n    energyEfficiency: 'True'\n    highAvailability: {enabled: true, minReplicasOverall: 4, maxReplicasOverall: 2}\n"),
        ),
        (
            "ids",
            format!(
                "hdaGraph: {{imVersion: 0.4.0, id: g, services: [{}]}}\n",
                ["Image_Detection", "twice", "twice", "''", &"x".repeat(54)]
                    .map(|id| format!("\n  {{id: {id}, deployment: {{intent: {{resources: small}}}}, artifact: {{ociImage: r/p/a}}}}"))
                    .join(",")
            ),
        ),
        ("unknown keys", service("{intents: {}, intent: {resources: small, coLocations: []}}", "{ociImage: r/p/a, ociimage: x}")),
        ("dangling", intent("{resources: small, connectionPoints: [apy, api, zzz]}")),
        ("a link to itself", intent("{resources: small, connectionPoints: [web]}")),
        ("a link twice", intent("{resources: small, connectionPoints: [api, api]}")),
        ("misplaced links", intent("{resources: small, network: {connectionPoints: [api]}}")),
        (
            "latencies",
            intent("{resources: small, connectionPoints: [api], network: {latencies: [{connectionPoint: api, qos: low}, {connectionPoint: api, qos: ultralow}, {connectionPoint: api, qos: ultra-low}]}}"),
        ),
        (
            "idle latencies",
            intent("{resources: small, network: {latencies: [{connectionPoint: '', qos: low}, {connectionPoint: api}]}}"),
        ),
        (
            "overridden latency",
            intent("{resources: small, connectionPoints: [api], network: {latencies: [{connectionPoint: api, qos: low}]}}")
                .replace("  id: g\n", "  id: g\n  hdaGraphIntent: {highPerformance: true}\n"),
        ),
        ("classes", compute("{cpu: tiny, ram: smal, storage: light}")),
        ("quantities", compute("{cpu: -1, ram: 500MiB, storage: 99E}")),
        ("a comma", compute("{cpu: '1,5', ram: 2 GB, storage: 1x}")),
        ("an old class", intent("{resources: huge}")),
        ("defaults", compute("{cpu: 2}")),
        (
            "a boolean as text",
            compute("{cpu: 1, ram: 1, storage: 1, gpu: {enabled: 'True'}}"),
        ),
        ("wrong gpu", compute("{cpu: 1, ram: 1, storage: 1, gpu: perhaps}")),
        ("no trigger that is known", trigger("{manual: {}}")),
        ("a type that is not known", trigger("{type: cron}")),
        ("both triggers", trigger("{auto: {}, event: {events: [{id: e, condition: {promQuery: up}}]}}")),
        ("no events", trigger("{event: {events: []}}")),
        ("no event", trigger("{type: event}")),
        (
            "events",
            trigger("{event: {condition: SOME, events: [{id: e, condition: {promQuery: ' ', gracePeriod: 2 minutes}}, {id: e, condition: {promQuery: up, gracePeriod: 60}}, {id: e, condition: {promQuery: up}}, {condition: {}}]}}"),
        ),
        ("sources", event("{id: e, source: [{serviceId: wbe}, {serviceId: web, metricId: m}], condition: {promQuery: up}}")),
        ("a cycle", trigger("{auto: {dependencies: [web]}}")),
        (
            "metrics",
            intent("{resources: small, metrics: [{id: m, endpoint: {interval: often}}, {id: m}, {id: ''}]}"),
        ),
        ("no artifact", artifact("{}")),
        ("an unknown scheme", artifact("{ociImage: ftp://r/p/c}")),
        ("no registry", artifact("{ociImage: nginx}")),
        ("an empty reference", artifact("{ociImage: ''}")),
        ("white space", artifact("{ociImage: oci://r/p/my chart}")),
        ("a password", artifact("{ociImage: 'oci://me:hunter2@r/p/c'}")),
        ("plain HTTP", artifact("{ociImage: http://r/p/c}")),
        ("values as text", artifact("{ociImage: oci://r/p/c, valuesOverwrite: hunter2}")),
        ("control characters", artifact("{ociImage: \"nginx\\e[31m\\0\"}")),
    ]
}

fn bomb() -> String {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..8 {
        let below = vec![format!("*a{}", level - 1); 10].join(",");
        text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    text
}

#[test]
fn every_error_and_note() {
    let mut shown = String::new();
    for (name, text) in cases() {
        let violations = read(&text, &ValidateOptions::default());
        assert!(!violations.is_empty(), "{name}");
        shown.push_str(&format!("## {name}\n{violations}\n\n"));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn every_code_is_given_by_some_input() {
    let options = ValidateOptions::default();
    let lenient = ValidateOptions::new().with_dangling(Dangling::Drop);
    let mut given: BTreeSet<&str> = BTreeSet::new();
    for (_, text) in cases() {
        given.extend(read(&text, &options).codes());
        given.extend(read(&text, &lenient).codes());
    }
    given.extend(read(&many_services(super::MAX_SERVICES + 1), &options).codes());
    given.extend(
        read(
            &format!("hdaGraph: {{services: [{}]}}", "1,".repeat(2000)),
            &options,
        )
        .codes(),
    );
    for (code, meaning) in codes::ALL {
        assert!(given.contains(code.0), "{code} {meaning}");
    }
    let names: BTreeSet<&str> = codes::ALL.iter().map(|(code, _)| code.0).collect();
    assert_eq!(names.len(), codes::ALL.len(), "a code stands twice");
    assert!(given.is_subset(&names), "{:?}", given.difference(&names));
}

/// A graph of `count` small services in a row.
fn many_services(count: usize) -> String {
    let mut text = "hdaGraph:\n  id: g\n  services:\n".to_owned();
    for index in 0..count {
        text.push_str(&format!("  - id: s{index}\n    artifact: {{ociImage: r/p/c}}\n"));
        if index > 0 {
            let before = index - 1;
            text.push_str(&format!(
                "    deployment: {{trigger: {{auto: {{dependencies: [s{before}]}}}}, intent: {{connectionPoints: [s{before}]}}}}\n"
            ));
        }
    }
    text
}

#[test]
fn ten_thousand_services_in_a_row_are_read() {
    let limits = Limits {
        nodes: 1_000_000,
        ..Limits::default()
    };
    let text = many_services(super::MAX_SERVICES);
    let graph = Descriptor::parse_within("many.yaml", &text, limits)
        .unwrap()
        .validate()
        .unwrap();
    assert_eq!(graph.services().len(), super::MAX_SERVICES);
    let waves = graph.start_waves();
    assert_eq!((waves.len(), waves[1][0].as_str()), (super::MAX_SERVICES, "s1"));
}

#[test]
fn a_thousand_faults_are_listed_and_the_rest_counted() {
    let points = vec!["nowhere"; 3000].join(", ");
    let text = intent(&format!("{{resources: small, connectionPoints: [{points}]}}"));
    let violations = read(&text, &ValidateOptions::default());
    assert_eq!(violations.len(), 1001);
    let last: Vec<&Violation> = violations.iter().filter(|v| v.code == codes::MORE).collect();
    assert_eq!(last[0].message, "2000 more of them are not listed");
}

#[test]
fn hostile_texts_are_refused_and_never_panic() {
    let nested =
        |open: &str, close: &str| format!("hdaGraph: {}{}", open.repeat(10_000), close.repeat(10_000));
    let texts = [
        nested("[", "]"),
        nested("{a: ", "}"),
        format!("hdaGraph: {{id: {}}}", "a".repeat(5 << 20)),
        "hdaGraph:\n\tid: g\n".to_owned(),
        "\0".to_owned(),
        "hdaGraph: {id: \"\0\"}".to_owned(),
        "\u{feff}".to_owned(),
        "hdaGraph: *unknown\n".to_owned(),
        "hdaGraph: &a {services: [*a]}\n".to_owned(),
        "hdaGraph: !!binary aGVsbG8=\n".to_owned(),
        "? {a: b}\n: c\n".to_owned(),
        "hdaGraph: {[1, 2]: x}\n".to_owned(),
        format!("hdaGraph: {{{}: 1}}\n", "k".repeat(100_000)),
        format!(
            "hdaGraph: {{id: {}, services: [{{id: {}}}]}}\n",
            "A".repeat(100_000),
            "b".repeat(100_000)
        ),
    ];
    for text in texts {
        let violations = read(&text, &ValidateOptions::default());
        assert!(
            violations
                .iter()
                .any(|v| v.severity == crate::diagnostic::Severity::Error)
        );
        assert!(violations.to_string().len() < 20_000);
    }
}

#[test]
fn values_are_never_shown() {
    let secret = "hunter2";
    let texts = [
        artifact(&format!("{{ociImage: '', valuesOverwrite: {{a: {secret}}}}}")),
        artifact(&format!("{{ociImage: oci://r/p/c, valuesOverwrite: [{secret}]}}")),
        artifact(&format!(
            "{{ociImage: oci://r/p/c, valuesOverwrite:\n        {secret}}}"
        )),
        artifact(&format!(
            "\n        ociImage: oci://r/p/c\n        valuesOverwrite:\n          - {secret}"
        )),
        artifact(&format!(
            "\n        ociImage: oci://r/p/c\n        valuesOverwrite:\n          pin: [{secret}\n          x: 1"
        )),
        artifact(&format!(
            "\n        ociImage: oci://r/p/c\n        valuesOverwrite:\n          pin: {secret}\n          pin: {secret}"
        )),
        artifact(&format!("{{ociImage: 'oci://me:{secret}@r/p/c'}}")),
    ];
    for text in texts {
        let violations = read(&text, &ValidateOptions::default());
        assert!(!violations.is_empty());
        assert!(
            !format!("{violations}{violations:?}").contains(secret),
            "{violations}"
        );
    }
}

#[test]
fn unknown_keys_survive_and_may_be_refused() {
    let text = service(
        "{x0: 0, trigger: {x1: 1, event: {x2: 2, events: [{x3: 3, id: e, source: [{x4: 4, serviceId: web}], condition: {x5: 5, promQuery: up}}]}}, intent: {x6: 6, network: {x7: 7, deviceProximity: {x8: 8, enabled: true}, latencies: [{x9: 9, connectionPoint: api}]}, compute: {x10: 10, cpu: 1, ram: 1, storage: 1, gpu: {x11: 11, enabled: true}}, coLocation: [{x12: 12, id: o}], connectionPoints: [api], metrics: [{x13: 13, id: m, endpoint: {x14: 14}}]}}",
        "{x15: 15, ociImage: r/p/c, ociConfig: {x16: 16}, ociRun: {x17: 17}}",
    ) + "      x18: 18\n    - {id: api, artifact: {ociImage: r/p/a}}\n  hdaGraphIntent: {x19: 19, security: {x20: 20, enabled: true}, highAvailability: {x21: 21}}\n  x22: 22\n";
    let descriptor = Descriptor::parse(&text).unwrap();
    let validated = descriptor.validate_with(&ValidateOptions::default()).unwrap();
    let unknown = validated
        .notes
        .iter()
        .filter(|note| note.code == codes::UNKNOWN_KEY);
    assert_eq!(unknown.count(), 23);
    let written = Descriptor::from_graph(&validated.graph);
    for key in 0..23 {
        assert!(written.text().contains(&format!("x{key}: {key}")), "x{key}");
    }
    assert_eq!(written.validate().unwrap(), validated.graph);
    let strict = ValidateOptions::new().with_unknown_keys(UnknownKeys::Refuse);
    assert_eq!(descriptor.validate_with(&strict).unwrap_err().len(), 23);
}

#[test]
fn every_form_of_a_thing_is_the_same_thing() {
    let gpu = |gpu: &str| {
        let text = intent(&format!("{{compute: {{gpu: {gpu}}}}}"));
        let graph = Descriptor::parse(&text).unwrap().validate().unwrap();
        let compute = &graph.service("web").unwrap().compute;
        (compute.gpu, compute.gpu_count)
    };
    assert_eq!(gpu("{enabled: true}"), (true, None));
    assert_eq!(gpu("{enabled: 'True'}"), (true, None));
    assert_eq!(gpu("{enabled: 'False'}"), (false, None));
    assert_eq!(gpu("true"), (true, None));
    assert_eq!(gpu("2"), (true, Some(2)));
    assert_eq!(gpu("0"), (false, None));
    assert_eq!(gpu("{count: 3}"), (true, Some(3)));
    assert_eq!(gpu("{enabled: false, count: 3}"), (false, None));
    let kind = |form: &str| {
        let graph = Descriptor::parse(&trigger(form)).unwrap().validate().unwrap();
        graph.service("web").unwrap().trigger.clone()
    };
    let at_once = kind("{auto: {dependencies: []}}");
    for form in [
        "{auto: {}}",
        "{auto: }",
        "{type: standard}",
        "{type: auto, auto: {}}",
        "{}",
        "",
    ] {
        assert_eq!(kind(form), at_once, "{form}");
    }
    let one = "{condition: ANY, events: [{id: e, condition: {promQuery: up}}]}";
    assert_eq!(
        kind(&format!("{{type: event, event: {one}}}")),
        kind(&format!("{{event: {one}}}"))
    );
}
