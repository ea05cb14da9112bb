//! The order in which rows are kept: what lies in a folder side by side, and everything below it behind that.
//!
//! So a listing reads one or two parts, and a search of a folder a run of them. A row's number is its place in
//! this order. A page is heads of fixed length, then the rows behind one another; the map says which page
//! begins with which row. Handles stand in order of their own with the numbers of their rows.

use supermega_encoding::NodeHandle;

use super::facts;
use super::file::{File, PAGE_SIZE, Trouble};
use super::head::Head;
use super::pages::{HEAD_LEN, INDEX_LEN, Map, Top};
use super::{Damaged, part};
use crate::tree::{Arena, Facts, Id};

/// How long a part should be to fill one page of the database: that has some bytes of its own, and so has
/// the tag.
const PART_SIZE: usize = PAGE_SIZE - 128;

/// Where what hangs on a row is: the first of its children, the one behind the last, and the end of everything
/// below.
#[derive(Clone, Copy, Default)]
struct Below {
    begin: u32,
    end: u32,
    all: u32,
}

/// Writes everything into a file, and what it comes to into its head.
pub(super) fn write(
    file: &File,
    mut head: Head,
    arena: &Arena,
    facts: &Facts,
    account: &[u8],
) -> Result<(), Trouble> {
    file.clear()?;
    let (order, below) = order(arena);
    head.rows = place(order.len());
    file.put(&head, part::ACCOUNT, head.account, account)?;
    file.put(&head, part::FACTS, head.facts, &facts::write(facts))?;
    let mut map = Map {
        tops: arena.tops().iter().zip(0..).map(|(id, row)| top(arena, *id, row)).collect(),
        strays: arena.strays().to_vec(),
        incoming: arena.incoming(),
        ..Map::default()
    };
    write_pages(file, &head, arena, &order, &below, &mut map)?;
    write_index(file, &head, arena, &order, &mut map)?;
    (head.pages, head.indices) = (place(map.pages.len()), place(map.indices.len()));
    file.put(&head, part::MAP, 0, &map.to_bytes())?;
    file.put_head(&head)
}

fn top(arena: &Arena, id: Id, row: u32) -> Top {
    let (_, parent, _) = arena.raw(id);
    Top { parent, row }
}

/// Rows in their order, and for each what hangs on it.
fn order(arena: &Arena) -> (Vec<Id>, Vec<Below>) {
    enum Step {
        Enter(Id),
        Leave(Id),
    }
    let mut order = Vec::with_capacity(arena.len());
    order.extend_from_slice(arena.tops());
    let mut below = vec![Below::default(); arena.capacity()];
    let mut pending: Vec<Step> = order.iter().rev().map(|id| Step::Enter(*id)).collect();
    while let Some(step) = pending.pop() {
        match step {
            Step::Enter(id) => {
                let begin = order.len();
                order.extend(arena.children(id));
                if order.len() > begin {
                    let here = Below { begin: place(begin), end: place(order.len()), all: 0 };
                    below[id as usize] = here;
                    pending.push(Step::Leave(id));
                    pending.extend(order[begin..].iter().rev().map(|id| Step::Enter(*id)));
                }
            }
            Step::Leave(id) => below[id as usize].all = place(order.len()),
        }
    }
    (order, below)
}

fn write_pages(
    file: &File,
    head: &Head,
    arena: &Arena,
    order: &[Id],
    below: &[Below],
    map: &mut Map,
) -> Result<(), Trouble> {
    let mut at = 0;
    while at < order.len() {
        let mut end = at;
        let mut size = 0;
        while let Some(id) = order.get(end) {
            size += HEAD_LEN + arena.raw(*id).2.len();
            if size > PART_SIZE && end > at {
                break;
            }
            end += 1;
        }
        let mut bytes = Vec::with_capacity(PART_SIZE);
        let mut length = 0;
        for id in &order[at..end] {
            let (handle, parent, row) = arena.raw(*id);
            length += row.len();
            bytes.extend_from_slice(handle.as_bytes());
            bytes.extend_from_slice(parent.as_bytes());
            let Below { begin, end, all } = below[*id as usize];
            for number in [begin, end, all, place(length)] {
                bytes.extend_from_slice(&number.to_be_bytes());
            }
        }
        for id in &order[at..end] {
            bytes.extend_from_slice(arena.raw(*id).2);
        }
        file.put(head, part::PAGE, place(map.pages.len()), &bytes)?;
        map.pages.push(place(at));
        at = end;
    }
    Ok(())
}

fn write_index(
    file: &File,
    head: &Head,
    arena: &Arena,
    order: &[Id],
    map: &mut Map,
) -> Result<(), Trouble> {
    let mut places = vec![u32::MAX; arena.capacity()];
    for (row, id) in order.iter().enumerate() {
        places[*id as usize] = place(row);
    }
    let mut bytes = Vec::with_capacity(PART_SIZE);
    let mut first = None;
    let mut put = |bytes: &mut Vec<u8>, first: &mut Option<NodeHandle>| {
        if let Some(handle) = first.take() {
            file.put(head, part::INDEX, place(map.indices.len()), bytes)?;
            map.indices.push(handle);
            bytes.clear();
        }
        Ok::<_, Trouble>(())
    };
    for id in arena.ids() {
        if bytes.len() + INDEX_LEN > PART_SIZE {
            put(&mut bytes, &mut first)?;
        }
        let handle = arena.handle(id);
        first.get_or_insert(handle);
        bytes.extend_from_slice(handle.as_bytes());
        // Everything hangs on the tops.
        let row = Some(places[id as usize]).filter(|row| *row != u32::MAX).ok_or(Damaged)?;
        bytes.extend_from_slice(&row.to_be_bytes());
    }
    put(&mut bytes, &mut first)
}

/// Trees have far fewer nodes than 2^32.
fn place(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
