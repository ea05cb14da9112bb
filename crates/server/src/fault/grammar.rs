//! What a fault says, and how it is read.

use std::fmt;
use std::str::FromStr;

use super::action::Action;
use super::place::Place;

/// One kind of misbehaviour; the grammar is described in `docs/server-faults.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// What it hits.
    pub place: Place,
    /// What happens, one step after the other. When the last is over, nothing happens any more.
    pub steps: Vec<Step>,
    /// How many requests are spared first.
    pub skip: u32,
    /// How many of a hundred requests are hit, by chance; the others do not count.
    pub percent: u8,
}

/// What happens to some requests in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// All that happens to each; nothing if it is empty.
    pub actions: Vec<Action>,
    /// To how many; if nothing is said, to one, or for ever if there is no other step.
    pub times: Option<u32>,
}

/// A text that is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no fault: {reason}")]
pub struct FaultSyntaxError {
    text: String,
    reason: &'static str,
}

impl Fault {
    /// Reads a file of faults, a line each. Empty lines mean nothing, nor do those that begin with `#`.
    pub fn read_lines(text: &str) -> Result<Vec<Self>, FaultSyntaxError> {
        let lines = text.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::parse).collect()
    }
}

impl FromStr for Fault {
    type Err = FaultSyntaxError;

    fn from_str(text: &str) -> Result<Self, FaultSyntaxError> {
        read(text).map_err(|reason| FaultSyntaxError { text: text.to_owned(), reason })
    }
}

fn read(text: &str) -> Result<Fault, &'static str> {
    let form = "it reads PLACE:ACTION[,ACTION…][*TIMES][;…][+SKIP][%PERCENT]";
    let (place, rest) = text.split_once(':').ok_or(form)?;
    let place: Place = place.parse()?;
    let (rest, percent) = suffix(rest, '%')?;
    let (rest, skip) = suffix(rest, '+')?;
    let steps = rest.split(';').map(|step| read_step(step, &place));
    let steps = steps.collect::<Result<Vec<_>, _>>()?;
    if steps.iter().all(|step| step.actions.is_empty()) {
        return Err("nothing ever happens");
    }
    match percent.unwrap_or(100) {
        percent @ 1..=100 => Ok(Fault { place, steps, skip: skip.unwrap_or(0), percent }),
        _ => Err("a percentage lies between 1 and 100"),
    }
}

fn read_step(text: &str, place: &Place) -> Result<Step, &'static str> {
    let (actions, times) = suffix(text, '*')?;
    if times == Some(0) {
        return Err("what happens 0 times does not happen");
    }
    if actions == "ok" {
        return Ok(Step { actions: Vec::new(), times });
    }
    let actions = actions.split(',').map(str::parse).collect::<Result<Vec<Action>, _>>()?;
    if !actions.iter().all(|action| action.happens(place)) {
        return Err("this action does not happen at this place");
    }
    Ok(Step { actions, times })
}

fn suffix<T: FromStr>(text: &str, mark: char) -> Result<(&str, Option<T>), &'static str> {
    match text.rsplit_once(mark) {
        Some((rest, number)) => {
            number.parse().map(|n| (rest, Some(n))).map_err(|_| "a number follows *, + and %")
        }
        None => Ok((text, None)),
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.steps.iter().enumerate() {
            match i {
                0 => write!(f, "{}:{step}", self.place)?,
                _ => write!(f, ";{step}")?,
            }
        }
        if self.skip > 0 {
            write!(f, "+{}", self.skip)?;
        }
        if self.percent < 100 {
            write!(f, "%{}", self.percent)?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.actions.is_empty() {
            f.write_str("ok")?;
        }
        for (i, action) in self.actions.iter().enumerate() {
            write!(f, "{}{action}", if i == 0 { "" } else { "," })?;
        }
        match self.times {
            Some(times) => write!(f, "*{times}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fault_is_read_with_its_counts() {
        let fault: Fault = "g:status=500*3+1%50".parse().unwrap();
        assert_eq!(fault.place, Place::Command("g".into()));
        let step = Step { actions: vec![Action::Status { code: 500 }], times: Some(3) };
        assert_eq!((fault.steps, fault.skip, fault.percent), (vec![step], 1, 50));
    }

    #[test]
    fn a_script_is_read_step_by_step() {
        let fault: Fault = "api:delay=5,again;ok*2;lost+1".parse().unwrap();
        let actions: Vec<_> = fault.steps.iter().map(|step| step.actions.as_slice()).collect();
        let first = [Action::Delay { milliseconds: 5 }, Action::Again];
        assert_eq!(actions, [&first[..], &[], &[Action::Lost]]);
        let times: Vec<_> = fault.steps.iter().map(|step| step.times).collect();
        assert_eq!((times, fault.skip), (vec![None, Some(2), None], 1));
    }

    #[test]
    fn a_file_holds_a_fault_a_line() {
        let file = "# first the server is busy\n\napi:again*2\n  g:overquota=7\n";
        let faults = Fault::read_lines(file).unwrap();
        let texts: Vec<_> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["api:again*2", "g:overquota=7"]);
        assert!(Fault::read_lines("api:again\nnone").is_err());
    }

    #[test]
    fn every_action_is_read() {
        for (text, action) in [
            ("api:again", Action::Again),
            ("upload:bandwidth=1000", Action::Bandwidth { rate: 1000 }),
            ("event:cut@5", Action::Cut { bytes: 5 }),
            ("connection:delay=50", Action::Delay { milliseconds: 50 }),
            ("api:delay=50ms", Action::Delay { milliseconds: 50 }),
            ("packets:drift", Action::Drift),
            ("g:drift=kind", Action::DriftKind),
            ("p:error=17", Action::Error { number: 17 }),
            ("upload:expired", Action::Expired),
            ("download:flip@9", Action::Flip { offset: 9 }),
            ("api:forget", Action::Forget),
            ("us:hashcash=192", Action::Hashcash { easiness: 192 }),
            ("p:lost", Action::Lost),
            ("g:overquota", Action::OverQuota { seconds: 3600 }),
            ("u:overquota=5", Action::OverQuota { seconds: 5 }),
            ("storage:quota=60", Action::Quota { seconds: 60 }),
            ("event:ratelimit", Action::RateLimit),
            ("a:refuse=11", Action::Refuse { number: 11 }),
            ("packets:repeat", Action::Repeat),
            ("whyamiblocked:result=200", Action::Result { number: 200 }),
            ("event:stall", Action::Stall { bytes: 0 }),
            ("download:stall@7", Action::Stall { bytes: 7 }),
            ("event:status=500", Action::Status { code: 500 }),
            ("attribute:truncate@1", Action::Truncate { bytes: 1 }),
        ] {
            let fault = text.parse::<Fault>().unwrap();
            assert_eq!(fault.steps[0].actions, [action], "{text}");
        }
    }

    #[test]
    fn what_cannot_happen_is_refused() {
        for text in [
            "",
            "api",
            "api:",
            "api:ok",
            "api:again*0",
            "api:again%0",
            "api:again%101",
            "api:again;",
            "api:again,",
            "api:again+1*2",
            "api:expired",
            "download:again",
            "us:quota=3",
            "api:status=200",
            "api:refuse=0",
            "download:refuse=9",
            "api:repeat",
            "packets:stall",
            "packets:again",
            "x y:lost",
            "connection:again",
            "connection:cut@5",
            "event:hashcash=255",
            "download:flip=1",
            "download:bandwidth=0",
            "api:hashcash=256",
            "api:again=1",
            "api:drift=other",
            "api:delay",
            "api:delay=-1",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![
            Just(Action::Again),
            Just(Action::Drift),
            Just(Action::DriftKind),
            Just(Action::Forget),
            Just(Action::Lost),
            Just(Action::RateLimit),
            (1..u32::MAX).prop_map(|rate| Action::Bandwidth { rate }),
            any::<u64>().prop_map(|bytes| Action::Cut { bytes }),
            any::<u64>().prop_map(|milliseconds| Action::Delay { milliseconds }),
            any::<u32>().prop_map(|number| Action::Error { number }),
            any::<u64>().prop_map(|offset| Action::Flip { offset }),
            any::<u8>().prop_map(|easiness| Action::Hashcash { easiness }),
            any::<u64>().prop_map(|seconds| Action::OverQuota { seconds }),
            (1..u32::MAX).prop_map(|number| Action::Refuse { number }),
            any::<u32>().prop_map(|number| Action::Result { number }),
            any::<u64>().prop_map(|bytes| Action::Stall { bytes }),
            (300_u16..600).prop_map(|code| Action::Status { code }),
            any::<u64>().prop_map(|bytes| Action::Truncate { bytes }),
        ]
    }

    fn step() -> impl Strategy<Value = Step> {
        let times = proptest::option::of(1..u32::MAX);
        (proptest::collection::vec(action(), 0..4), times)
            .prop_map(|(actions, times)| Step { actions, times })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            name in "[a-z0-9]{1,12}",
            steps in proptest::collection::vec(step(), 1..5),
            skip: u32,
            percent in 1_u8..=100,
        ) {
            let place: Place = name.parse().unwrap();
            prop_assume!(place.is_api());
            prop_assume!(steps.iter().any(|step| !step.actions.is_empty()));
            let fault = Fault { place, steps, skip, percent };
            prop_assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
        }

        #[test]
        fn no_text_panics(text in "(api|packets|upload):.*|.*") {
            if let Ok(fault) = text.parse::<Fault>() {
                prop_assert_eq!(fault.to_string().parse::<Fault>(), Ok(fault));
            }
        }
    }
}
