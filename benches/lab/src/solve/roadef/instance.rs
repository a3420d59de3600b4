//! Reading a model and its original assignment.

use super::super::text::Words;
use super::super::{Fault, Input};

/// Numbers up to here can be added and multiplied without an overflow of 128 bits.
const MOST: i64 = 1 << 40;
/// More of anything is no instance of the challenge.
const MANY: i64 = 100_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    /// What a process takes is also held at the machine it left.
    pub(super) transient: bool,
    /// What a unit above safety costs.
    pub(super) weight: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) neighbourhood: usize,
    pub(super) location: usize,
    pub(super) capacity: Vec<i64>,
    pub(super) safety: Vec<i64>,
    /// What a move costs, by the machine it ends at.
    pub(super) move_cost: Vec<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Service {
    /// At least so many locations.
    pub(super) spread: usize,
    /// Services of which a process is needed in the neighbourhood of every process.
    pub(super) depends_on: Vec<usize>,
    /// Services that depend on it.
    pub(super) needed_by: Vec<usize>,
    pub(super) processes: Vec<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) service: usize,
    pub(super) needs: Vec<i64>,
    pub(super) move_cost: i64,
}

/// Of the free amount of one resource, `target` times should be free of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) one: usize,
    pub(super) other: usize,
    pub(super) target: i64,
    pub(super) weight: i64,
}

/// The numbers of two files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Instance {
    pub(super) resources: Vec<Resource>,
    pub(super) machines: Vec<Machine>,
    pub(super) services: Vec<Service>,
    pub(super) processes: Vec<Process>,
    pub(super) balances: Vec<Balance>,
    pub(super) process_weight: i64,
    pub(super) service_weight: i64,
    pub(super) machine_weight: i64,
    /// The machine of every process.
    pub(super) original: Vec<usize>,
}

const MODEL: &str = "resources, machines, services, processes, balance costs and three weights, each list with its length \
                     before it, as the challenge has them";
const ASSIGNMENT: &str =
    "one machine a process, counted from 0, in assignment_NAME.txt beside model_NAME.txt";

/// Takes numbers of one file.
struct Numbers<'a> {
    words: Words<'a>,
}

impl Numbers<'_> {
    fn upto(&mut self, what: &str, least: i64, most: i64) -> Result<i64, Fault> {
        let number = self.words.whole(|| what.to_owned(), least, MODEL)?;
        if number > most {
            let message = format!("{what} is {number}, and has to be {most} or less");
            return Err(self.words.fault(message, MODEL));
        }
        Ok(number)
    }

    fn amount(&mut self, what: &str) -> Result<i64, Fault> {
        self.upto(what, 0, MOST)
    }

    fn amounts(&mut self, what: &str, count: usize) -> Result<Vec<i64>, Fault> {
        (0..count).map(|_| self.amount(what)).collect()
    }

    fn count(&mut self, what: &str) -> Result<usize, Fault> {
        self.upto(what, 0, MANY).map(index)
    }

    /// A number of one of `count` things.
    fn one_of(&mut self, what: &str, count: usize) -> Result<usize, Fault> {
        let most = i64::try_from(count).unwrap_or(MANY) - 1;
        self.upto(what, 0, most).map(index)
    }
}

fn index(number: i64) -> usize {
    // It was read as 0 or more, and below a limit.
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Instance {
    /// Reads the model of `input` and the assignment beside it.
    pub(super) fn read(input: &Input) -> Result<Self, Fault> {
        let name = input
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let Some(rest) = name.strip_prefix("model_") else {
            return Err(Fault::Bad {
                path: input.path.clone(),
                line: 1,
                message: format!("the file is called `{name}`, and not model_NAME"),
                hint: ASSIGNMENT.to_owned(),
            });
        };
        let original = Input::read(&input.path.with_file_name(format!("assignment_{rest}")))?;
        Self::read_both(input, &original)
    }

    pub(super) fn read_both(model: &Input, original: &Input) -> Result<Self, Fault> {
        let mut instance = Self::default();
        let mut numbers = Numbers {
            words: Words::of(model),
        };
        for _ in 0..numbers.count("the number of resources")? {
            instance.resources.push(Resource {
                transient: numbers.upto("the mark of a transient resource", 0, 1)? == 1,
                weight: numbers.amount("the weight of a load cost")?,
            });
        }
        let resources = instance.resources.len();
        let machines = numbers.count("the number of machines")?;
        for _ in 0..machines {
            instance.machines.push(Machine {
                neighbourhood: numbers.count("a neighbourhood")?,
                location: numbers.count("a location")?,
                capacity: numbers.amounts("a capacity", resources)?,
                safety: numbers.amounts("a safety capacity", resources)?,
                move_cost: numbers.amounts("the cost of a move between machines", machines)?,
            });
        }
        let services = numbers.count("the number of services")?;
        for _ in 0..services {
            let spread = numbers.count("the least number of locations")?;
            let depends_on = (0..numbers.count("the number of services depended on")?)
                .map(|_| numbers.one_of("a service that is depended on", services))
                .collect::<Result<_, _>>()?;
            instance.services.push(Service {
                spread,
                depends_on,
                ..Service::default()
            });
        }
        for process in 0..numbers.count("the number of processes")? {
            let service = numbers.one_of("the service of a process", services)?;
            instance.services[service].processes.push(process);
            instance.processes.push(Process {
                service,
                needs: numbers.amounts("a requirement", resources)?,
                move_cost: numbers.amount("the cost of moving a process")?,
            });
        }
        for _ in 0..numbers.count("the number of balance costs")? {
            instance.balances.push(Balance {
                one: numbers.one_of("the first resource of a balance cost", resources)?,
                other: numbers.one_of("the second resource of a balance cost", resources)?,
                target: numbers.upto("the target of a balance cost", 0, MANY)?,
                weight: numbers.amount("the weight of a balance cost")?,
            });
        }
        instance.process_weight = numbers.amount("the weight of moved processes")?;
        instance.service_weight = numbers.amount("the weight of moves within a service")?;
        instance.machine_weight = numbers.amount("the weight of moves between machines")?;
        numbers.words.end(MODEL)?;
        instance.link_services();
        instance.read_original(original)?;
        Ok(instance)
    }

    fn link_services(&mut self) {
        for service in 0..self.services.len() {
            for other in self.services[service].depends_on.clone() {
                self.services[other].needed_by.push(service);
            }
        }
    }

    /// One machine a process, to the end of a text.
    pub(super) fn read_assignment(&self, words: &mut Words<'_>) -> Result<Vec<usize>, Fault> {
        let mut assignment = Vec::with_capacity(self.processes.len());
        for process in 0..self.processes.len() {
            let what = || format!("the machine of process {process}");
            let machine = words.whole(what, 0, ASSIGNMENT)?;
            if index(machine) >= self.machines.len() {
                let message = format!("process {process} is on machine {machine}, which there is not");
                return Err(words.fault(message, ASSIGNMENT));
            }
            assignment.push(index(machine));
        }
        words.end(ASSIGNMENT)?;
        Ok(assignment)
    }

    fn read_original(&mut self, original: &Input) -> Result<(), Fault> {
        let mut words = Words::of(original);
        self.original = self.read_assignment(&mut words)?;
        let faults = super::judge::faults(self, &self.original);
        if let Some(fault) = faults.first() {
            return Err(words.fault(
                format!("the original assignment breaks a rule: {fault}"),
                ASSIGNMENT,
            ));
        }
        Ok(())
    }
}
