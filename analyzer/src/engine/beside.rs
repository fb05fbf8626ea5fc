//! Engines that look at accesses, side by side over the same [`Facts`], event by event.

use std::hint::black_box;

use lockscope_trace::Op;

use super::{
    Batch, Engine, EngineId, atomicity::AtomicityEngine, facts::Facts, lockset::LocksetEngine, races::RaceEngine,
};
use crate::analysis::Options;

/// Those that run.
#[derive(Debug)]
pub(super) struct Beside {
    facts: Facts,
    hb: Option<RaceEngine<false>>,
    shb: Option<RaceEngine<true>>,
    lockset: Option<LocksetEngine>,
    atomicity: Option<AtomicityEngine>,
}

impl Beside {
    /// Starts those of the engines that are wanted and are among these.
    pub fn new(wanted: &[EngineId], options: &Options) -> Self {
        let is_wanted = |id| wanted.contains(&id);
        let (lockset, atomicity) = (is_wanted(EngineId::Lockset), is_wanted(EngineId::Atomicity));
        Beside {
            facts: Facts::new(lockset || atomicity),
            hb: is_wanted(EngineId::Hb).then(|| RaceEngine::new(options)),
            shb: is_wanted(EngineId::Shb).then(|| RaceEngine::new(options)),
            lockset: lockset.then(|| LocksetEngine::new(options)),
            atomicity: atomicity.then(|| AtomicityEngine::new(options)),
        }
    }

    /// Takes in the next events.
    pub fn feed(&mut self, batch: Batch<'_>) {
        let Beside { facts, hb, shb, lockset, atomicity } = self;
        if hb.is_none() && shb.is_none() && lockset.is_none() && atomicity.is_none() {
            return;
        }
        for batch in batch.parts() {
            let fetched = hb.as_ref().map_or(0, |engine| engine.touch(batch.events))
                ^ lockset.as_ref().map_or(0, |engine| engine.touch(batch.events));
            black_box(fetched ^ atomicity.as_ref().map_or(0, |engine| engine.touch(batch.events)));
            for (position, event) in batch.numbered() {
                if let (Op::Released { .. }, Some(engine)) = (event.op, &mut *atomicity) {
                    engine.release(facts, position, event, batch.definitions);
                }
                let moment = facts.event(position, event, batch.definitions);
                if let Some(engine) = hb {
                    engine.event(facts, &moment);
                }
                if let Some(engine) = shb {
                    engine.event(facts, &moment);
                }
                if let Some(engine) = lockset {
                    engine.event(facts, &moment);
                }
                if let Some(engine) = atomicity {
                    engine.event(facts, &moment);
                }
            }
        }
    }

    /// Those that run.
    pub fn engines(&self) -> impl Iterator<Item = (EngineId, &dyn Engine)> {
        let engines: [(EngineId, Option<&dyn Engine>); 4] = [
            (EngineId::Hb, self.hb.as_ref().map(|engine| engine as _)),
            (EngineId::Shb, self.shb.as_ref().map(|engine| engine as _)),
            (EngineId::Lockset, self.lockset.as_ref().map(|engine| engine as _)),
            (EngineId::Atomicity, self.atomicity.as_ref().map(|engine| engine as _)),
        ];
        engines.into_iter().filter_map(|(id, engine)| Some((id, engine?)))
    }

    /// The same, to be asked.
    pub fn engines_mut(&mut self) -> impl Iterator<Item = (EngineId, &mut dyn Engine)> {
        let engines: [(EngineId, Option<&mut dyn Engine>); 4] = [
            (EngineId::Hb, self.hb.as_mut().map(|engine| engine as _)),
            (EngineId::Shb, self.shb.as_mut().map(|engine| engine as _)),
            (EngineId::Lockset, self.lockset.as_mut().map(|engine| engine as _)),
            (EngineId::Atomicity, self.atomicity.as_mut().map(|engine| engine as _)),
        ];
        engines.into_iter().filter_map(|(id, engine)| Some((id, engine?)))
    }

    /// Ends an engine.
    pub fn remove(&mut self, id: EngineId) -> Option<Box<dyn Engine>> {
        match id {
            EngineId::Hb => self.hb.take().map(|engine| Box::new(engine) as _),
            EngineId::Shb => self.shb.take().map(|engine| Box::new(engine) as _),
            EngineId::Lockset => self.lockset.take().map(|engine| Box::new(engine) as _),
            EngineId::Atomicity => self.atomicity.take().map(|engine| Box::new(engine) as _),
            EngineId::LockOrder | EngineId::Spd | EngineId::SyncP => None,
        }
    }

    /// Bytes of what they have in common.
    pub fn bytes_in_common(&self) -> u64 {
        self.facts.bytes()
    }
}
