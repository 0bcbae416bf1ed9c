//! Connects within one time limit, whatever a proxy does, and reads no answer without an end.
//!
//! ureq gives each read of a proxy's answer to `CONNECT` the whole time again, so a proxy that sends a byte a second
//! would hold the tool forever. It also reads interim answers and trailers for as long as they come. [`WithinLimits`],
//! between TCP and TLS, counts the time from the start, and the bytes.

use std::time::Instant;

use ureq::{
    Error, Timeout,
    unversioned::transport::{
        Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector,
        TcpConnector, Transport, time,
    },
};

/// The most bytes that are read of a connection. It has one answer, of whose body 256 KiB are read: in chunks of a byte
/// each, these are 1.5 MiB.
const MOST_READ: usize = 4 * 1024 * 1024;

/// Returns what connects: directly or through a proxy, over TLS if the URL asks for it.
pub(super) fn connector() -> impl Connector {
    ().chain(ConnectProxyConnector::default())
        .chain(TcpConnector::default())
        .chain(WithinLimits)
        .chain(RustlsConnector::default())
}

/// Holds a connection to the time limit for connecting, and to [`MOST_READ`].
#[derive(Debug)]
struct WithinLimits;

impl<In: Transport> Connector<In> for WithinLimits {
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
            read: 0,
        }))
    }
}

/// A connection with the time limit that held when it was made, and what was read.
#[derive(Debug)]
struct Limited<T> {
    transport: T,
    /// What the limit is for. The limits for what follows, such as for the answer, are kept by ureq.
    reason: Timeout,
    deadline: Option<Instant>,
    /// The number of bytes that were read.
    read: usize,
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
        let unread = self.transport.buffers().input().len();
        let is_more = self.transport.await_input(timeout)?;
        self.read += self.transport.buffers().input().len() - unread;
        if self.read > MOST_READ {
            return Err(Error::BodyExceedsLimit(MOST_READ as u64));
        }
        Ok(is_more)
    }

    fn is_open(&mut self) -> bool {
        self.transport.is_open()
    }

    fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }
}
