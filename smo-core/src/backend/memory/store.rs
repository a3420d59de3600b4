//! JSON documents in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::Value;

use super::{Journal, Scripted, lock};
use crate::backend::{BackendError, Document, ErrorKind, Expect, StateStore};

/// JSON documents in memory. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct InMemoryStore(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    journal: Journal,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    documents: BTreeMap<String, Document>,
    /// One counter for all keys, so that a key never has a revision twice.
    last_revision: u64,
}

impl State {
    fn check(&self, operation: &str, key: &str, expect: Expect) -> Result<(), BackendError> {
        let stored = self.documents.get(key).map(|document| document.revision);
        let found = || {
            stored.map_or("nothing is stored".to_owned(), |revision| {
                format!("revision {revision} is stored")
            })
        };
        let wanted = match expect {
            Expect::Absent if stored.is_some() => "nothing".to_owned(),
            Expect::Revision(revision) if stored != Some(revision) => format!("revision {revision}"),
            _ => return Ok(()),
        };
        let message = format!("{} where {wanted} was expected", found());
        Err(BackendError::new(
            ErrorKind::Conflict,
            format!("{operation} {key}"),
            message,
        ))
    }
}

impl InMemoryStore {
    /// Nothing stored.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

fn check_key(operation: &str, key: &str) -> Result<(), BackendError> {
    if (1..=512).contains(&key.len()) && !key.chars().any(char::is_control) {
        return Ok(());
    }
    let why = "a key is 1 to 512 bytes without control characters";
    Err(BackendError::new(ErrorKind::Invalid, operation, why))
}

impl Scripted for InMemoryStore {
    fn journal(&self) -> &Journal {
        &self.0.journal
    }
}

#[async_trait]
impl StateStore for InMemoryStore {
    async fn get(&self, key: &str) -> Result<Option<Document>, BackendError> {
        self.0.journal.enter("get", key)?;
        check_key("get", key)?;
        Ok(lock(&self.0.state).documents.get(key).cloned())
    }

    async fn put(&self, key: &str, value: Value, expect: Expect) -> Result<u64, BackendError> {
        self.0.journal.enter("put", key)?;
        check_key("put", key)?;
        let revision = {
            let mut state = lock(&self.0.state);
            state.check("put", key, expect)?;
            state.last_revision += 1;
            let revision = state.last_revision;
            state.documents.insert(
                key.to_owned(),
                Document {
                    key: key.to_owned(),
                    value,
                    revision,
                },
            );
            revision
        };
        self.0.journal.leave("put", key)?;
        Ok(revision)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Document>, BackendError> {
        self.0.journal.enter("list", prefix)?;
        let state = lock(&self.0.state);
        let from_prefix = state.documents.range(prefix.to_owned()..);
        Ok(from_prefix
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(_, document)| document.clone())
            .collect())
    }

    async fn delete(&self, key: &str, expect: Expect) -> Result<(), BackendError> {
        self.0.journal.enter("delete", key)?;
        check_key("delete", key)?;
        {
            let mut state = lock(&self.0.state);
            state.check("delete", key, expect)?;
            state.documents.remove(key);
        }
        self.0.journal.leave("delete", key)
    }
}
