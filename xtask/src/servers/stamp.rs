//! What is installed, and whether it is what the recipes say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::recipe::{Recipe, identity};

const FILE: &str = "installed.json";

/// What is known of one program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Built by the recipe as it stands.
    Current,
    /// There, but built by another recipe.
    Outdated,
    /// There, but nobody knows what it is: a file put there by hand.
    Unknown,
    /// Not there.
    Missing,
}

/// The folder of programs, and a note in it of what each was built from.
#[derive(Debug)]
pub(crate) struct Installed {
    folder: PathBuf,
    /// Identities by name of the program.
    notes: BTreeMap<String, String>,
}

impl Installed {
    /// A note that cannot be read is as good as none: programs are looked at, or built, again.
    pub(crate) fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
        Self {
            folder: folder.to_owned(),
            notes: serde_json::from_str(&text).unwrap_or_default(),
        }
    }

    pub(crate) fn path(&self, recipe: &Recipe) -> PathBuf {
        self.folder.join(recipe.name)
    }

    pub(crate) fn state(&self, recipe: &Recipe) -> State {
        if !self.path(recipe).is_file() {
            return State::Missing;
        }
        match self.notes.get(recipe.name) {
            Some(note) if *note == recipe.identity() => State::Current,
            Some(_) => State::Outdated,
            None => State::Unknown,
        }
    }

    /// Notes what a program was built from.
    pub(crate) fn note(&mut self, recipe: &Recipe) -> Result<(), String> {
        self.notes.insert(recipe.name.to_owned(), recipe.identity());
        let path = self.folder.join(FILE);
        let write = || {
            let text = serde_json::to_string_pretty(&self.notes)?;
            // At once or not at all: an interrupted run leaves the old notes.
            let draft = path.with_extension("json.new");
            std::fs::write(&draft, text + "\n")?;
            std::fs::rename(&draft, &path)
        };
        write().map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// Whether a program that nobody noted was built as the recipe says: Go writes into every program what it is made of.
pub(crate) fn is_built_by(recipe: &Recipe, program: &Path) -> bool {
    let answer = Command::new("go")
        .args(["version", "-m"])
        .arg(program)
        .stdin(Stdio::null())
        .output();
    let Ok(answer) = answer else { return false };
    read_build(&String::from_utf8_lossy(&answer.stdout)).is_some_and(|found| found == recipe.identity())
}

/// The identity in what `go version -m` prints.
fn read_build(text: &str) -> Option<String> {
    let (mut package, mut module, mut flags, mut pure) = (None, None, String::new(), false);
    for line in text.lines() {
        let fields: Vec<&str> = line.trim_start().split('\t').collect();
        match fields.as_slice() {
            ["path", path] => package = Some(*path),
            ["mod", name, version, ..] => module = Some((*name, *version)),
            ["build", "CGO_ENABLED=0"] => pure = true,
            ["build", setting] => {
                if let Some(value) = setting.strip_prefix("-ldflags=") {
                    flags = value.trim_matches('"').to_owned();
                }
            }
            _ => {}
        }
    }
    let (module, version) = module?;
    pure.then(|| identity(package.unwrap_or_default(), module, version, &flags))
}

#[cfg(test)]
mod tests {
    use super::super::recipe::RECIPES;
    use super::*;

    const KWOK: &str = "\
kwok: go1.26.8
\tpath\tsigs.k8s.io/kwok/cmd/kwok
\tmod\tsigs.k8s.io/kwok\tv0.8.0\th1:OTIO=
\tdep\tk8s.io/api\tv0.36.1\th1:abc=
\tbuild\t-compiler=gc
\tbuild\t-ldflags=\"-s -w\"
\tbuild\tCGO_ENABLED=0
";

    fn recipe(name: &str) -> Recipe {
        *RECIPES.iter().find(|recipe| recipe.name == name).expect(name)
    }

    #[test]
    fn a_program_says_what_it_is_made_of() {
        assert_eq!(read_build(KWOK), Some(recipe("kwok").identity()));
        for (what, other) in [
            ("another version", KWOK.replace("v0.8.0", "v0.7.0")),
            ("other flags", KWOK.replace("-s -w", "-s")),
            ("linked with C", KWOK.replace("CGO_ENABLED=0", "CGO_ENABLED=1")),
            ("not made by Go", String::new()),
        ] {
            assert_ne!(read_build(&other), Some(recipe("kwok").identity()), "{what}");
        }
    }

    #[test]
    fn notes_outlive_the_run_and_follow_the_recipe() {
        let folder = std::env::temp_dir().join(format!("smo-xtask-{}-stamp", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let kwok = recipe("kwok");
        let mut installed = Installed::read(&folder);
        assert_eq!(installed.state(&kwok), State::Missing);
        std::fs::write(folder.join("kwok"), "a program").expect("it can be written");
        assert_eq!(installed.state(&kwok), State::Unknown);
        installed.note(&kwok).expect("it can be noted");
        assert_eq!(Installed::read(&folder).state(&kwok), State::Current);
        let newer = Recipe {
            version: "v0.9.0",
            ..kwok
        };
        assert_eq!(Installed::read(&folder).state(&newer), State::Outdated);
        std::fs::remove_file(folder.join("kwok")).expect("it goes");
        assert_eq!(Installed::read(&folder).state(&kwok), State::Missing);
        std::fs::remove_dir_all(&folder).expect("the folder goes");
    }
}
