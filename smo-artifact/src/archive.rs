//! Archives as they stand in registries: read with suspicion, written so that the same files give the same bytes.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};
use thiserror::Error;

use crate::config::ArchiveLimits;

/// Files by path. Paths are relative, with `/` between parts.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// Broken, or cut off.
    #[error("the archive cannot be read: {0}")]
    Unreadable(String),
    /// A path that leads out of the archive, or means different places on different systems.
    #[error("the archive holds the path `{0}`, which leads elsewhere")]
    Path(String),
    /// A link, a device, or the like.
    #[error("the archive holds `{0}`, which is neither a file nor a folder")]
    NotAFile(String),
    /// One file is too large.
    #[error("`{path}` in the archive has more than {limit} bytes")]
    FileTooLarge {
        /// The file.
        path: String,
        /// The most that is accepted.
        limit: u64,
    },
    /// All files together are too large.
    #[error("the archive has more than {0} bytes unpacked")]
    TooLarge(u64),
    /// Too many files.
    #[error("the archive has more than {0} files and folders")]
    TooMany(usize),
}

/// What bytes are, by how they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    GzippedTar,
    Tar,
    Other,
}

pub(crate) fn form(bytes: &[u8]) -> Form {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        Form::GzippedTar
    } else if bytes.get(257..262) == Some(b"ustar") {
        Form::Tar
    } else {
        Form::Other
    }
}

/// The files of a tar archive, gzipped or not.
pub(crate) fn read(bytes: &[u8], limits: &ArchiveLimits) -> Result<Files, ArchiveError> {
    match form(bytes) {
        Form::GzippedTar => read_tar(MultiGzDecoder::new(bytes), limits),
        _ => read_tar(bytes, limits),
    }
}

fn unreadable(error: &io::Error) -> ArchiveError {
    ArchiveError::Unreadable(error.to_string())
}

fn read_tar(bytes: impl Read, limits: &ArchiveLimits) -> Result<Files, ArchiveError> {
    // Headers and long names count too: what does not end is cut off rather than read.
    let headers = u64::try_from(limits.entries)
        .unwrap_or(u64::MAX)
        .saturating_mul(4096);
    let mut archive = tar::Archive::new(bytes.take(limits.unpacked.saturating_add(headers)));
    let mut files = Files::new();
    let mut left = limits.unpacked;
    for (index, entry) in archive.entries().map_err(|error| unreadable(&error))?.enumerate() {
        let entry = entry.map_err(|error| unreadable(&error))?;
        if index >= limits.entries {
            return Err(ArchiveError::TooMany(limits.entries));
        }
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = safe_path(&shown)?;
        match kind {
            EntryType::Directory => continue,
            EntryType::Regular | EntryType::Continuous => {}
            _ => return Err(ArchiveError::NotAFile(shown)),
        }
        let most = limits.file.min(left);
        let mut content = Vec::new();
        let read = entry.take(most.saturating_add(1)).read_to_end(&mut content);
        let length = u64::try_from(read.map_err(|error| unreadable(&error))?).unwrap_or(u64::MAX);
        if length > limits.file {
            return Err(ArchiveError::FileTooLarge {
                path: shown,
                limit: limits.file,
            });
        }
        left = left
            .checked_sub(length)
            .ok_or(ArchiveError::TooLarge(limits.unpacked))?;
        // As in tar itself, a later file of the same name replaces an earlier one.
        files.insert(path, content);
    }
    Ok(files)
}

/// A path without `.` parts; refused when it is absolute, climbs, or is written for another system.
fn safe_path(text: &str) -> Result<String, ArchiveError> {
    let refuse = || ArchiveError::Path(text.to_owned());
    let drive = text.as_bytes().get(1) == Some(&b':');
    if text.contains(['\\', '\0']) || drive {
        return Err(refuse());
    }
    let mut parts = Vec::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str().ok_or_else(refuse)?),
            Component::CurDir => {}
            _ => return Err(refuse()),
        }
    }
    Ok(parts.join("/"))
}

/// A gzipped tar archive of `files`; the same files give the same bytes.
pub(crate) fn write(files: &Files) -> io::Result<Vec<u8>> {
    let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    let mut archive = Builder::new(gzip);
    for (path, content) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
        archive.append_data(&mut header, path, content.as_slice())?;
    }
    archive.into_inner()?.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A tar archive with one entry, its path written as it is.
    fn tar_of(path: &str, kind: EntryType, content: &[u8]) -> Vec<u8> {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        let mut archive = Builder::new(Vec::new());
        archive.append(&header, content).unwrap();
        archive.into_inner().unwrap()
    }

    fn small() -> ArchiveLimits {
        ArchiveLimits {
            packed: 1000,
            unpacked: 20,
            file: 10,
            entries: 3,
        }
    }

    fn files(paths: &[(&str, usize)]) -> Files {
        paths
            .iter()
            .map(|(path, length)| ((*path).to_owned(), vec![b'x'; *length]))
            .collect()
    }

    #[test]
    fn every_refusal_names_the_culprit() {
        let archives = [
            tar_of("../etc/passwd", EntryType::Regular, b"x"),
            tar_of("web/../../x", EntryType::Regular, b"x"),
            tar_of("/etc/passwd", EntryType::Regular, b"x"),
            tar_of("C:\\x", EntryType::Regular, b"x"),
            tar_of("web\\x", EntryType::Regular, b"x"),
            tar_of("web/link", EntryType::Symlink, b""),
            tar_of("web/link", EntryType::Link, b""),
            tar_of("web/device", EntryType::Char, b""),
            write(&files(&[("web/large", 11)])).unwrap(),
            write(&files(&[("a", 10), ("b", 10), ("c", 1)])).unwrap(),
            write(&files(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)])).unwrap(),
            write(&files(&[("a", 1)])).unwrap()[..30].to_vec(),
            b"neither".to_vec(),
        ];
        let shown = archives.map(|archive| read(&archive, &small()).unwrap_err().to_string());
        insta::assert_snapshot!(shown.join("\n"), @r"
        the archive holds the path `../etc/passwd`, which leads elsewhere
        the archive holds the path `web/../../x`, which leads elsewhere
        the archive holds the path `/etc/passwd`, which leads elsewhere
        the archive holds the path `C:\x`, which leads elsewhere
        the archive holds the path `web\x`, which leads elsewhere
        the archive holds `web/link`, which is neither a file nor a folder
        the archive holds `web/link`, which is neither a file nor a folder
        the archive holds `web/device`, which is neither a file nor a folder
        `web/large` in the archive has more than 10 bytes
        the archive has more than 20 bytes unpacked
        the archive has more than 3 files and folders
        the archive cannot be read: incomplete deflate stream
        the archive cannot be read: failed to read entire block
        ");
    }

    #[test]
    fn a_bomb_is_refused_before_it_is_unpacked() {
        let bomb = write(&files(&[("web/zeros", 20 << 20)])).unwrap();
        assert!(bomb.len() < 100_000);
        let error = read(&bomb, &ArchiveLimits::default()).unwrap_err();
        insta::assert_snapshot!(error, @"`web/zeros` in the archive has more than 5242880 bytes");
    }

    #[test]
    fn what_tar_programs_write_is_read() {
        let plain = tar_of("./web/./Chart.yaml", EntryType::Regular, b"name: web");
        assert_eq!(form(&plain), Form::Tar);
        let found = read(&plain, &ArchiveLimits::default()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["web/Chart.yaml"]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            files in proptest::collection::btree_map("[a-z]{1,8}(/[a-z.]{0,3}[a-z]{1,150}){0,2}", proptest::collection::vec(any::<u8>(), 0..300), 0..8)
        ) {
            let written = write(&files).unwrap();
            prop_assert_eq!(&written, &write(&files).unwrap());
            prop_assert_eq!(read(&written, &ArchiveLimits::default()).unwrap(), files);
        }

        #[test]
        fn nothing_that_comes_in_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = read(&bytes, &small());
        }
    }
}
