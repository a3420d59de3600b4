//! Members of JSON objects, with faults that say where and what.

use serde_json::{Map, Value as Json};

/// A member that is missing or makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misread {
    pub(super) message: String,
    pub(super) hint: String,
}

impl Misread {
    pub(super) fn new(message: String, hint: &str) -> Self {
        Self {
            message,
            hint: hint.to_owned(),
        }
    }
}

/// An object, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a> {
    path: String,
    members: &'a Map<String, Json>,
}

/// At most this much of a wrong value is shown.
const SHOWN: usize = 40;

fn wrong(path: &str, value: &Json, hint: &str) -> Misread {
    let text = value.to_string();
    let shown: String = text.chars().take(SHOWN).collect();
    Misread::new(format!("{path} is {shown}"), hint)
}

impl<'a> Fields<'a> {
    pub(super) fn root(json: &'a Json) -> Result<Self, Misread> {
        Self::of("", json)
    }

    fn of(path: &str, json: &'a Json) -> Result<Self, Misread> {
        let named = if path.is_empty() { "the line" } else { path };
        let members = json.as_object().ok_or_else(|| wrong(named, json, "an object"))?;
        Ok(Self {
            path: path.to_owned(),
            members,
        })
    }

    /// Where a member is.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn member(&self, name: &str) -> Result<(String, &'a Json), Misread> {
        let path = self.path(name);
        match self.members.get(name) {
            Some(value) => Ok((path, value)),
            None => {
                let there: Vec<&str> = self.members.keys().map(String::as_str).take(12).collect();
                let hint = format!("a member `{name}`; there are {}", there.join(", "));
                Err(Misread::new(format!("{path} is missing"), &hint))
            }
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, Misread> {
        let (path, value) = self.member(name)?;
        value.as_str().ok_or_else(|| wrong(&path, value, "a text"))
    }

    pub(super) fn object(&self, name: &str) -> Result<Self, Misread> {
        let (path, value) = self.member(name)?;
        Self::of(&path, value)
    }

    pub(super) fn objects(&self, name: &str) -> Result<Vec<Self>, Misread> {
        self.list(name, Self::of)
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, Misread> {
        let (path, value) = self.member(name)?;
        flag(&path, value)
    }

    pub(super) fn number(&self, name: &str, least: f64) -> Result<f64, Misread> {
        let (path, value) = self.member(name)?;
        number(&path, value, least)
    }

    pub(super) fn count(&self, name: &str) -> Result<u32, Misread> {
        let (path, value) = self.member(name)?;
        count(&path, value)
    }

    /// A list of `length` members at most `read` each by its path.
    pub(super) fn list<T>(
        &self,
        name: &str,
        read: impl Fn(&str, &'a Json) -> Result<T, Misread>,
    ) -> Result<Vec<T>, Misread> {
        let (path, value) = self.member(name)?;
        let list = value.as_array().ok_or_else(|| wrong(&path, value, "a list"))?;
        let numbered = list.iter().enumerate();
        numbered
            .map(|(index, value)| read(&format!("{path}[{index}]"), value))
            .collect()
    }
}

pub(super) fn flag(path: &str, value: &Json) -> Result<bool, Misread> {
    value.as_bool().ok_or_else(|| wrong(path, value, "true or false"))
}

/// A finite number of at least `least`.
pub(super) fn number(path: &str, value: &Json, least: f64) -> Result<f64, Misread> {
    match value.as_f64() {
        Some(number) if number.is_finite() && number >= least => Ok(number),
        _ if least == f64::NEG_INFINITY => Err(wrong(path, value, "a number")),
        _ => Err(wrong(path, value, &format!("a number of {least} or more"))),
    }
}

pub(super) fn count(path: &str, value: &Json) -> Result<u32, Misread> {
    let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
    count.ok_or_else(|| wrong(path, value, "a whole number from 0 to 4294967295"))
}

/// An index below `length`, or none.
pub(super) fn index(path: &str, value: &Json, length: usize) -> Result<Option<usize>, Misread> {
    if value.is_null() {
        return Ok(None);
    }
    let index = value.as_u64().and_then(|index| usize::try_from(index).ok());
    match index.filter(|index| *index < length) {
        Some(index) => Ok(Some(index)),
        None => Err(wrong(path, value, &format!("an index below {length}, or null"))),
    }
}

/// Cores as millicores. The models' numbers are multiples of 0.001 up to the noise of binary floating point.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn millicores(path: &str, cores: f64) -> Result<u64, Misread> {
    let thousandths = cores * 1000.0;
    if thousandths > 9e15 || (thousandths - thousandths.round()).abs() > 1e-4 {
        let message = format!("{path} is {cores} cores");
        return Err(Misread::new(message, "a multiple of 0.001 cores, below 9e12"));
    }
    Ok(thousandths.round() as u64)
}
