//! Order, room and failure of the queue, without any thread behind it.

use super::*;

fn poll(durable: &mut Durable) -> Poll<Result<(), AppendError>> {
    Pin::new(durable).poll(&mut Context::from_waker(Waker::noop()))
}

fn take(queue: &Queue) -> Taken {
    match queue.take(None) {
        Turn::Group(taken) => taken,
        other => panic!("expected a group, got {other:?}"),
    }
}

fn texts(taken: &Taken) -> Vec<&[u8]> {
    frame::texts(&taken.frames).collect()
}

#[test]
fn a_group_resolves_all_who_wait_for_it() {
    let queue = Queue::new(1024);
    let mut first = queue.append(b"one".to_vec());
    queue.note(b"two").expect("taken");
    let mut third = queue.append(b"three".to_vec());
    assert!(poll(&mut first).is_pending());
    let taken = take(&queue);
    assert_eq!(texts(&taken), [&b"one"[..], b"two", b"three"]);
    taken.group.settle(Ok(()));
    assert!(matches!(poll(&mut first), Poll::Ready(Ok(()))));
    assert!(matches!(poll(&mut third), Poll::Ready(Ok(()))));
}

#[test]
fn a_full_queue_takes_no_more_until_the_writer_was_there() {
    let queue = Queue::new(64);
    let mut first = queue.append(vec![b'a'; 64]);
    let mut second = queue.append(b"b".to_vec());
    assert!(poll(&mut second).is_pending());
    let taken = take(&queue);
    assert_eq!(taken.marks.len(), 1, "the second is not in yet");
    taken.group.settle(Ok(()));
    assert!(matches!(poll(&mut first), Poll::Ready(Ok(()))));
    assert!(
        poll(&mut second).is_pending(),
        "it went in and waits for its group"
    );
    let taken = take(&queue);
    assert_eq!(texts(&taken), [&b"b"[..]]);
    taken.group.settle(Ok(()));
    assert!(matches!(poll(&mut second), Poll::Ready(Ok(()))));
}

#[test]
fn after_a_failure_only_what_nobody_waits_for_is_tried_again() {
    let queue = Queue::new(1024);
    queue.note(b"note one").expect("taken");
    let mut waited = queue.append(b"waited".to_vec());
    queue.note(b"note two").expect("taken");
    let taken = take(&queue);
    queue.note(b"note three").expect("taken");
    queue.put_back(&taken);
    taken.group.settle(Err(AppendError::DiskFull {
        place: "here".to_owned(),
    }));
    assert!(matches!(
        poll(&mut waited),
        Poll::Ready(Err(AppendError::DiskFull { .. }))
    ));
    let mut flushed = queue.flush();
    let again = take(&queue);
    assert_eq!(
        texts(&again),
        [&b"note one"[..], b"note two", b"note three"]
    );
    again.group.settle(Ok(()));
    assert!(matches!(poll(&mut flushed), Poll::Ready(Ok(()))));
}

#[test]
fn a_closed_queue_gives_out_the_rest_and_takes_nothing() {
    let queue = Queue::new(1024);
    queue.note(b"last").expect("taken");
    queue.close();
    assert!(matches!(queue.note(b"late"), Err(AppendError::Closed)));
    assert!(matches!(
        poll(&mut queue.append(b"late".to_vec())),
        Poll::Ready(Err(AppendError::Closed))
    ));
    assert_eq!(texts(&take(&queue)), [&b"last"[..]]);
    assert!(matches!(queue.take(None), Turn::Closed));
}

#[test]
fn a_refusing_queue_still_takes_notes() {
    let queue = Queue::new(1024);
    queue.refuse(AppendError::DiskFull {
        place: "here".to_owned(),
    });
    assert!(matches!(
        poll(&mut queue.append(b"new".to_vec())),
        Poll::Ready(Err(AppendError::DiskFull { .. }))
    ));
    queue.note(b"old").expect("taken");
    queue.accept();
    assert!(poll(&mut queue.append(b"new".to_vec())).is_pending());
}

/// A segment of 256 bytes beside a queue, in a directory that goes away with the test.
fn beside(queue: &Queue) -> (tempfile::TempDir, crate::journal::Journal) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut journal =
        crate::journal::Journal::open(directory.path(), uuid::Uuid::from_u128(7), 256)
            .expect("opened");
    let mut frames = Vec::new();
    frame::put(&mut frames, b"first");
    queue.open(journal.begin(&mut frames).expect("begun"));
    (directory, journal)
}

#[test]
fn what_is_written_at_once_waits_for_nobody_and_is_there() {
    let queue = Queue::new(1024);
    let (_directory, _journal) = beside(&queue);
    queue.note(b"noted").expect("taken");
    let mut written = queue.append_written(b"written".to_vec());
    assert!(matches!(poll(&mut written), Poll::Ready(Ok(()))));
    let taken = take(&queue);
    assert!(taken.frames.is_empty(), "nothing is left to write");
    let written = taken.written.expect("something to sync");
    assert!(written.full.is_none(), "there is room for more");
    let frames = written.unsynced.frames().expect("read back");
    assert_eq!(
        frame::texts(&frames).collect::<Vec<_>>(),
        [&b"noted"[..], b"written"]
    );
}

#[test]
fn who_waits_for_the_disk_is_told_with_what_he_wrote() {
    let queue = Queue::new(1024);
    let (_directory, _journal) = beside(&queue);
    let mut waits = queue.append(b"waits".to_vec());
    let mut written = queue.append_written(b"written".to_vec());
    assert!(matches!(poll(&mut written), Poll::Ready(Ok(()))));
    assert!(poll(&mut waits).is_pending());
    let taken = take(&queue);
    let groups = taken.written.expect("something to sync").groups;
    assert!(poll(&mut waits).is_pending(), "it is not on the disk yet");
    groups.iter().for_each(|group| group.settle(Ok(())));
    assert!(matches!(poll(&mut waits), Poll::Ready(Ok(()))));
}

#[test]
fn a_full_segment_is_handed_over_with_what_has_no_room_in_it() {
    let queue = Queue::new(1024);
    let (_directory, mut journal) = beside(&queue);
    let mut large = queue.append_written(vec![b'x'; 250]);
    assert!(poll(&mut large).is_pending(), "another file is needed");
    let mut taken = take(&queue);
    let written = taken.written.take().expect("the old segment");
    journal
        .sync(&written.unsynced, written.full.is_some())
        .expect("synced");
    assert_eq!(texts(&taken), [&[b'x'; 250][..]]);
    queue.open(journal.begin(&mut taken.frames).expect("begun"));
    taken.group.settle(Ok(()));
    assert!(matches!(poll(&mut large), Poll::Ready(Ok(()))));
    let sealed: Vec<bool> = journal
        .progress()
        .written()
        .iter()
        .map(|written| written.is_sealed)
        .collect();
    assert_eq!(sealed, [true, false]);
}

#[test]
fn what_did_not_reach_the_disk_is_written_again_unless_somebody_was_told() {
    let queue = Queue::new(1024);
    let (_directory, _journal) = beside(&queue);
    let mut waits = queue.append(b"waits".to_vec());
    let mut written = queue.append_written(b"written".to_vec());
    assert!(matches!(poll(&mut written), Poll::Ready(Ok(()))));
    let taken = take(&queue).written.expect("something to sync");
    let frames = taken.unsynced.frames().expect("read back");
    queue.put_back_written(&frames, &taken);
    for group in &taken.groups {
        group.settle(Err(AppendError::Closed));
    }
    assert!(matches!(poll(&mut waits), Poll::Ready(Err(_))));
    let mut flushed = queue.flush();
    let again = take(&queue);
    assert!(again.written.is_none(), "nothing more goes into that file");
    assert_eq!(texts(&again), [&b"written"[..]]);
    again.group.settle(Ok(()));
    assert!(matches!(poll(&mut flushed), Poll::Ready(Ok(()))));
}
