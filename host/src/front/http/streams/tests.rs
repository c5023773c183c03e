//! Where messages come out, in which order, and what is left of them.

use super::state::{BYTES, EVENTS};
use super::*;
use crate::message::Message;

fn note(text: &str, about: Option<&str>) -> Admitted {
    let params = format!(r#"{{"n":{}}}"#, crate::message::quote(text));
    Admitted::own(Message::notification("n", Some(&params))).about(about.map(Arc::from))
}

fn answer(id: &str) -> Admitted {
    Admitted::own(Message::result(id, r#"{"n":"answer"}"#)).about(Some(id.into()))
}

fn ids(ids: &[&str]) -> Vec<Arc<str>> {
    ids.iter().map(|&id| id.into()).collect()
}

/// What is there to be read now.
fn ready(reader: &Reader) -> Vec<String> {
    let mut texts = Vec::new();
    while let Taken::Message(_, message) = reader.take() {
        let message = Message::parse(message.bytes()).unwrap();
        texts.push(message.value("/n").unwrap().trim_matches('"').to_owned());
    }
    texts
}

fn is_over(reader: &Reader) -> bool {
    matches!(reader.take(), Taken::End)
}

#[tokio::test]
async fn messages_leave_on_the_stream_of_their_request_and_others_on_the_standing_one() {
    let streams = Streams::new(Sent::Kept);
    let one = streams.open(&ids(&["1"])).unwrap();
    let two = streams.open(&ids(&["2", "3"])).unwrap();
    for message in [
        note("a", Some("1")),
        note("b", Some("2")),
        note("c", None),
        answer("3"),
        answer("1"),
        note("d", Some("1")),
        answer("4"),
    ] {
        streams.deliver(message).await;
    }
    assert_eq!(ready(&one), ["a", "answer"]);
    assert!(is_over(&one));
    assert_eq!(ready(&two), ["b", "answer"]);
    assert!(!is_over(&two));
    assert_eq!(ready(&streams.standing().unwrap()), ["c", "d"]);
}

#[tokio::test]
async fn a_batch_of_answers_answers_all_of_them() {
    let streams = Streams::new(Sent::Kept);
    let reader = streams.open(&ids(&["1", "2", "3"])).unwrap();
    let batch = Admitted::together(&[answer("1"), answer("3")]);
    streams.deliver(batch).await;
    assert!(matches!(reader.take(), Taken::Message(..)));
    assert!(!is_over(&reader));
    streams.deliver(answer("2")).await;
    assert_eq!(ready(&reader), ["answer"]);
    assert!(is_over(&reader));
}

#[tokio::test]
async fn a_lost_stream_goes_on_where_it_was() {
    let streams = Streams::new(Sent::Kept);
    let mut reader = streams.open(&ids(&["1"])).unwrap();
    let start = reader.start();
    streams.deliver(note("a", Some("1"))).await;
    let first = reader.next().await.unwrap().id;
    drop(reader);
    streams.deliver(note("b", Some("1"))).await;
    streams.deliver(note("elsewhere", None)).await;
    streams.deliver(answer("1")).await;
    let again = streams.resume(first).unwrap();
    assert_eq!(ready(&again), ["b", "answer"]);
    assert!(is_over(&again));
    let all = streams.resume(start).unwrap();
    assert_eq!(ready(&all), ["a", "b", "answer"]);
    assert!(is_over(&again), "another reader has it");
    let parsed: EventId = first.to_string().parse().unwrap();
    assert_eq!(parsed, first);
    for unknown in ["9-1", "x", "1", "-", ""] {
        let resumed = unknown.parse().and_then(|id| streams.resume(id));
        assert_eq!(resumed.err(), Some(NoStream::Unknown), "{unknown}");
    }
}

#[tokio::test]
async fn the_standing_stream_has_one_reader_and_waits_for_one() {
    let streams = Streams::new(Sent::Kept);
    streams.deliver(note("early", None)).await;
    let first = streams.standing().unwrap();
    assert_eq!(ready(&first), ["early"]);
    let second = streams.standing().unwrap();
    streams.deliver(note("later", None)).await;
    assert!(is_over(&first));
    drop(first);
    assert_eq!(ready(&second), ["later"]);
}

#[tokio::test]
async fn an_id_is_used_once_at_a_time() {
    let streams = Streams::new(Sent::Kept);
    let reader = streams.open(&ids(&["1"])).unwrap();
    let refused = |wanted: &[&str]| streams.open(&ids(wanted)).err();
    assert_eq!(refused(&["1"]), Some(NoStream::InUse));
    assert_eq!(refused(&["2", "2"]), Some(NoStream::InUse));
    assert_eq!(refused(&["\"1\""]), None);
    streams.deliver(answer("1")).await;
    assert_eq!(refused(&["1"]), None);
    drop(reader);
}

#[tokio::test]
async fn a_cancelled_request_ends_its_stream() {
    let streams = Streams::new(Sent::Kept);
    let reader = streams.open(&ids(&["1"])).unwrap();
    streams.give_up("1");
    streams.deliver(answer("1")).await;
    assert!(is_over(&reader));
    assert_eq!(ready(&streams.standing().unwrap()), [""; 0]);
}

#[tokio::test]
async fn what_nobody_reads_is_bounded_and_the_newest_stays() {
    let streams = Streams::new(Sent::Kept);
    for number in 0..EVENTS + 5 {
        streams.deliver(note(&number.to_string(), None)).await;
    }
    let waiting = ready(&streams.standing().unwrap());
    assert_eq!((waiting.len(), &*waiting[0]), (EVENTS, "5"));
    let large = "x".repeat(BYTES / 2);
    for _ in 0..5 {
        streams.deliver(note(&large, None)).await;
    }
    assert!(streams.0.state().size().1 <= BYTES);
}

#[tokio::test]
async fn a_connection_that_reads_nothing_holds_up_the_others_for_a_while_only() {
    for sent in [Sent::Kept, Sent::Forgotten] {
        let streams = Streams::new(sent);
        let stuck = streams.open(&ids(&["1"])).unwrap();
        let other = streams.open(&ids(&["2"])).unwrap();
        for _ in 0..EVENTS {
            streams.deliver(note("x", Some("1"))).await;
        }
        streams.deliver(answer("2")).await;
        assert_eq!(ready(&other), ["answer"]);
        assert!(is_over(&stuck));
    }
}

#[tokio::test]
async fn a_stream_that_is_read_goes_on_when_there_is_room() {
    let streams = Streams::new(Sent::Kept);
    let mut reader = streams.open(&ids(&["1"])).unwrap();
    let deliver = async {
        for number in 0..3 * EVENTS {
            streams.deliver(note(&number.to_string(), Some("1"))).await;
        }
        streams.deliver(answer("1")).await;
    };
    let read = async {
        let mut count = 0;
        while reader.next().await.is_some() {
            count += 1;
        }
        count
    };
    assert_eq!(tokio::join!(deliver, read).1, 3 * EVENTS + 1);
}

#[tokio::test]
async fn nothing_is_left_of_what_is_forgotten() {
    let streams = Streams::new(Sent::Forgotten);
    let left = streams.open(&ids(&["1"])).unwrap();
    let stays = streams.open(&ids(&["2"])).unwrap();
    streams.deliver(note("a", Some("1"))).await;
    streams.deliver(note("b", Some("2"))).await;
    streams.deliver(note("nowhere", None)).await;
    assert_eq!(ready(&left), ["a"]);
    streams.deliver(note("c", Some("1"))).await;
    drop(left);
    streams.deliver(answer("1")).await;
    streams.deliver(answer("2")).await;
    assert_eq!(ready(&stays), ["b", "answer"]);
    assert!(stays.is_done());
    drop(stays);
    assert_eq!(streams.0.state().size(), (0, 0, 0, 0));
}

#[tokio::test]
async fn a_session_that_ends_ends_its_streams_once_they_are_read() {
    let streams = Streams::new(Sent::Kept);
    let reader = streams.open(&ids(&["1"])).unwrap();
    streams.deliver(note("last", Some("1"))).await;
    streams.end();
    assert_eq!(ready(&reader), ["last"]);
    assert!(is_over(&reader));
    assert_eq!(streams.open(&ids(&["2"])).err(), Some(NoStream::Ended));
}
