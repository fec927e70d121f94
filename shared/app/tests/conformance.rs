//! The fakes pass the suites of their ports.

mod run_store {
    use app::fakes::MemoryRunStore;

    app::run_store_suite!(async { MemoryRunStore::default() });
}

mod blobs {
    use app::fakes::MemoryBlobs;

    app::blobs_suite!(async { MemoryBlobs::default() });
}
