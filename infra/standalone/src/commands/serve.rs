//! `heddle serve`

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use connectors::{ChatModels, egress::Egress};
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tracing::{info, warn};

use crate::{
    cli::Serve,
    exit::{Exit, Trouble, trouble},
    secrets,
    serve::{api, housekeeping, sign_in, stop::Signals},
    stores::{self, Postgres},
    workers::{self, Crew},
};

/// How long requests and messages under way may take once the process was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Connections to Postgres for runs: the writer's, the listener's, and some for those who read.
const CONNECTIONS: u32 = 12;

/// Connections for the catalog, which each request asks for its caller.
const CATALOG_CONNECTIONS: u32 = 8;

/// Serves until a signal comes.
pub(crate) async fn execute(args: Serve) -> Result<Exit, Trouble> {
    let boot = runtime::boot("heddle").map_err(trouble("the process can't start"))?;
    let postgres = Postgres::find(&args.database, CONNECTIONS).await?;
    postgres.expect_migrated().await?;
    let listener = listen(args.listen).await?;
    let mut signals = Signals::take()?;

    let objects = stores::objects(&args.data)?;
    let mut embedded = postgres.open(objects.clone(), boot.ids.clone()).await?;
    let conductor = workers::conductor(&embedded, embedded.store.clone(), &boot);
    let catalog = postgres.own_catalog(CATALOG_CONNECTIONS);
    let deployment = secrets::deployment(&args.data)?;
    let vault = secrets::vault(deployment.clone(), catalog.clone(), &boot);
    let (workers, egress) = (args.workers.get(), args.egress.egress_allow);
    let crew = Crew::start(workers, &embedded, conductor.clone(), egress.clone(), vault, &boot);
    embedded.start();
    let (stop, mut stopped) = watch::channel(false);
    let mailer = sign_in::mailbox(&args.data, &boot)?;
    let (kept, post) = (deployment.clone(), Arc::clone(&mailer));
    let identity = sign_in::identity(kept, egress.clone(), &embedded, catalog.clone(), post, &boot).await?;
    let (secrets_of_models, clock) = (deployment.clone(), Arc::clone(&boot.clock));
    let models = Arc::new(ChatModels::new(Egress::new(egress), secrets_of_models, clock));
    let keeper = Arc::new(secrets::keeper(deployment.clone(), catalog.clone(), &boot));
    let house_keeper = secrets::housekeeper(deployment, postgres.catalog(), &boot);
    let parts = api::Parts { conductor, identity, keeper, models, mailer, origins: args.cors_origins };
    let router = api::router(&embedded, catalog, parts, &boot, stopped.clone());
    let server = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            // Dropping the sender is telling to stop as well.
            let _ = stopped.wait_for(|stop| *stop).await;
        });
    let server = tokio::spawn(server.into_future());

    tokio::select! {
        () = signals.next() => {}
        () = housekeeping::keep(&embedded, objects, postgres.catalog(), house_keeper, boot.clock.clone()) => {}
        () = housekeeping::fire_timers(&embedded, boot.clock.clone()) => {}
    }
    info!("stopping: no new work is taken, what is under way has {} s", GRACE.as_secs());
    stop.send_replace(true);
    let under_way = async { tokio::join!(timeout(GRACE, server), crew.finish(GRACE)) };
    let is_finished = tokio::select! {
        (server, is_crew_done) = under_way => server.is_ok() && is_crew_done,
        () = signals.next() => false,
    };
    if !is_finished {
        warn!("stopped in the middle of work, which will be done again");
    }
    // What is not acknowledged comes back, and finds nothing to do.
    if let Err(error) = embedded.flush().await {
        warn!(error = runtime::log::chain(&error), "some messages could not be acknowledged");
    }
    Ok(Exit::Succeeded)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Trouble> {
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Trouble::new(format!(
            "{address} is taken by another process: end it, or give another address by --listen; port 0 takes any that is free"
        )),
        _ => trouble(&format!("{address} can't be listened on"))(error),
    })?;
    let address = listener.local_addr().map_err(trouble("the address can't be read"))?;
    if !address.ip().is_loopback() {
        warn!(%address, "other machines can reach this address, and nothing encrypts what they send");
    }
    info!(%address, "listening on http://{address}");
    Ok(listener)
}
