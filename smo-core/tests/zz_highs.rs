#![allow(dead_code, clippy::unwrap_used, clippy::panic)]
#[path = "scaling_oracle.rs"]
mod oracle;
#[test]
fn highs() {
    let text = std::fs::read_to_string("/tmp/scaling-highs.jsonl").unwrap();
    let mut n = 0;
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        oracle::check(
            case["id"].as_str().unwrap(),
            &case,
            case["bounded"].as_bool().unwrap(),
            &case["expected"],
        );
        n += 1;
    }
    println!("{n} cases agree");
}
