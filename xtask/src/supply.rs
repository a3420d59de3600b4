//! Licences, banned crates and sources of the whole dependency tree, by the lists in `deny.toml`.
//!
//! The same answer as `cargo deny check licenses bans sources` for the parts of that file the project uses, without a
//! tool that takes minutes to install. Advisories need a database from outside and are checked at release time.

use serde_json::Value;

use crate::command::Workspace;
use crate::spdx;

/// The lists of `deny.toml`.
#[derive(Debug, Default)]
struct Policy {
    allow: Vec<String>,
    /// Crate and reason.
    deny: Vec<(String, String)>,
    registries: Vec<String>,
}

impl Policy {
    fn parse(text: &str) -> Result<Self, String> {
        let file: toml::Table = text.parse().map_err(|error| format!("deny.toml: {error}"))?;
        let list = |table: &str, key: &str| {
            let found = file
                .get(table)
                .and_then(|table| table.get(key))
                .and_then(toml::Value::as_array);
            found
                .cloned()
                .ok_or_else(|| format!("deny.toml has no list `{key}` in [{table}]"))
        };
        let text = |value: &toml::Value| value.as_str().map(str::to_owned);
        let banned = |entry: &toml::Value| {
            let reason = entry.get("reason").and_then(text).unwrap_or_default();
            text(entry)
                .or_else(|| entry.get("crate").and_then(text))
                .map(|name| (name, reason))
        };
        let deny: Vec<_> = list("bans", "deny")?.iter().filter_map(banned).collect();
        if deny.len() != list("bans", "deny")?.len() {
            return Err("deny.toml: an entry of `deny` in [bans] has no `crate`".to_owned());
        }
        Ok(Self {
            allow: list("licenses", "allow")?.iter().filter_map(text).collect(),
            deny,
            registries: list("sources", "allow-registry")?
                .iter()
                .filter_map(text)
                .collect(),
        })
    }

    /// What is wrong with the packages of `cargo metadata`, one line each.
    fn faults(&self, metadata: &Value) -> Result<Vec<String>, String> {
        let packages = metadata["packages"]
            .as_array()
            .ok_or("cargo metadata lists no packages")?;
        let mut faults = Vec::new();
        for package in packages {
            let name = package["name"].as_str().unwrap_or_default();
            let shown = format!("{name} {}", package["version"].as_str().unwrap_or_default());
            match package["license"]
                .as_str()
                .map(|licence| (licence, spdx::is_allowed(licence, &self.allow)))
            {
                Some((_, Ok(true))) => {}
                Some((licence, Ok(false))) => {
                    faults.push(format!("{shown}: licence `{licence}` is not allowed"))
                }
                Some((licence, Err(fault))) => faults.push(format!("{shown}: licence `{licence}`: {fault}")),
                None => faults.push(format!("{shown}: no licence expression in its manifest")),
            }
            if let Some((_, reason)) = self.deny.iter().find(|(banned, _)| banned == name) {
                faults.push(format!("{shown}: banned ({reason}); see `cargo tree -i {name}`"));
            }
            // Members of the workspace have no source.
            if let Some(source) = package["source"].as_str()
                && !self
                    .registries
                    .iter()
                    .any(|known| source == format!("registry+{known}"))
            {
                faults.push(format!("{shown}: comes from {source}"));
            }
        }
        Ok(faults)
    }
}

pub(crate) fn check(workspace: &Workspace) -> Result<(), String> {
    let text = std::fs::read_to_string(workspace.path("deny.toml"))
        .map_err(|error| format!("deny.toml: {error}"))?;
    let policy = Policy::parse(&text)?;
    let metadata = workspace
        .cargo()
        .args(["metadata", "--format-version", "1", "--all-features", "--locked"])
        .output()?;
    let metadata: Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let faults = policy.faults(&metadata)?;
    println!(
        "{} packages looked at",
        metadata["packages"].as_array().map_or(0, Vec::len)
    );
    if faults.is_empty() {
        return Ok(());
    }
    println!("{}", faults.join("\n"));
    Err(format!(
        "{} faults against deny.toml; first: {}",
        faults.len(),
        faults[0]
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

    fn project_policy() -> Policy {
        Policy::parse(include_str!("../../deny.toml")).expect("the project's deny.toml")
    }

    #[test]
    fn the_projects_lists_are_read() {
        let policy = project_policy();
        assert!(
            policy
                .allow
                .contains(&"Apache-2.0 WITH LLVM-exception".to_owned())
        );
        assert!(
            policy
                .deny
                .iter()
                .any(|(name, reason)| name == "openssl-sys" && !reason.is_empty())
        );
        assert_eq!(policy.registries.len(), 1);
    }

    #[test]
    fn good_packages_pass() {
        let metadata = json!({"packages": [
            {"name": "smo", "version": "0.1.0", "license": "MIT", "source": null},
            {"name": "serde", "version": "1.0.0", "license": "MIT OR Apache-2.0", "source": CRATES_IO},
        ]});
        assert_eq!(project_policy().faults(&metadata), Ok(vec![]));
    }

    #[test]
    fn every_fault_is_named() {
        let metadata = json!({"packages": [
            {"name": "copyleft", "version": "1.0.0", "license": "GPL-3.0-only", "source": CRATES_IO},
            {"name": "silent", "version": "1.0.0", "license": null, "source": CRATES_IO},
            {"name": "openssl-sys", "version": "0.9.0", "license": "MIT", "source": CRATES_IO},
            {"name": "fork", "version": "1.0.0", "license": "MIT", "source": "git+https://example.org/fork"},
        ]});
        let faults = project_policy().faults(&metadata).expect("packages");
        assert_eq!(
            faults,
            [
                "copyleft 1.0.0: licence `GPL-3.0-only` is not allowed",
                "silent 1.0.0: no licence expression in its manifest",
                "openssl-sys 0.9.0: banned (one TLS provider in one binary: rustls with ring); see `cargo tree -i openssl-sys`",
                "fork 1.0.0: comes from git+https://example.org/fork",
            ]
        );
    }

    #[test]
    fn a_policy_without_lists_is_refused() {
        assert!(Policy::parse("[bans]\ndeny = []").is_err());
        assert!(
            Policy::parse("[licenses]\nallow = []\n[bans]\ndeny = [{}]\n[sources]\nallow-registry = []")
                .is_err()
        );
    }
}
