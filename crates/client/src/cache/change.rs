//! What packets have changed since the rows were written: a part for each batch, folded into one now and then.

use super::facts;
use super::file::{File, Trouble};
use super::head::Head;
use super::{Added, Batch, Damaged, part};
use crate::tree::{Changes, Reader, Row, number};

/// More parts than this are folded into one.
const PARTS: u32 = 64;
/// More changed rows than this, and more than an eighth of all, call for all rows to be written anew.
const CROWD: u32 = 16_000;

/// Adds a batch, if the file is where it begins.
pub(super) fn add(file: &File, batch: &Batch<'_>) -> Result<Added, Trouble> {
    let mut head = file.head()?;
    if head.cursor != batch.from {
        return Ok(Added::Elsewhere);
    }
    if !batch.changes.is_empty() {
        if head.changes.1 - head.changes.0 >= PARTS {
            let mut all = read_all(file, &head)?;
            all.extend(batch.changes.iter().map(|(handle, row)| (*handle, row.clone())));
            file.remove(part::CHANGE)?;
            head.changes.0 = head.changes.1;
            head.changed = 0;
            append(file, &mut head, &all)?;
        } else {
            append(file, &mut head, batch.changes)?;
        }
    }
    if let Some(facts) = batch.facts {
        file.remove(part::FACTS)?;
        head.facts += 1;
        file.put(&head, part::FACTS, head.facts, &facts::write(facts))?;
    }
    head.cursor = batch.to;
    head.stale |= batch.stale;
    file.put_head(&head)?;
    let crowded = head.changed > CROWD.max(head.rows / 8);
    Ok(if crowded { Added::Crowded } else { Added::Yes })
}

fn append(file: &File, head: &mut Head, changes: &Changes) -> Result<(), Trouble> {
    let mut bytes = Vec::new();
    for (handle, row) in changes {
        bytes.extend_from_slice(handle.as_bytes());
        bytes.push(u8::from(row.is_some()));
        if let Some(row) = row {
            bytes.extend_from_slice(row.parent.unwrap_or(row.handle).as_bytes());
            let mut content = Vec::new();
            row.write(&mut content);
            number(&mut bytes, content.len() as u64);
            bytes.extend_from_slice(&content);
        }
    }
    file.put(head, part::CHANGE, head.changes.1, &bytes)?;
    head.changes.1 += 1;
    let changed = u32::try_from(changes.len()).unwrap_or(u32::MAX);
    head.changed = head.changed.saturating_add(changed);
    Ok(())
}

/// All changes; of two of one node the later.
pub(super) fn read_all(file: &File, head: &Head) -> Result<Changes, Trouble> {
    let mut changes = Changes::new();
    for number in head.changes.0..head.changes.1 {
        let bytes = file.part(head, part::CHANGE, number)?;
        read(&bytes, &mut changes).ok_or(Damaged)?;
    }
    Ok(changes)
}

fn read(bytes: &[u8], changes: &mut Changes) -> Option<()> {
    let mut reader = Reader(bytes);
    while !reader.0.is_empty() {
        let handle = facts::handle(&mut reader)?;
        let mut row = None;
        if reader.byte()? != 0 {
            let parent = facts::handle(&mut reader)?;
            row = Some(Row::read(handle, parent, reader.bytes()?)?);
        }
        changes.insert(handle, row);
    }
    Some(())
}
