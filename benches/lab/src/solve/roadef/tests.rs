use super::judge::{bound, cost, faults};
use super::*;

const MODEL: &str = include_str!("../../../tests/data/model_small.txt");
const ORIGINAL: &str = include_str!("../../../tests/data/assignment_small.txt");

fn input(name: &str, text: &str) -> Input {
    Input {
        path: name.into(),
        text: text.to_owned(),
    }
}

fn small() -> Instance {
    Instance::read_both(
        &input("model_small.txt", MODEL),
        &input("assignment_small.txt", ORIGINAL),
    )
    .unwrap()
}

fn every_answer() -> impl Iterator<Item = Vec<usize>> {
    (0..81).map(|number: usize| vec![number % 3, number / 3 % 3, number / 9 % 3, number / 27])
}

#[test]
fn costs_are_those_of_a_hand() {
    let instance = small();
    // Machine 0 holds 9 of the first resource: 4 above safety, at 10. Free are 1, 9 and 10 of it and 5, 7 and 8 of the second,
    // so that it is 2 too many on machine 1 and 2 on machine 2, at 1.
    assert_eq!(cost(&instance, &[0, 0, 0, 1]), 40 + 4);
    // 5 and 5: nothing is above safety; free are 5, 5, 10 and 6, 6, 8: 2 too many. A process of 2, a move between machines of
    // 3, and one move of a service of 10.
    assert_eq!(cost(&instance, &[0, 1, 0, 1]), 2 + 2 + 3 + 10);
    // 15 are safe and 10 are needed; 20 and 20 are free.
    assert_eq!(bound(&instance), 0);
}

#[test]
fn rules_are_those_of_a_hand() {
    let instance = small();
    assert_eq!(faults(&instance, &[0, 0, 0, 1]), Vec::<String>::new());
    assert_eq!(
        faults(&instance, &[0, 2, 0, 1]),
        ["a process of service 1 has none of service 0 near it"]
    );
    assert_eq!(
        faults(&instance, &[0, 0, 1, 1]),
        [
            "two processes of service 2 are on one machine",
            "service 2 is in 1 locations and has to be in 2"
        ]
    );
    assert_eq!(
        faults(&instance, &[0, 0, 0, 3]),
        ["process 3 is on a machine which there is not"]
    );
    assert_eq!(faults(&instance, &[0]), ["it has 1 processes instead of 4"]);
    let mut narrow = instance;
    narrow.machines[0].capacity[1] = 2;
    // One comes and two leave, which still hold there what is transient.
    let held = "machine 0 holds 4 of resource 1 and has 2";
    assert_eq!(faults(&narrow, &[1, 0, 2, 0]), [held]);
}

#[test]
fn the_kernel_is_asked_what_the_challenge_asks() {
    let instance = small();
    let problem = search::pose(&instance);
    let mut sound = 0;
    for answer in every_answer() {
        let asked = problem.value(&answer);
        assert_eq!(
            asked.is_some(),
            faults(&instance, &answer).is_empty(),
            "{answer:?}"
        );
        if let Some(asked) = asked {
            let mut without = instance.clone();
            without.service_weight = 0;
            assert_eq!(i128::from(asked), cost(&without, &answer), "{answer:?}");
            sound += 1;
        }
    }
    assert!(sound > 5, "{sound}");
}

#[test]
fn a_small_instance_is_solved_as_by_brute_force() {
    let instance = small();
    let sound = every_answer().filter(|answer| faults(&instance, answer).is_empty());
    let least = sound.map(|answer| cost(&instance, &answer)).min().unwrap();
    let effort = Effort {
        seconds: 0.2,
        threads: 1,
    };
    let found = search::search(&instance, effort);
    assert_eq!(cost(&instance, &found.answer), least);
    assert!(bound(&instance) <= least);
}

#[test]
fn bad_files_are_refused_with_the_line() {
    let fault = |model: &str, original: &str| {
        let read = Instance::read_both(&input("model_x.txt", model), &input("assignment_x.txt", original));
        read.unwrap_err().to_string()
    };
    let shown = [
        fault("", ORIGINAL),
        fault(&MODEL.replacen("0 10", "2 10", 1), ORIGINAL),
        fault(&MODEL.replacen("2 1 1 2", "9 1 1 2", 1), ORIGINAL),
        fault(&format!("{MODEL} 7"), ORIGINAL),
        fault(MODEL, "0 0 0"),
        fault(MODEL, "0 0 0 3"),
        fault(MODEL, "0 0 1 1"),
        Instance::read(&input("a1.txt", MODEL)).unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(shown.join("\n"), @"
    model_x.txt:1: the file ends after 0 numbers, before the number of resources
    model_x.txt:2: the mark of a transient resource is 2, and has to be 1 or less
    model_x.txt:15: the service of a process is 9, and has to be 2 or less
    model_x.txt:21: `7` is left over after all 66 numbers
    assignment_x.txt:1: the file ends after 3 numbers, before the machine of process 3
    assignment_x.txt:1: process 3 is on machine 3, which there is not
    assignment_x.txt:1: the original assignment breaks a rule: two processes of service 2 are on one machine
    a1.txt:1: the file is called `a1.txt`, and not model_NAME
    ");
}
