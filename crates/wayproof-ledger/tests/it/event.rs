//! The text of events: golden, round, and bounded.

use proptest::prelude::*;
use uuid::Uuid;
use wayproof_engine::Cause;
use wayproof_ledger::{
    Escalated, Event, EventBody, MAX_EVENT_BYTES, QuotaSampled, RecordError, SessionStarted,
};

use crate::fixture::{NOON_US, listed, opened, settled};

fn event(body: EventBody) -> Event {
    Event {
        id: Uuid::from_u128(0x0192_f4b1_6a00_7000_8000_0000_0000_0001),
        at_us: NOON_US,
        session: Some("s1".to_owned()),
        job: None,
        exchange: Some("e1".to_owned()),
        body,
    }
}

fn text(body: EventBody) -> String {
    String::from_utf8(event(body).to_text().expect("written")).expect("JSON is UTF-8")
}

#[test]
fn events_are_written_as_agreed() {
    let body = opened("bug-fix", "fast", "claude-haiku-5-5");
    insta::assert_snapshot!("exchange_opened", text(body));
    insta::assert_snapshot!(
        "exchange_settled",
        text(settled(
            "bug-fix",
            "fast",
            "claude-haiku-5-5",
            listed(4_200_000)
        ))
    );
    let escalated = Escalated {
        cause: Cause::ProofRefuted,
        from: "fast".to_owned(),
        to: "strong".to_owned(),
        why: "the failing test is still red".to_owned(),
    };
    insta::assert_snapshot!("escalated", text(EventBody::Escalated(escalated)));
}

#[test]
fn an_event_of_a_later_version_is_read_but_not_written() {
    let text = r#"{"v":2,"type":"moon-landed","id":"0192f4b1-6a00-7000-8000-000000000001","at_us":5,"data":{"x":1}}"#;
    let event = Event::parse(text).expect("readable");
    assert!(matches!(&event.body, EventBody::Unknown { kind } if kind == "moon-landed"));
    assert!(matches!(event.to_text(), Err(RecordError::Unwritable(_))));
}

#[test]
fn an_event_beyond_the_limit_is_refused_with_its_length() {
    let started = SessionStarted {
        agent: "x".repeat(MAX_EVENT_BYTES),
        ..SessionStarted::default()
    };
    let refused = event(EventBody::SessionStarted(started)).to_text();
    assert!(
        matches!(refused, Err(RecordError::TooLong { bytes }) if bytes > MAX_EVENT_BYTES),
        "{refused:?}"
    );
}

#[test]
fn what_is_not_an_event_says_so() {
    for text in [
        "",
        "{",
        "[]",
        r#"{"type":"escalated"}"#,
        r#"{"v":1,"type":"escalated","id":"no","at_us":1,"data":{}}"#,
    ] {
        assert!(
            matches!(Event::parse(text), Err(RecordError::Unreadable(_))),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn text_reads_back_and_is_one_line(
        agent in any::<String>(), cwd in any::<Option<String>>(), session in any::<Option<String>>(), at_us in any::<i64>(),
    ) {
        let started = SessionStarted { agent, cwd, ..SessionStarted::default() };
        let event = Event { session, at_us, ..event(EventBody::SessionStarted(started.clone())) };
        let text = event.to_text().expect("written");
        prop_assert!(!text.contains(&b'\n'));
        let back = Event::parse(std::str::from_utf8(&text).expect("UTF-8")).expect("read");
        prop_assert_eq!((back.id, back.at_us, &back.session), (event.id, event.at_us, &event.session));
        prop_assert!(matches!(&back.body, EventBody::SessionStarted(read) if *read == started));
        prop_assert_eq!(back.to_text().expect("written"), text);
    }

    #[test]
    fn unknown_stays_unknown(used_ppm in any::<Option<i64>>()) {
        let sample = QuotaSampled { used_ppm, ..QuotaSampled::default() };
        let text = text(EventBody::QuotaSampled(sample.clone()));
        prop_assert_eq!(text.contains("used_ppm"), used_ppm.is_some());
        let back = Event::parse(&text).expect("read").body;
        prop_assert!(matches!(back, EventBody::QuotaSampled(read) if read == sample));
    }
}
