//! The contract of [`AlertBackend`].

use super::{Outcome, Port};
use crate::backend::{AlertBackend, ErrorKind};
use crate::plan::{AlertGroup, AlertRule};

const PORT: Port = Port("AlertBackend");

/// Two names that belong to the suite.
const GROUPS: [&str; 2] = ["smo.conformance.one", "smo.conformance.two"];

fn group(name: &str, rules: &[&str]) -> AlertGroup {
    let rule = |event: &&str| AlertRule {
        alert: format!("{name}.{event}"),
        expr: "vector(0) > 1".to_owned(),
        hold: "1m".to_owned(),
        labels: [("smo_service".to_owned(), "conformance".to_owned())].into(),
        annotations: [("summary".to_owned(), "written by a test".to_owned())].into(),
    };
    AlertGroup {
        name: name.to_owned(),
        rules: rules.iter().map(rule).collect(),
    }
}

/// Checks that `backend` keeps the contract of [`AlertBackend`].
///
/// # Errors
/// The first rule that it breaks.
pub async fn alerts(backend: &dyn AlertBackend) -> Outcome {
    let [one, two] = GROUPS;
    for name in GROUPS {
        PORT.succeeds("removing what is not there succeeds", backend.remove(name).await)?;
    }
    let first = group(one, &["a", "b"]);
    let second = group(two, &["a"]);
    for group in [&first, &second, &first] {
        PORT.succeeds(
            "a group can be written, and written again",
            backend.write(group).await,
        )?;
    }
    let wanted = [Some(first.fingerprint()), Some(second.fingerprint())];
    PORT.equal(
        "written groups are in force as written",
        in_force(backend).await?,
        wanted,
    )?;
    let changed = group(one, &["c"]);
    PORT.succeeds("a group can be replaced", backend.write(&changed).await)?;
    let wanted = [Some(changed.fingerprint()), Some(second.fingerprint())];
    PORT.equal(
        "replacing a group leaves the others",
        in_force(backend).await?,
        wanted.clone(),
    )?;
    for (hold, expr) in [("soon", "vector(0) > 1"), ("1m", "")] {
        let mut bad = group(one, &["a", "b"]);
        if let Some(rule) = bad.rules.last_mut() {
            hold.clone_into(&mut rule.hold);
            expr.clone_into(&mut rule.expr);
        }
        PORT.fails(
            "a bad rule is Invalid",
            ErrorKind::Invalid,
            backend.write(&bad).await,
        )?;
        PORT.equal(
            "nothing of a bad group is written",
            in_force(backend).await?,
            wanted.clone(),
        )?;
    }
    let firing = PORT.succeeds("what fires can be asked", backend.firing().await)?;
    let ours = firing
        .iter()
        .filter(|alert| alert.label("smo_service") == Some("conformance"))
        .count();
    PORT.equal("a rule whose expression is empty does not fire", ours, 0)?;
    for (name, wanted) in [(one, [None, Some(second.fingerprint())]), (two, [None, None])] {
        PORT.succeeds("a group can be removed", backend.remove(name).await)?;
        PORT.succeeds("removing twice succeeds", backend.remove(name).await)?;
        PORT.equal(
            "only the removed group is out of force",
            in_force(backend).await?,
            wanted,
        )?;
    }
    Ok(())
}

async fn in_force(backend: &dyn AlertBackend) -> Result<[Option<String>; 2], super::ConformanceError> {
    let groups = PORT.succeeds("groups can be listed", backend.groups().await)?;
    Ok(GROUPS.map(|name| groups.get(name).cloned()))
}
