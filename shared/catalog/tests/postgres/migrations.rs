//! The migrations apply from empty, quickly, once (OPS-10).

use std::time::{Duration, Instant};

use catalog::{Catalog, DatabaseUrl, MIGRATOR};
use test_support::TestDatabase;

#[tokio::test]
async fn an_empty_database_is_migrated_in_seconds_and_a_second_time_finds_nothing_to_do() {
    let database = TestDatabase::empty().await;
    let catalog = Catalog::new(database.pool().clone());
    let all: Vec<i64> = MIGRATOR.iter().map(|migration| migration.version).collect();

    assert_eq!(catalog.pending(&MIGRATOR).await.unwrap(), all);
    let start = Instant::now();
    assert_eq!(catalog.migrate().await.unwrap(), all);
    let took = start.elapsed();
    println!("{} migrations from empty in {took:?}", all.len());
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(catalog.pending(&MIGRATOR).await.unwrap(), Vec::<i64>::new());
    assert_eq!(catalog.migrate().await.unwrap(), Vec::<i64>::new());
}

#[tokio::test]
async fn two_migrators_at_once_apply_everything_once() {
    let database = TestDatabase::empty().await;
    let url = DatabaseUrl::parse(&database.url()).unwrap();
    let (one, two) = (Catalog::connect_lazy(&url, 1), Catalog::connect_lazy(&url, 1));

    let (first, second) = futures::future::join(one.migrate(), two.migrate()).await;

    let mut counts = [first.unwrap().len(), second.unwrap().len()];
    counts.sort_unstable();
    assert_eq!(counts, [0, MIGRATOR.iter().count()]);
}

#[test]
fn migrations_are_named_by_their_minute() {
    for migration in MIGRATOR.iter() {
        let number = migration.version.to_string();
        let minute = chrono::NaiveDateTime::parse_from_str(&number, "%Y%m%d%H%M");
        assert!(number.len() == 12 && minute.is_ok(), "{number}");
    }
}
