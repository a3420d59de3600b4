//! `smo-lab solve` on small instances of our own, and on the public ones where their folder is there.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value as Json, json};
use smo_core::random::Random;

fn lab(arguments: &[&str]) -> Output {
    let program = Command::new(env!("CARGO_BIN_EXE_smo-lab"))
        .args(arguments)
        .output();
    program.unwrap()
}

fn data(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    folder.join(name).display().to_string()
}

/// A file of the public instances; `None`, with a line that says so, where they are not there.
fn public(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: no {}", path.display());
    None
}

/// The printed objects.
fn solved(format: &str, file: &str, more: &[&str]) -> Vec<Json> {
    let output = lab(&[&["solve", format, file, "--json"], more].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{file}: {errors}");
    assert_eq!(errors, "", "{file}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Costs, weights and capacities of a file of ours.
fn tables(text: &str) -> (Vec<Vec<i64>>, Vec<Vec<i64>>, Vec<i64>) {
    let rows: Vec<Vec<i64>> = text
        .lines()
        .map(|line| line.split(' ').map(|number| number.parse().unwrap()).collect())
        .collect();
    let agents = usize::try_from(rows[0][0]).unwrap();
    (
        rows[1..=agents].to_vec(),
        rows[agents + 1..=2 * agents].to_vec(),
        rows[2 * agents + 1].clone(),
    )
}

/// The cheapest of all assignments.
fn by_brute_force(text: &str) -> Option<i64> {
    let (costs, weights, capacities) = tables(text);
    let (agents, items) = (costs.len(), costs[0].len());
    let all = 0..agents.pow(u32::try_from(items).unwrap());
    all.filter_map(|mut number| {
        let mut left = capacities.clone();
        let mut cost = 0;
        for item in 0..items {
            let agent = number % agents;
            number /= agents;
            left[agent] -= weights[agent][item];
            cost += costs[agent][item];
        }
        left.iter().all(|left| *left >= 0).then_some(cost)
    })
    .min()
}

#[test]
fn a_small_assignment_is_solved_as_by_brute_force() {
    let file = data("small.gap");
    let text = std::fs::read_to_string(&file).unwrap();
    let [answer] = &solved("gap", &file, &[])[..] else {
        panic!("one object");
    };
    let (costs, weights, capacities) = tables(&text);
    let chosen: Vec<usize> = serde_json::from_value(answer["answer"].clone()).unwrap();
    let cost: i64 = chosen
        .iter()
        .enumerate()
        .map(|(item, agent)| costs[*agent][item])
        .sum();
    for (agent, capacity) in capacities.iter().enumerate() {
        let mine = chosen.iter().enumerate().filter(|(_, at)| **at == agent);
        assert!(mine.map(|(item, _)| weights[agent][item]).sum::<i64>() <= *capacity);
    }
    assert_eq!(Some(cost), by_brute_force(&text));
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["status", "value", "bound", "gap", "seconds", "work", "answer"]
    );
    assert_eq!(answer["status"], "optimal");
    assert_eq!(answer["value"], cost);
    assert_eq!(answer["bound"], cost);
    assert_eq!(answer["gap"], 0.0);
    assert!(answer["seconds"].as_f64().unwrap() >= 0.0 && answer["work"]["steps"].as_u64().unwrap() > 0);
}

/// The cheapest placement of a fleet's file, by the formula of its format.
fn cheapest_fleet(text: &str) -> Option<i64> {
    let lines: Vec<Json> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kind = |kind: &str| -> Vec<&Json> { lines.iter().filter(|line| line["t"] == kind).collect() };
    let (clusters, services, links) = (kind("cluster"), kind("service"), kind("link"));
    let number = |object: &Json, key: &str| object[key].as_i64().unwrap();
    let all = 0..clusters.len().pow(u32::try_from(services.len()).unwrap());
    all.filter_map(|mut code| {
        let mut left: Vec<(i64, i64)> = clusters
            .iter()
            .map(|cluster| (number(cluster, "cpu"), number(cluster, "mem")))
            .collect();
        let mut at = Vec::new();
        let mut cost = 0;
        for service in &services {
            let chosen = code % clusters.len();
            code /= clusters.len();
            let cluster = clusters[chosen];
            let (cpu, mem) = (number(service, "cpu"), number(service, "mem"));
            left[chosen] = (left[chosen].0 - cpu, left[chosen].1 - mem);
            let carbon = number(service, "power") * number(cluster, "pue") * number(cluster, "carbon") * 50;
            let price = cpu * number(cluster, "price_cpu") * 1024 + mem * number(cluster, "price_mem") * 1000;
            cost += (carbon + 50_000_000) / 100_000_000 + (price + 512_000) / 1_024_000;
            at.push(chosen);
        }
        let end = |link: &Json, key: &str| at[usize::try_from(number(link, key)).unwrap()];
        let cut = links
            .iter()
            .filter(|link| end(link, "a") != end(link, "b"))
            .count();
        cost += i64::try_from(cut).unwrap() * number(&lines[0], "link_cost");
        left.iter()
            .all(|(cpu, mem)| *cpu >= 0 && *mem >= 0)
            .then_some(cost)
    })
    .min()
}

#[test]
fn a_small_fleet_is_solved_as_by_brute_force() {
    let file = data("small.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    let [answer] = &solved("fleet", &file, &["--seconds", "1"])[..] else {
        panic!("one object");
    };
    assert_eq!(answer["value"].as_i64(), cheapest_fleet(&text));
    assert_eq!(
        (&answer["status"], &answer["bound"]),
        (&json!("optimal"), &answer["value"])
    );
    assert_eq!(answer["answer"].as_array().unwrap().len(), 5);
    let crowded = text
        .replace("\"cpu\":8000", "\"cpu\":2500")
        .replace("\"cpu\":6000", "\"cpu\":2000");
    assert_eq!(cheapest_fleet(&crowded), None);
    let path = std::env::temp_dir().join(format!("smo-lab-crowded-{}.jsonl", std::process::id()));
    std::fs::write(&path, crowded).unwrap();
    let none = &solved("fleet", &path.display().to_string(), &["--seconds", "1"])[0];
    std::fs::remove_file(path).unwrap();
    assert_eq!(
        (&none["status"], &none["answer"]),
        (&json!("infeasible"), &Json::Null)
    );
}

#[test]
fn a_problem_of_the_library_is_solved_and_said_in_full() {
    let shop = data("../../../../examples/problems/shop.yaml");
    let [answer] = &solved("problem", &shop, &["--seconds", "1"])[..] else {
        panic!("one object");
    };
    assert_eq!(
        (&answer["status"], &answer["gap"]),
        (&json!("optimal"), &json!(0.0))
    );
    assert_eq!(answer["value"], answer["bound"]);
    assert_eq!(answer["answer"]["default/shop/recommender"], json!({"edge-2": 1}));
    assert!(answer["proof"]["by"].is_string());
    assert!(answer["totals"]["money"].as_i64().unwrap() > 0);

    let text = std::fs::read_to_string(&shop)
        .unwrap()
        .replace("gpus: 1}\n      price", "gpus: 0}\n      price");
    let lost = text.replace(
        "memory: 256Gi, storage: 2T, gpus: 4",
        "memory: 256Gi, storage: 2T",
    );
    let path = std::env::temp_dir().join(format!("smo-lab-lost-{}.yaml", std::process::id()));
    std::fs::write(&path, lost).unwrap();
    let none = &solved("problem", &path.display().to_string(), &["--seconds", "1"])[0];
    std::fs::remove_file(path).unwrap();
    assert_eq!(
        (&none["status"], &none["answer"]),
        (&json!("infeasible"), &Json::Null)
    );
    assert!(none["reasons"].to_string().contains("nvidia.com/gpu"), "{none}");
    for key in ["status", "value", "bound", "gap", "seconds", "work", "answer"] {
        assert!(answer.get(key).is_some() && none.get(key).is_some(), "{key}");
    }
}

#[test]
fn machines_are_reassigned_as_by_brute_force() {
    let [answer] = &solved("roadef", &data("model_small.txt"), &["--seconds", "1"])[..] else {
        panic!("one object");
    };
    // One process moves, as worked by hand beside the reader; the first does as well as the second.
    let cheapest = [json!([0, 1, 0, 1]), json!([1, 0, 0, 1])];
    assert!(cheapest.contains(&answer["answer"]), "{answer}");
    assert_eq!((&answer["value"], &answer["original"]), (&json!(17), &json!(44)));
    assert_eq!(
        (&answer["status"], &answer["bound"]),
        (&json!("feasible"), &json!(0))
    );
}

#[test]
fn an_impossible_assignment_is_an_answer() {
    let file = data("impossible.gap");
    assert_eq!(by_brute_force(&std::fs::read_to_string(&file).unwrap()), None);
    let answers = solved("gap", &file, &[]);
    assert_eq!(answers[0]["status"], "infeasible");
    assert!(answers[0]["value"].is_null() && answers[0]["answer"].is_null() && answers[0]["gap"].is_null());
}

#[test]
fn the_predecessors_models_are_solved_case_by_case() {
    let without_floats = |mut answer: Json| {
        // 0.1 * 3 is not 0.3 in binary.
        if let Some(objective) = answer["objective"].as_f64() {
            answer["objective"] = json!((objective * 1e6).round() / 1e6);
        }
        answer
    };
    let answers: Vec<Json> = solved("oracle", &data("cases.jsonl"), &[])
        .into_iter()
        .map(without_floats)
        .collect();
    assert_eq!(
        answers,
        [
            // y has to go to the only GPU, which leaves half a core there: x and z go too. Three services, three moves.
            json!({"id": "two-gpus", "status": "optimal", "objective": 6.0, "assignment": [0, 1, 0]}),
            json!({"id": "no-room", "status": "infeasible", "objective": null, "assignment": null}),
            // One of the large ones moves for 5 * 2 * 0.75; the small one would save 0.375 and costs 1.
            json!({"id": "greener", "status": "optimal", "objective": 14.0, "assignment": [1, 0, 0]}),
            json!({"id": "nothing", "status": "optimal", "objective": 0.0, "assignment": []}),
            // (3 * 0.5 + 4 * 1) / 5 of the largest demand, and two of ten replicas more; four fit, so none stops.
            json!({"id": "more", "status": "optimal", "objective": 0.4 * 1.1 + 0.4 * 0.2, "replicas": [3, 4]}),
            json!({"id": "too-much", "status": "infeasible", "objective": null, "replicas": null}),
        ]
        .map(without_floats)
    );
}

#[test]
fn people_get_a_line_beside_the_json_and_threads_change_nothing() {
    let file = data("small.gap");
    let output = lab(&["solve", "gap", &file, "--threads", "2", "--seconds", "1.5"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("small.gap: optimal, value "), "{said}");
    let printed: Json = serde_json::from_slice(&output.stdout).unwrap();
    let alone = &solved("gap", &file, &[])[0];
    for key in ["status", "value", "bound", "work", "answer"] {
        assert_eq!(printed[key], alone[key], "{key}");
    }
}

/// A fleet with more than enough to do for every thread, always the same.
fn generated_fleet() -> String {
    let mut random = Random::new(7);
    let mut lines = vec![json!({"t": "fleet", "link_cost": 300})];
    for _ in 0..8 {
        let (cpu, mem) = (random.between(9, 12) * 1000, random.between(20, 28) * 1024);
        let (carbon, price) = (random.between(30, 600), random.between(80, 130));
        lines.push(json!({
            "t": "cluster", "cpu": cpu, "mem": mem, "carbon": carbon, "pue": 120, "price_cpu": price, "price_mem": 13
        }));
    }
    for service in 0..60 {
        let (cpu, mem) = (random.between(2, 6) * 250, random.between(1, 6) * 512);
        let power = random.between(4, 30) * 1000;
        lines.push(json!({"t": "service", "graph": service / 6, "cpu": cpu, "mem": mem, "power": power}));
    }
    lines.extend((0..57).map(|service| json!({"t": "link", "a": service, "b": service + 1 + service % 3})));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Twelve services of two processes on six machines at three places, and where they run at first.
fn generated_machines() -> (String, String) {
    let mut random = Random::new(11);
    let mut model = "2\n0 10\n1 1\n6\n".to_owned();
    for machine in 0..6 {
        model += &format!("0 {} 60 50 20 15 0 1 1 2 1 1\n", machine % 3);
    }
    model += "12\n";
    for service in 0..12 {
        model += &format!("{} 0\n", 1 + service % 2);
    }
    model += "24\n";
    for process in 0..24 {
        let (one, other, cost) = (random.between(1, 9), random.between(1, 9), random.between(1, 5));
        model += &format!("{} {one} {other} {cost}\n", process / 2);
    }
    model += "1\n0 1 1\n2\n1 10 3\n";
    let first = (0..24).map(|process| ((process / 2 + process % 2) % 6).to_string());
    (model, first.collect::<Vec<_>>().join(" "))
}

/// What is printed on so many threads, byte for byte but for what is of the machine: seconds and memory.
fn printed(format: &str, file: &str, threads: &str) -> String {
    let mut answers = solved(format, file, &["--seconds", "0.1", "--threads", threads]);
    for answer in &mut answers {
        let keys = answer.as_object_mut().unwrap();
        assert!(keys.remove("seconds").is_some(), "{keys:?}");
        keys.remove("firstAnswerSeconds");
        keys.remove("peakMebibytes");
    }
    serde_json::to_string(&answers).unwrap()
}

#[test]
fn every_format_answers_the_same_on_any_number_of_threads() {
    let folder = std::env::temp_dir().join(format!("smo-lab-threads-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (model, assignment) = generated_machines();
    write("assignment_threads.txt", &assignment);
    let mut files = vec![
        ("fleet", write("fleet.jsonl", &generated_fleet())),
        ("roadef", write("model_threads.txt", &model)),
        ("gap", data("small.gap")),
    ];
    let problems = std::fs::read_dir(data("../../../../examples/problems")).unwrap();
    files.extend(problems.map(|entry| ("problem", entry.unwrap().path().display().to_string())));
    assert!(files.len() > 2, "{files:?}");
    for (format, file) in files {
        let alone = printed(format, &file, "1");
        assert!(!alone.contains(r#""answer":null"#), "{format}: {alone}");
        for threads in ["2", "8"] {
            assert_eq!(
                printed(format, &file, threads),
                alone,
                "{format} on {threads} threads"
            );
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
    let cases = |threads| solved("oracle", &data("cases.jsonl"), &["--threads", threads]);
    assert!(["2", "8"].into_iter().all(|threads| cases(threads) == cases("1")));
}

#[test]
fn what_cannot_be_solved_says_why_and_what_to_try() {
    let failed = |arguments: &[&str]| {
        let output = lab(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(output.stdout, b"", "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        said.replace(env!("CARGO_MANIFEST_DIR"), "lab")
    };
    insta::assert_snapshot!(failed(&["solve", "gap", &data("cases.jsonl")]), @r#"
    error: lab/tests/data/cases.jsonl:1: the number of agents is `{"id":`, and has to be a whole number of 64 bits
      try: `m n`, then m rows of n costs, m rows of n weights, and m capacities
    "#);
    insta::assert_snapshot!(failed(&["solve", "oracle", &data("small.gap")]), @"
    error: lab/tests/data/small.gap:1: column 3: this is no JSON: trailing characters at line 1 column 3
      try: one whole JSON object a line
    ");
    insta::assert_snapshot!(failed(&["solve", "gap", &data("none.gap")]), @"
    error: lab/tests/data/none.gap cannot be read: No such file or directory (os error 2)
      try: the path of a file of text that is there
    ");
    insta::assert_snapshot!(failed(&["solve", "problem", &data("impossible.gap")]), @"
    error: lab/tests/data/impossible.gap has 1 problem
     --> lab/tests/data/impossible.gap:1:1
      |   2 2
      |   ^^^ P001 the document has no root key `problem`; begin it with `problem:`
    ");
    let misused = |arguments: &[&str]| {
        let output = lab(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = misused(&["solve", "gpa", "x"]);
    assert!(
        said.contains("possible values: oracle, gap, fleet, roadef, problem"),
        "{said}"
    );
    let said = misused(&["solve", "gap", "x", "--seconds", "0"]);
    assert!(said.contains("give a number of seconds above 0"), "{said}");
}

#[test]
fn the_public_oracle_cases_have_their_proved_optima() {
    for (file, list) in [
        ("placement.jsonl", "assignment"),
        ("carbon.jsonl", "assignment"),
        ("scaling.jsonl", "replicas"),
    ] {
        let Some(path) = public(&format!("oracle/{file}")) else {
            return;
        };
        let answers = solved("oracle", &path.display().to_string(), &[]);
        let cases = std::fs::read_to_string(path).unwrap();
        assert_eq!(answers.len(), cases.lines().count());
        for (answer, case) in answers.iter().zip(cases.lines()) {
            let case: Json = serde_json::from_str(case).unwrap();
            assert_eq!(answer["id"], case["id"]);
            assert_eq!(answer["status"], case["expected"]["status"], "{}", case["id"]);
            assert_eq!(
                answer[list].is_null(),
                case["expected"][list].is_null(),
                "{}",
                case["id"]
            );
            if let Some(wanted) = case["expected"]["objective"].as_f64() {
                let found = answer["objective"].as_f64().unwrap();
                let tolerance = 1e-6 * wanted.abs().max(1.0);
                assert!(
                    (found - wanted).abs() <= tolerance,
                    "{}: {found} of {wanted}",
                    case["id"]
                );
            }
        }
    }
}

#[test]
fn public_assignment_instances_have_their_optima() {
    let Some(values) = public("bench/gap/values.csv") else {
        return;
    };
    let values = std::fs::read_to_string(values).unwrap();
    for name in ["a05100", "b05100", "c05100", "a20200", "e05100"] {
        let row = values
            .lines()
            .find(|line| line.contains(&format!("/{name},")))
            .unwrap();
        let optimum: i64 = row.split(',').nth(6).unwrap().parse().unwrap();
        let path = public(&format!("bench/gap/{name}")).unwrap();
        let answer = &solved("gap", &path.display().to_string(), &[])[0];
        assert_eq!(answer["status"], "optimal", "{name}: {answer}");
        assert_eq!(answer["value"], optimum, "{name}");
    }
}
