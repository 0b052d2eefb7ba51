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
