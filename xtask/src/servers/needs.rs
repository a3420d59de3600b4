//! What a machine must have before anything is built, and what to do where it lacks it.

use std::path::Path;
use std::process::{Command, Stdio};

use super::recipe::Recipe;

/// The newest Go that any of the modules asks for.
const GO: (u32, u32) = (1, 26);

/// Everything that is missing, one line each.
pub(crate) fn missing(recipes: &[Recipe], folder: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let version = answer("go", &["env", "GOVERSION"]);
    faults.extend(go_fault(version.as_deref()));
    if version.is_none() {
        return faults;
    }
    let cache = answer("go", &["env", "GOCACHE"]).unwrap_or_default();
    let needed: u64 = recipes.iter().map(|recipe| recipe.gibibytes).sum();
    for (what, place) in [
        ("the programs", folder),
        ("Go's build cache (GOCACHE)", Path::new(&cache)),
    ] {
        let available = existing(place).and_then(|place| {
            let table = answer("df", &["-Pk", &place.display().to_string()])?;
            free_kibibytes(&table)
        });
        faults.extend(available.and_then(|available| disk_fault(what, place, available, needed)));
    }
    faults
}

/// The folder itself, or the nearest one above that exists: `df` knows no others.
fn existing(place: &Path) -> Option<&Path> {
    place.ancestors().find(|folder| folder.is_dir())
}

fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .env("GOTOOLCHAIN", "local")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

fn go_fault(version: Option<&str>) -> Option<String> {
    let (major, minor) = GO;
    let advice = format!("install Go {major}.{minor} or later (https://go.dev/dl) and put it on the PATH");
    let Some(version) = version else {
        return Some(format!("there is no `go`: {advice}"));
    };
    let mut numbers = version
        .trim_start_matches("go")
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse::<u32>().unwrap_or_default());
    let found = (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    );
    (found < GO).then(|| format!("`go` is {version}: {advice}"))
}

/// The free space in the answer of `df -Pk`: the fourth column of its second line.
fn free_kibibytes(table: &str) -> Option<u64> {
    table.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

fn disk_fault(what: &str, place: &Path, available: u64, needed: u64) -> Option<String> {
    let gibibyte = 1 << 20;
    (available < needed * gibibyte).then(|| {
        format!(
            "{} has {} GiB free for {what}, the builds need up to {needed} GiB: free some (`go clean -cache`), or name another \
             place by SMO_SERVERS_BIN or GOCACHE",
            place.display(),
            available / gibibyte
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_or_absent_go_is_named() {
        assert_eq!(go_fault(Some("go1.26.8")), None);
        assert_eq!(go_fault(Some("go1.27rc1")), None);
        assert_eq!(go_fault(Some("go2.0")), None);
        assert_eq!(
            go_fault(Some("go1.19.8")).as_deref(),
            Some("`go` is go1.19.8: install Go 1.26 or later (https://go.dev/dl) and put it on the PATH")
        );
        assert_eq!(
            go_fault(None).as_deref(),
            Some("there is no `go`: install Go 1.26 or later (https://go.dev/dl) and put it on the PATH")
        );
    }

    #[test]
    fn a_full_disk_is_named() {
        let table = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 264116224 33000000 3145728 35% /\n";
        assert_eq!(free_kibibytes(table), Some(3 << 20));
        assert_eq!(disk_fault("the programs", Path::new("/srv"), 3 << 20, 3), None);
        assert_eq!(
            disk_fault("the programs", Path::new("/srv"), 3 << 20, 10).as_deref(),
            Some(
                "/srv has 3 GiB free for the programs, the builds need up to 10 GiB: free some (`go clean -cache`), or name \
                 another place by SMO_SERVERS_BIN or GOCACHE"
            )
        );
    }
}
