//! Room for what few have.
//!
//! Of ten thousand files, most are quiet. What only the others need stands apart, so that it takes no room in these.

use std::ops::{Deref, DerefMut};

/// Something that can be empty, as it most often is.
pub(crate) trait MayBeEmpty: Default + 'static {
    /// It when it is empty.
    const EMPTY: &'static Self;

    /// Whether it is empty.
    fn is_empty(&self) -> bool;
}

/// A value that takes no room as long as it is empty. To be [tidied](Self::tidy) after it was used.
#[derive(Debug)]
pub(crate) struct Seldom<T>(Option<Box<T>>);

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: MayBeEmpty> Seldom<T> {
    /// It, unless it takes no room; for what would only be emptied.
    pub(crate) fn present(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// Takes back its room if it is empty.
    pub(crate) fn tidy(&mut self) {
        self.0.take_if(|value| value.is_empty());
    }
}

impl<T: MayBeEmpty> From<T> for Seldom<T> {
    fn from(value: T) -> Self {
        Self(Some(Box::new(value)))
    }
}

impl<T: MayBeEmpty> Deref for Seldom<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::EMPTY)
    }
}

impl<T: MayBeEmpty> DerefMut for Seldom<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}
