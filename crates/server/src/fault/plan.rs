//! The faults that wait to happen.

use std::sync::{Mutex, PoisonError};

use super::action::Action;
use super::grammar::Fault;
use super::place::Place;

/// A fault, and what it did so far.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultReport {
    /// The fault.
    pub fault: Fault,
    /// How many requests came to its place.
    pub requests: u64,
    /// To how many of them something happened.
    pub hits: u64,
    /// Whether nothing happens any more.
    pub is_over: bool,
}

/// All faults, in the order in which they were added.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    armed: Mutex<Vec<Armed>>,
}

impl Faults {
    /// With none yet. What happens by chance depends on the seed alone.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, armed: Mutex::default() }
    }

    pub(crate) fn add(&self, fault: Fault) {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let chance = Chance::new(self.seed, armed.len() as u64);
        armed.push(Armed {
            report: FaultReport { fault, requests: 0, hits: 0, is_over: false },
            skipped: 0,
            step: 0,
            done: 0,
            chance,
        });
    }

    pub(crate) fn clear(&self) {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn reports(&self) -> Vec<FaultReport> {
        let armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.iter().map(|armed| armed.report.clone()).collect()
    }

    /// What happens to a request that these places describe.
    pub(crate) fn hit(&self, is_hit: impl Fn(&Place) -> bool) -> Vec<Action> {
        self.hit_at(is_hit).into_iter().map(|(_, action)| action).collect()
    }

    /// The same, with the places that brought it about.
    pub(crate) fn hit_at(&self, is_hit: impl Fn(&Place) -> bool) -> Vec<(Place, Action)> {
        let mut all = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hits = Vec::new();
        for armed in all.iter_mut().filter(|armed| is_hit(&armed.report.fault.place)) {
            let place = armed.report.fault.place.clone();
            hits.extend(armed.next().into_iter().map(|action| (place.clone(), action)));
        }
        hits
    }
}

/// A fault, and how far it is.
#[derive(Debug)]
struct Armed {
    report: FaultReport,
    skipped: u32,
    step: usize,
    /// How often the current step has happened.
    done: u32,
    chance: Chance,
}

impl Armed {
    /// What happens to the next request.
    fn next(&mut self) -> Vec<Action> {
        self.report.requests += 1;
        let fault = &self.report.fault;
        if self.skipped < fault.skip {
            self.skipped += 1;
            return Vec::new();
        }
        let Some(step) = fault.steps.get(self.step) else { return Vec::new() };
        if fault.percent < 100 && self.chance.below(100) >= u64::from(fault.percent) {
            return Vec::new();
        }
        let actions = step.actions.clone();
        let times = step.times.or((fault.steps.len() > 1).then_some(1));
        self.done = self.done.saturating_add(1);
        if times.is_some_and(|times| self.done >= times) {
            (self.step, self.done) = (self.step + 1, 0);
            self.report.is_over = self.step == fault.steps.len();
        }
        if !actions.is_empty() {
            self.report.hits += 1;
        }
        actions
    }
}

/// Numbers that look like chance and are the same for the same seed (SplitMix64).
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// One of many that share a seed.
    fn new(seed: u64, index: u64) -> Self {
        let mut chance = Self(seed.wrapping_add(index));
        Self(chance.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many actions each of so many requests meets.
    fn hits(faults: &Faults, requests: usize) -> Vec<usize> {
        (0..requests).map(|_| faults.hit(|place| *place == Place::Api).len()).collect()
    }

    #[test]
    fn a_fault_spares_and_ends() {
        let faults = Faults::new(0);
        faults.add("api:again*2+1".parse().unwrap());
        assert_eq!(hits(&faults, 5), [0, 1, 1, 0, 0]);
        assert!(faults.hit(|place| *place == Place::Upload).is_empty());
        let [report] = &faults.reports()[..] else { panic!("one fault, one report") };
        assert_eq!((report.requests, report.hits, report.is_over), (5, 2, true));
    }

    #[test]
    fn a_script_goes_step_by_step() {
        let faults = Faults::new(0);
        faults.add("api:again;ok*2;delay=1,lost;again*2".parse().unwrap());
        assert_eq!(hits(&faults, 8), [1, 0, 0, 2, 1, 1, 0, 0]);
        assert_eq!(faults.reports()[0].hits, 4);
        let faults = Faults::new(0);
        faults.add("api:again".parse().unwrap());
        assert_eq!(hits(&faults, 3), [1, 1, 1]);
    }

    #[test]
    fn chance_depends_on_the_seed_alone() {
        let of_seed = |seed| {
            let faults = Faults::new(seed);
            faults.add("api:again%30".parse().unwrap());
            faults.add("api:again%30".parse().unwrap());
            hits(&faults, 2000)
        };
        assert_eq!(of_seed(7), of_seed(7));
        assert_ne!(of_seed(7), of_seed(8));
        let hit = of_seed(7);
        let sum: usize = hit.iter().sum();
        assert!((1000..1400).contains(&sum), "{sum} of 4000 at 30 %");
        // Faults of one server are not hit by the same chance.
        assert!(hit.contains(&1) && hit.contains(&2));
    }

    #[test]
    fn what_chance_spares_does_not_count() {
        let faults = Faults::new(1);
        faults.add("api:again*3%20".parse().unwrap());
        assert_eq!(hits(&faults, 500).iter().sum::<usize>(), 3);
    }
}
