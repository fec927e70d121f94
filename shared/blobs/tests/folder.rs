//! Blobs in a folder.

use blobs::ObjectBlobs;

mod rules {
    use super::ObjectBlobs;

    fn in_a_folder() -> ObjectBlobs {
        // The folder stays until the machine clears its temporary files: a test can't tell when its store is done.
        let folder = tempfile::tempdir().expect("a folder").keep();
        ObjectBlobs::in_folder(&folder).expect("blobs")
    }

    app::blobs_suite!(async { in_a_folder() });
    app::exports_suite!(async { in_a_folder() });
}
