//! How often somebody may do something: so many at once, and then so many a second.
//!
//! A token bucket, kept as one number: the moment at which it would be full again (the generic cell rate algorithm of
//! ITU-T I.371). Each token that is taken puts that moment off; nobody has to fill anything.

/// How often something may be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    /// Microseconds that a token takes to come back; 0: any number may be taken.
    period_us: u64,
    /// How long an empty bucket takes to fill, less one token.
    slack_us: u64,
}

/// What one has left of a [`Rate`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// When it is full again, on the monotonic clock.
    full_at_us: u64,
}

impl Rate {
    /// `burst` at once, and then `per_second`; 0 a second means any number.
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        let period_us = 1_000_000u64.checked_div(per_second.into()).map_or(0, |us| us.max(1));
        Self { period_us, slack_us: period_us * u64::from(burst.saturating_sub(1)) }
    }

    /// Takes one.
    ///
    /// # Errors
    /// If there is none: the milliseconds after which there is.
    pub(super) fn take(self, bucket: &mut Bucket, now_ms: u64) -> Result<(), u64> {
        let now_us = now_ms.saturating_mul(1_000);
        let full_at_us = bucket.full_at_us.max(now_us);
        let wait_us = (full_at_us - now_us).saturating_sub(self.slack_us);
        if wait_us > 0 {
            return Err(wait_us.div_ceil(1_000));
        }
        bucket.full_at_us = full_at_us + self.period_us;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_at_once_and_then_so_many_a_second() {
        let rate = Rate::new(10, 30);
        let mut bucket = Bucket::default();
        assert!((0..30).all(|_| rate.take(&mut bucket, 5_000).is_ok()));
        assert_eq!(rate.take(&mut bucket, 5_000), Err(100));
        assert_eq!(rate.take(&mut bucket, 5_060), Err(40));
        assert_eq!(rate.take(&mut bucket, 5_100), Ok(()));
        assert_eq!(rate.take(&mut bucket, 5_100), Err(100));
        assert!((0..30).all(|_| rate.take(&mut bucket, 60_000).is_ok()), "full again");
        assert_eq!(rate.take(&mut bucket, 60_000), Err(100));
    }

    #[test]
    fn no_rate_is_no_limit() {
        let mut bucket = Bucket::default();
        assert!((0..1_000).all(|_| Rate::new(0, 0).take(&mut bucket, 0).is_ok()));
    }
}
