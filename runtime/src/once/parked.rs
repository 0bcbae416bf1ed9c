//! Values that stay on their thread, while what refers to them is `Send`.
//!
//! The future of a plain handler is `Send` unless its author makes it otherwise, and `clippy::future_not_send` watches over
//! that. So what the attribute adds to a handler must be `Send`, and a request is not.

use std::{
    any::Any,
    cell::RefCell,
    collections::HashMap,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll},
};

thread_local! {
    static PARKED: RefCell<HashMap<u64, Box<dyn Any>>> = RefCell::default();
}

/// Refers to a value of the thread that parked it. The value is dropped with this.
pub(super) struct Parked<T: 'static> {
    id: u64,
    value: PhantomData<fn() -> T>,
}

/// A future that need not be `Send`.
pub(super) type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

impl<T: 'static> Parked<T> {
    pub(super) fn new(value: T) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        PARKED.with_borrow_mut(|parked| parked.insert(id, Box::new(value)));
        Self {
            id,
            value: PhantomData,
        }
    }

    /// Returns the value, or `None` on another thread.
    pub(super) fn take(&self) -> Option<Box<T>> {
        // It is dropped elsewhere, and not while the others are borrowed: that may drop more of them.
        let parked = PARKED.try_with(|parked| parked.try_borrow_mut().ok()?.remove(&self.id));
        parked.ok()??.downcast().ok()
    }
}

impl<T: 'static> Drop for Parked<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// Yields the value of a parked future, or `None` on another thread.
impl<T: 'static> Future for Parked<LocalFuture<T>> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mut future) = self.take() else {
            return Poll::Ready(None);
        };
        let poll = Pin::as_mut(&mut *future).poll(cx).map(Some);
        if poll.is_pending() {
            PARKED.with_borrow_mut(|parked| parked.insert(self.id, future));
        }
        poll
    }
}

#[cfg(test)]
mod tests {
    use std::{rc::Rc, thread};

    use super::*;

    #[test]
    fn a_value_stays_on_its_thread_and_is_dropped_with_its_reference() {
        let value = Rc::new(1);
        let parked = Parked::new(Rc::clone(&value));
        thread::scope(|scope| {
            assert!(
                scope
                    .spawn(|| parked.take().is_none())
                    .join()
                    .is_ok_and(|is_none| is_none)
            );
        });
        assert_eq!(Rc::strong_count(&value), 2);
        assert_eq!(parked.take().as_deref(), Some(&value));
        assert!(parked.take().is_none());

        // One that holds another one is dropped as a whole.
        drop(Parked::new((
            Rc::clone(&value),
            Parked::new(Rc::clone(&value)),
        )));
        assert_eq!(Rc::strong_count(&value), 1);
    }
}
