//! The contract of [`StateStore`].

use serde_json::{Value, json};

use super::{Outcome, Port};
use crate::backend::{ErrorKind, Expect, StateStore};

const PORT: Port = Port("StateStore");

/// Keys that belong to the suite. The second begins like the first's folder, and is not in it.
const KEYS: [&str; 3] = ["smo-conformance/a/1", "smo-conformance/ab", "smo-conformance/a/2"];

/// Checks that `store` keeps the contract of [`StateStore`].
///
/// # Errors
/// The first rule that it breaks.
pub async fn store(store: &dyn StateStore) -> Outcome {
    let [key, ..] = KEYS;
    for key in KEYS {
        PORT.succeeds(
            "deleting what is absent succeeds",
            store.delete(key, Expect::Anything).await,
        )?;
    }
    let absent = PORT.succeeds("an absent key can be read", store.get(key).await)?;
    PORT.holds(
        "an absent key has no document",
        absent.is_none(),
        format!("{absent:?}"),
    )?;

    let value = json!({"z": 1, "a": [1.5, null, true, "ü \u{0}"], "n": 9_007_199_254_740_993_u64});
    let first = PORT.succeeds(
        "a new document is stored",
        store.put(key, value.clone(), Expect::Absent).await,
    )?;
    read(store, key, &value, first).await?;
    let twice = store.put(key, json!(0), Expect::Absent).await;
    PORT.fails(
        "a document that exists is no new one: Conflict",
        ErrorKind::Conflict,
        twice,
    )?;
    let second = store.put(key, json!({"v": 2}), Expect::Revision(first)).await;
    let second = PORT.succeeds("the read revision can be replaced", second)?;
    PORT.holds(
        "a write changes the revision",
        second != first,
        second.to_string(),
    )?;
    let late = store.put(key, json!({"v": 3}), Expect::Revision(first)).await;
    PORT.fails("a late writer has a Conflict", ErrorKind::Conflict, late)?;
    let late = store.delete(key, Expect::Revision(first)).await;
    PORT.fails("a late remover has a Conflict", ErrorKind::Conflict, late)?;
    read(store, key, &json!({"v": 2}), second).await?;
    let third = PORT.succeeds(
        "a writer may not care",
        store.put(key, json!(3), Expect::Anything).await,
    )?;
    PORT.succeeds(
        "the read revision can be removed",
        store.delete(key, Expect::Revision(third)).await,
    )?;
    let gone = PORT.succeeds("a removed key can be read", store.get(key).await)?;
    PORT.holds("a removed document is gone", gone.is_none(), format!("{gone:?}"))?;
    let ghost = store.put(key, json!(4), Expect::Revision(third)).await;
    PORT.fails(
        "a removed revision is not there to be replaced: Conflict",
        ErrorKind::Conflict,
        ghost,
    )?;
    let fresh = PORT.succeeds(
        "a removed key can be used again",
        store.put(key, json!(5), Expect::Absent).await,
    )?;
    let unused = ![first, second, third].contains(&fresh);
    PORT.holds("a key never has a revision twice", unused, fresh.to_string())?;

    for other in &KEYS[1..] {
        PORT.succeeds(
            "a document is stored",
            store.put(other, json!(*other), Expect::Anything).await,
        )?;
    }
    for (prefix, wanted) in [
        ("smo-conformance/a/", vec![KEYS[0], KEYS[2]]),
        ("smo-conformance/b", vec![]),
    ] {
        let listed = PORT.succeeds("a prefix can be listed", store.list(prefix).await)?;
        let keys: Vec<&str> = listed.iter().map(|document| document.key.as_str()).collect();
        PORT.equal("a list holds the keys of its prefix, in order", keys, wanted)?;
    }
    for bad in ["", "line\nbreak"] {
        let refused = store.put(bad, json!(1), Expect::Anything).await;
        PORT.fails("a bad key is Invalid", ErrorKind::Invalid, refused)?;
    }
    for key in KEYS {
        PORT.succeeds("a document is removed", store.delete(key, Expect::Anything).await)?;
    }
    let left = PORT.succeeds("a prefix can be listed", store.list("smo-conformance/").await)?;
    PORT.equal("nothing is left", left.len(), 0)
}

async fn read(store: &dyn StateStore, key: &str, value: &Value, revision: u64) -> Outcome {
    let found = PORT.succeeds("a stored key can be read", store.get(key).await)?;
    let Some(document) = found else {
        return Err(PORT.broken("a stored document is found", "nothing"));
    };
    PORT.equal(
        "a document has the revision of its write",
        document.revision,
        revision,
    )?;
    // As text, so that the order of keys counts.
    PORT.equal(
        "a document comes back as it went in",
        document.value.to_string(),
        value.to_string(),
    )
}
