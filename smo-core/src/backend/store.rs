//! The port to durable state: JSON documents by key, with optimistic concurrency.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{BackendError, ErrorKind};

/// A stored document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its key.
    pub key: String,
    /// Its content.
    pub value: Value,
    /// Changes with every write. A key never has the same revision twice, not even after a removal.
    pub revision: u64,
}

/// What a writer believes to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: the document is new.
    Absent,
    /// This revision.
    Revision(u64),
    /// The writer does not care.
    Anything,
}

/// Keeps JSON documents.
///
/// # Contract
/// - A key is a text of 1 to 512 bytes without control characters; `/` separates levels by habit only.
/// - `put` and `delete` act only when what is stored is what the caller expects, in one atomic step. Of two writers that
///   read the same revision exactly one succeeds.
/// - `put` gives back the new revision. Numbers, texts and the order of keys come back as they went in.
/// - `list` gives the documents whose key begins with `prefix`, by key.
///
/// # Idempotence
/// A `put` repeated with the same expectation is a conflict, which tells the caller to read. `delete` of what is absent
/// succeeds, unless a revision is expected.
///
/// # Consistency
/// A write that was acknowledged is seen by every later read, also after the process ends (where the store is durable).
///
/// # Cancellation
/// A dropped write was done or not; read to find out.
///
/// # Errors
/// `Conflict` when something else is stored than expected (re-read, then try again), `Invalid` for a bad key,
/// `Unavailable` when the database does not answer.
///
/// # Implementations
/// [`InMemoryStore`](super::memory::InMemoryStore).
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smo_core::backend::{ErrorKind, Expect, StateStore, StateStoreExt, memory::InMemoryStore};
///
/// let store = InMemoryStore::new();
/// let first = store.put_as("graph/default/shop", &["web"], Expect::Absent).await?;
/// store.put_as("graph/default/shop", &["web", "db"], Expect::Revision(first)).await?;
/// let late = store.put_as("graph/default/shop", &["web"], Expect::Revision(first)).await;
/// assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
/// let (services, _revision) = store.get_as::<Vec<String>>("graph/default/shop").await?.expect("stored above");
/// assert_eq!(services, ["web", "db"]);
/// # Ok(()) }
/// ```
#[async_trait]
pub trait StateStore: Debug + Send + Sync {
    /// The document of a key; `None` when there is none.
    async fn get(&self, key: &str) -> Result<Option<Document>, BackendError>;

    /// Stores a document and gives its new revision.
    async fn put(&self, key: &str, value: Value, expect: Expect) -> Result<u64, BackendError>;

    /// The documents whose key begins with `prefix`, by key.
    async fn list(&self, prefix: &str) -> Result<Vec<Document>, BackendError>;

    /// Removes a document.
    async fn delete(&self, key: &str, expect: Expect) -> Result<(), BackendError>;
}

/// Conveniences for every [`StateStore`]: documents as values of a type.
#[async_trait]
pub trait StateStoreExt: StateStore {
    /// The value of a key and its revision; `Unexpected` when it is stored in another form.
    async fn get_as<T: DeserializeOwned>(&self, key: &str) -> Result<Option<(T, u64)>, BackendError> {
        match self.get(key).await? {
            Some(document) => document.read().map(|value| Some((value, document.revision))),
            None => Ok(None),
        }
    }

    /// Stores a value and gives its new revision.
    async fn put_as<T: Serialize + Sync + ?Sized>(
        &self,
        key: &str,
        value: &T,
        expect: Expect,
    ) -> Result<u64, BackendError> {
        let unwritable = |error: serde_json::Error| {
            BackendError::new(
                ErrorKind::Invalid,
                format!("put {key}"),
                "it cannot be written as JSON",
            )
            .with_source(error)
        };
        self.put(key, serde_json::to_value(value).map_err(unwritable)?, expect)
            .await
    }
}

impl<S: StateStore + ?Sized> StateStoreExt for S {}

impl Document {
    /// The content as a value of a type.
    ///
    /// # Errors
    /// `Unexpected` when it has another form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, BackendError> {
        T::deserialize(&self.value).map_err(|error| {
            let operation = format!("read {}", self.key);
            BackendError::new(ErrorKind::Unexpected, operation, "it is stored in another form")
                .with_source(error)
        })
    }
}
