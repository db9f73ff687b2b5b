//! The log, durable: one SQLite file, written by a thread of its own.
