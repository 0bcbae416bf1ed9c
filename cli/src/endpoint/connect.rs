//! Connects within one time limit, whatever a proxy does.
//!
//! ureq gives each read of a proxy's answer to `CONNECT` the whole time again, so a proxy that sends a byte a second
//! would hold the tool forever. [`WithinTime`], between TCP and TLS, counts the time from the start.

use std::time::Instant;

use ureq::{
    Error, Timeout,
    unversioned::transport::{
        Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector,
        TcpConnector, Transport, time,
    },
};

/// Returns what connects: directly or through a proxy, over TLS if the URL asks for it.
pub(super) fn connector() -> impl Connector {
    ().chain(ConnectProxyConnector::default())
        .chain(TcpConnector::default())
        .chain(WithinTime)
        .chain(RustlsConnector::default())
}

/// Holds a connection to the time limit for connecting.
#[derive(Debug)]
struct WithinTime;

impl<In: Transport> Connector<In> for WithinTime {
    type Out = Limited<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let NextTimeout { after, reason, .. } = details.timeout;
        let deadline = match details.now {
            time::Instant::Exact(start) => start.checked_add(*after),
            _ => None,
        };
        Ok(chained.map(|transport| Limited {
            transport,
            reason,
            deadline,
        }))
    }
}

/// A connection with the time limit that held when it was made.
#[derive(Debug)]
struct Limited<T> {
    transport: T,
    /// What the limit is for. The limits for what follows, such as for the answer, are kept by ureq.
    reason: Timeout,
    deadline: Option<Instant>,
}

impl<T> Limited<T> {
    fn limit(&self, timeout: NextTimeout) -> Result<NextTimeout, Error> {
        let Some(deadline) = self.deadline.filter(|_| timeout.reason == self.reason) else {
            return Ok(timeout);
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(self.reason));
        }
        let after = timeout.after.min(time::Duration::Exact(left));
        Ok(NextTimeout { after, ..timeout })
    }
}

impl<T: Transport> Transport for Limited<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.transport.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = self.limit(timeout)?;
        self.transport.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.limit(timeout)?;
        self.transport.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}
