//! The real model on real sound: needs `compliance models fetch`, espeak-ng and festival.
