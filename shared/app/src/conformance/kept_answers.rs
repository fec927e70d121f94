//! Rules of answers that are given again.

use chrono::TimeDelta;
use domain::Timestamp;
use futures::future::join_all;

use crate::ports::{ANSWER_AWAITED, ANSWER_KEPT, ANSWER_MAX, Begun, KeptAnswer, KeptAnswers};

const ONE: [u8; 32] = [1; 32];
const OTHER: [u8; 32] = [2; 32];

fn noon() -> Timestamp {
    Timestamp::from_timestamp(1_770_000_000, 0).unwrap()
}

fn answer() -> KeptAnswer {
    let headers =
        vec![("location".to_owned(), "/looms/7".to_owned()), ("etag".to_owned(), "\"1\"".to_owned())];
    KeptAnswer { status: 201, headers, body: b"{\"name\": \"\xc3\xa4\"}".to_vec() }
}

pub async fn a_request_is_done_once_and_its_answer_given_again(answers: &impl KeptAnswers) {
    let bare = KeptAnswer { status: 204, headers: Vec::new(), body: Vec::new() };
    let large = KeptAnswer { body: vec![b'x'; ANSWER_MAX], ..answer() };
    for (key, answer) in [("a", answer()), ("b \u{e4}#", bare), ("c", large)] {
        assert_eq!(answers.begin(key, ONE, noon()).await.unwrap(), Begun::First);
        assert_eq!(answers.begin(key, ONE, noon()).await.unwrap(), Begun::UnderWay);
        answers.keep(key, ONE, &answer, noon()).await.unwrap();
        let later = noon() + ANSWER_KEPT - TimeDelta::seconds(1);
        assert_eq!(answers.begin(key, ONE, later).await.unwrap(), Begun::Answered(answer));
    }
}

pub async fn a_key_stands_for_one_request(answers: &impl KeptAnswers) {
    assert_eq!(answers.begin("a", ONE, noon()).await.unwrap(), Begun::First);
    assert_eq!(answers.begin("a", OTHER, noon()).await.unwrap(), Begun::Other);
    answers.let_go("a", OTHER).await.unwrap();
    answers.keep("a", ONE, &answer(), noon()).await.unwrap();
    assert_eq!(answers.begin("a", OTHER, noon()).await.unwrap(), Begun::Other);
    assert_eq!(answers.begin("b", OTHER, noon()).await.unwrap(), Begun::First);
}

pub async fn of_requests_at_once_one_is_the_first(answers: &impl KeptAnswers) {
    let begun = join_all((0..20).map(|_| answers.begin("a", ONE, noon()))).await;
    let firsts = begun.iter().filter(|begun| matches!(begun, Ok(Begun::First))).count();
    assert_eq!(firsts, 1, "{begun:?}");
}

pub async fn a_request_that_came_to_nothing_may_be_tried_again(answers: &impl KeptAnswers) {
    answers.begin("a", ONE, noon()).await.unwrap();
    answers.let_go("a", ONE).await.unwrap();
    assert_eq!(answers.begin("a", ONE, noon()).await.unwrap(), Begun::First);
    answers.keep("a", ONE, &answer(), noon()).await.unwrap();
    answers.let_go("a", ONE).await.unwrap();
    assert_eq!(answers.begin("a", ONE, noon()).await.unwrap(), Begun::Answered(answer()));
    answers.let_go("nobody's", ONE).await.unwrap();
}

pub async fn a_request_that_was_lost_is_begun_again(answers: &impl KeptAnswers) {
    answers.begin("a", ONE, noon()).await.unwrap();
    let early = noon() + ANSWER_AWAITED - TimeDelta::seconds(1);
    assert_eq!(answers.begin("a", ONE, early).await.unwrap(), Begun::UnderWay);
    assert_eq!(answers.begin("a", ONE, noon() + ANSWER_AWAITED).await.unwrap(), Begun::First);
}

pub async fn an_answer_is_forgotten_in_time(answers: &impl KeptAnswers) {
    answers.begin("a", ONE, noon()).await.unwrap();
    answers.keep("a", ONE, &answer(), noon()).await.unwrap();
    assert_eq!(answers.begin("a", OTHER, noon() + ANSWER_KEPT).await.unwrap(), Begun::First);
}
