//! What a crash or a rotten disk can do to a segment, and what is made of it.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NONCE: u64 = 0x1234_5678_9abc_def0;

/// Groups of texts, each synced before the next was written, as a segment would hold them; and where each group ends.
fn segment(groups: &[Vec<Vec<u8>>]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for texts in groups {
        let mut frames = Vec::new();
        texts.iter().for_each(|text| put(&mut frames, text));
        let durable = u32::try_from(bytes.len()).unwrap();
        seal(&mut frames, durable, NONCE, bytes.len() as u64);
        bytes.extend(frames);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn groups() -> impl Strategy<Value = Vec<Vec<Vec<u8>>>> {
    vec(vec(vec(any::<u8>(), 1..60), 1..4), 2..6)
}

proptest! {
    #[test]
    fn sealed_frames_read_back(groups in groups()) {
        let (bytes, _) = segment(&groups);
        let mut at = 0;
        for text in groups.iter().flatten() {
            let frame = read(&bytes, at, NONCE, 0).expect("whole");
            prop_assert_eq!(frame.text, &text[..]);
            at += frame.bytes;
        }
        prop_assert_eq!(extent(&bytes, 0, NONCE), Extent::Whole(bytes.len()));
    }

    #[test]
    fn a_cut_is_a_torn_tail_at_a_frame(groups in groups(), cut in any::<prop::sample::Index>()) {
        let (mut bytes, _) = segment(&groups);
        bytes.truncate(cut.index(bytes.len()));
        match extent(&bytes, 0, NONCE) {
            Extent::Whole(end) => prop_assert!(end <= bytes.len()),
            Extent::Damaged(at) => prop_assert!(false, "a cut was taken for damage at {at}"),
        }
    }

    #[test]
    fn a_flipped_bit_before_the_last_group_is_damage(groups in groups(), flip in any::<prop::sample::Index>(), bit in 0..8) {
        let (mut bytes, ends) = segment(&groups);
        let acknowledged = ends[ends.len() - 2];
        let at = flip.index(acknowledged);
        bytes[at] ^= 1_u8 << bit;
        match extent(&bytes, 0, NONCE) {
            Extent::Damaged(found) => prop_assert!(found <= at),
            Extent::Whole(end) => prop_assert!(false, "taken for whole up to {end}"),
        }
    }

    #[test]
    fn a_torn_last_group_is_cut_whatever_is_missing_of_it(groups in groups(), hole in any::<prop::sample::Index>()) {
        let (mut bytes, ends) = segment(&groups);
        let acknowledged = ends[ends.len() - 2];
        let at = acknowledged + hole.index(bytes.len() - acknowledged);
        bytes[at] ^= 0xff;
        match extent(&bytes, 0, NONCE) {
            Extent::Whole(end) => prop_assert!((acknowledged..=at).contains(&end)),
            Extent::Damaged(at) => prop_assert!(false, "a torn tail was taken for damage at {at}"),
        }
    }

    #[test]
    fn what_was_not_yet_on_the_disk_may_be_missing_in_the_middle(texts in vec(vec(any::<u8>(), 1..60), 2..9), hole in any::<prop::sample::Index>()) {
        // All of these were written while nothing but the first was synced.
        let (mut bytes, ends) = segment(&[vec![texts[0].clone()]]);
        let synced = ends[0];
        for text in &texts[1..] {
            let mut frames = Vec::new();
            put(&mut frames, text);
            seal(&mut frames, u32::try_from(synced).unwrap(), NONCE, bytes.len() as u64);
            bytes.extend(frames);
        }
        let at = synced + hole.index(bytes.len() - synced);
        bytes[at] ^= 0xff;
        match extent(&bytes, 0, NONCE) {
            Extent::Whole(end) => prop_assert!((synced..=at).contains(&end)),
            Extent::Damaged(at) => prop_assert!(false, "a hole was taken for damage at {at}"),
        }
    }

    #[test]
    fn another_use_of_the_file_is_never_read(groups in groups()) {
        let (bytes, _) = segment(&groups);
        prop_assert_eq!(extent(&bytes, 0, NONCE + 1), Extent::Whole(0));
        prop_assert_eq!(read(&bytes, 0, NONCE, 1), None);
    }
}
