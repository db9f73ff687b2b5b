//! What is measured: each figure's name, unit and direction, and how repetitions become one.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

/// A figure that a report can have, in the order in which reports show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    DeliveriesPerSecond,
    MessagesPerSecond,
    PostsPerSecond,
    AnswerP50,
    AnswerP99,
    AnswerP999,
    LatencyP50,
    LatencyP99,
    LatencyP999,
    LatencyMax,
    LastP50,
    LastP99,
    CpuPerDelivery,
    UserCpuPerDelivery,
    CpuPerPost,
    EntryBytes,
    HandshakesPerSecond,
    CpuPerHandshake,
    UserCpuPerHandshake,
    HandshakeP50,
    HandshakeP99,
    HandshakeMax,
    PssPerConnection,
    RssPerConnection,
    PrivateDirtyPerConnection,
    HoldingCpu,
    RestartSeconds,
    AllBackSeconds,
    BackP50,
    BackP99,
    FailedAttempts,
    ServerCpu,
    ServerWait,
    LoadCpu,
    SendLagP99,
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    PerSecond,
    Micros,
    /// Also microseconds, but of processor time: small, and never shown as anything else.
    CpuMicros,
    Seconds,
    Bytes,
    /// Of one processor.
    Percent,
    /// Of another subject's figure.
    Ratio,
    Count,
}

/// Which way a figure is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Better {
    More,
    Less,
    /// It says how the measurement went, not how the server did.
    Neither,
}

/// How a figure is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// In JSON. The unit comes last.
    pub(super) key: &'static str,
    pub(super) title: &'static str,
    /// As a column's head.
    pub(super) short: &'static str,
    pub(super) unit: Unit,
    pub(super) better: Better,
}

impl Metric {
    pub(super) fn style(self) -> Style {
        use Better::{Less, More, Neither};
        use Unit::{Bytes, Count, CpuMicros, Micros, PerSecond, Percent, Seconds};
        let (key, title, short, unit, better) = match self {
            Metric::DeliveriesPerSecond => {
                ("deliveries_per_s", "deliveries", "deliveries/s", PerSecond, More)
            }
            Metric::MessagesPerSecond => {
                ("messages_per_s", "messages published", "messages/s", PerSecond, More)
            }
            Metric::PostsPerSecond => {
                ("posts_per_s", "posts acknowledged", "posts/s", PerSecond, More)
            }
            Metric::AnswerP50 => ("ack_p50_us", "acknowledgement, p50", "ack p50", Micros, Less),
            Metric::AnswerP99 => ("ack_p99_us", "acknowledgement, p99", "ack p99", Micros, Less),
            Metric::AnswerP999 => {
                ("ack_p999_us", "acknowledgement, p99.9", "ack p99.9", Micros, Less)
            }
            Metric::LatencyP50 => ("latency_p50_us", "latency, p50", "p50", Micros, Less),
            Metric::LatencyP99 => ("latency_p99_us", "latency, p99", "p99", Micros, Less),
            Metric::LatencyP999 => ("latency_p999_us", "latency, p99.9", "p99.9", Micros, Less),
            Metric::LatencyMax => ("latency_max_us", "latency, max", "max", Micros, Less),
            Metric::LastP50 => (
                "last_receiver_p50_us",
                "until the last receiver has it, p50",
                "last p50",
                Micros,
                Less,
            ),
            Metric::LastP99 => (
                "last_receiver_p99_us",
                "until the last receiver has it, p99",
                "last p99",
                Micros,
                Less,
            ),
            Metric::CpuPerDelivery => {
                ("cpu_per_delivery_us", "server CPU per delivery", "CPU/delivery", CpuMicros, Less)
            }
            Metric::UserCpuPerDelivery => {
                ("cpu_user_per_delivery_us", "of it in user space", "user", CpuMicros, Less)
            }
            Metric::CpuPerPost => {
                ("cpu_per_post_us", "server CPU per post", "CPU/post", CpuMicros, Less)
            }
            Metric::EntryBytes => ("entry_bytes", "an entry as sent", "entry", Bytes, Neither),
            Metric::HandshakesPerSecond => {
                ("handshakes_per_s", "handshakes", "handshakes/s", PerSecond, More)
            }
            Metric::CpuPerHandshake => (
                "cpu_per_handshake_us",
                "server CPU per handshake",
                "CPU/handshake",
                CpuMicros,
                Less,
            ),
            Metric::UserCpuPerHandshake => {
                ("cpu_user_per_handshake_us", "of it in user space", "user", CpuMicros, Less)
            }
            Metric::HandshakeP50 => {
                ("handshake_p50_us", "time to open, p50", "open p50", Micros, Less)
            }
            Metric::HandshakeP99 => {
                ("handshake_p99_us", "time to open, p99", "open p99", Micros, Less)
            }
            Metric::HandshakeMax => {
                ("handshake_max_us", "time to open, max", "open max", Micros, Less)
            }
            Metric::PssPerConnection => {
                ("pss_per_connection_bytes", "memory per connection, Pss", "Pss/conn", Bytes, Less)
            }
            Metric::RssPerConnection => {
                ("rss_per_connection_bytes", "memory per connection, Rss", "Rss/conn", Bytes, Less)
            }
            Metric::PrivateDirtyPerConnection => (
                "private_dirty_per_connection_bytes",
                "memory per connection, private dirty",
                "dirty/conn",
                Bytes,
                Less,
            ),
            Metric::HoldingCpu => (
                "holding_cpu_percent",
                "server CPU while all are quiet",
                "CPU quiet",
                Percent,
                Less,
            ),
            Metric::RestartSeconds => {
                ("restart_s", "until the server listens again", "restart", Seconds, Less)
            }
            Metric::AllBackSeconds => {
                ("all_back_s", "until all are back", "all back", Seconds, Less)
            }
            Metric::BackP50 => ("back_p50_us", "until one is back, p50", "back p50", Micros, Less),
            Metric::BackP99 => ("back_p99_us", "until one is back, p99", "back p99", Micros, Less),
            Metric::FailedAttempts => {
                ("failed_attempts", "attempts that failed", "failed", Count, Less)
            }
            Metric::ServerCpu => {
                ("server_cpu_percent", "server CPU", "server CPU", Percent, Neither)
            }
            Metric::ServerWait => (
                "server_wait_percent",
                "time the server waited for a processor",
                "CPU wait",
                Percent,
                Neither,
            ),
            Metric::LoadCpu => {
                ("load_cpu_percent", "CPU of the load itself", "load CPU", Percent, Neither)
            }
            Metric::SendLagP99 => {
                ("send_lag_p99_us", "lateness of the load itself, p99", "lag p99", Micros, Neither)
            }
        };
        Style { key, title, short, unit, better }
    }
}

/// The figures of one measurement.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures(BTreeMap<Metric, f64>);

impl Figures {
    pub(super) fn set(&mut self, metric: Metric, value: f64) {
        if value.is_finite() {
            self.0.insert(metric, value);
        }
    }

    /// Enters a figure that could be had.
    pub(super) fn set_some(&mut self, metric: Metric, value: Option<f64>) {
        if let Some(value) = value {
            self.set(metric, value);
        }
    }

    /// Enters quantiles of a histogram of nanoseconds, in microseconds. An empty one has none.
    pub(super) fn set_quantiles(&mut self, histogram: &Histogram<u64>, which: &[(Metric, f64)]) {
        for (metric, quantile) in which {
            if !histogram.is_empty() {
                self.set(*metric, quantile_us(histogram, *quantile));
            }
        }
    }

    pub(super) fn find(&self, metric: Metric) -> Option<f64> {
        self.0.get(&metric).copied()
    }

    pub(super) fn metrics(&self) -> impl Iterator<Item = Metric> {
        self.0.keys().copied()
    }
}

pub(super) fn quantile_us(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    let nanos = match quantile {
        1.0 => histogram.max(),
        quantile => histogram.value_at_quantile(quantile),
    };
    nanos as f64 / 1000.0
}

/// The middle one; of an even number, the mean of the two in the middle.
pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0]), Some(3.0));
        assert_eq!(median([9.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median([1.0, 100.0, 3.0, 2.0]), Some(2.5));
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut histogram = Histogram::new_with_bounds(1, 1_000_000_000, 3).unwrap();
        for value in 1..=1000_u64 {
            histogram.record(value * 1000).unwrap();
        }
        for (quantile, us) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let found = quantile_us(&histogram, quantile);
            assert!((found - us).abs() <= us * 0.001, "{quantile}: {found}");
        }
        let mut figures = Figures::default();
        figures.set_quantiles(&Histogram::new(3).unwrap(), &[(Metric::LatencyP50, 0.5)]);
        assert_eq!(figures.find(Metric::LatencyP50), None, "nothing was measured");
    }
}
