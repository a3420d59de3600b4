//! The folder of one testbed: certificates, data, logs, kubeconfigs.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::TestbedError;
use crate::programs::workspace_root;

/// Testbeds of one name that may run at once on a machine.
const AT_ONCE: u32 = 20;

/// A folder below `target/live`, ours while this value lives. What the last run left is removed when it is taken again, so
/// that logs can be read after a failure and nothing piles up.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Unlocked by the operating system when the process ends, however it ends.
    _lock: File,
}

impl Folder {
    pub(crate) fn take(name: &str) -> Result<Self, TestbedError> {
        let parent = workspace_root().join("target/live");
        std::fs::create_dir_all(&parent).map_err(TestbedError::file(&parent))?;
        for number in 1..=AT_ONCE {
            let own = if number == 1 {
                name.to_owned()
            } else {
                format!("{name}-{number}")
            };
            let lock_path = parent.join(format!("{own}.lock"));
            let lock = File::create(&lock_path).map_err(TestbedError::file(&lock_path))?;
            match lock.try_lock() {
                Ok(()) => {
                    let path = parent.join(own);
                    renew(&path)?;
                    return Ok(Self { path, _lock: lock });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => {
                    return Err(TestbedError::File {
                        path: lock_path,
                        source,
                    });
                }
            }
        }
        Err(TestbedError::File {
            path: parent.join(name),
            source: std::io::Error::other(format!("{AT_ONCE} testbeds of this name are running")),
        })
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.path.join(below)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> Result<PathBuf, TestbedError> {
        let path = self.path(name);
        std::fs::write(&path, text).map_err(TestbedError::file(&path))?;
        Ok(path)
    }
}

/// Empties it. Only its owner may look inside: there are keys.
fn renew(path: &Path) -> Result<(), TestbedError> {
    use std::os::unix::fs::PermissionsExt;
    let make = || {
        if path.exists() {
            std::fs::remove_dir_all(path)?;
        }
        for part in ["pki", "log", "data"] {
            std::fs::create_dir_all(path.join(part))?;
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
    };
    make().map_err(TestbedError::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_folder_is_not_given_twice_and_is_emptied_when_taken_again() {
        let name = format!("unit-{}", std::process::id());
        let first = Folder::take(&name).expect("a folder");
        let second = Folder::take(&name).expect("another");
        assert_ne!(first.path, second.path);
        let file = first.write("log/server.log", "text").expect("it can be written");
        let path = first.path.clone();
        drop(first);
        assert!(file.exists());
        let again = Folder::take(&name).expect("the first again");
        assert_eq!(again.path, path);
        assert!(!file.exists());
        for folder in [&again.path, &second.path] {
            std::fs::remove_dir_all(folder).expect("it goes");
            std::fs::remove_file(folder.with_extension("lock")).expect("its lock goes");
        }
    }
}
