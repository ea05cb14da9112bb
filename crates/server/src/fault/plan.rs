//! The faults that wait to happen.

use std::sync::{Mutex, PoisonError};

use super::grammar::{Action, Fault, Place};

/// All faults, in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(&self, fault: Fault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What happens to a request that these places describe.
    pub(crate) fn hit(&self, is_hit: impl Fn(&Place) -> bool) -> Vec<Action> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut actions = Vec::new();
        for fault in faults.iter_mut().filter(|fault| is_hit(&fault.place)) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            match &mut fault.times {
                Some(0) => continue,
                Some(times) => *times -= 1,
                None => {}
            }
            actions.push(fault.action);
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_spares_and_ends() {
        let faults = Faults::default();
        faults.add("api:again*2+1".parse().unwrap());
        let hits: Vec<usize> =
            (0..5).map(|_| faults.hit(|place| *place == Place::Api).len()).collect();
        assert_eq!(hits, [0, 1, 1, 0, 0]);
        assert!(faults.hit(|place| *place == Place::Upload).is_empty());
    }
}
