//! What is counted of calls: how many, how long, and what was found.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
};

use super::otlp::{Told, operation, pair, rule, seconds};

/// The bounds in seconds that the conventions name for MCP.
const BOUNDS: [f64; 14] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];

/// And those for what guardrails take, which is less.
const SHORT: [f64; 12] = [
    0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0,
];

/// So many kinds are told apart, as the specification has it; all others are one.
const MOST: usize = 2_000;

/// Whether numbers count from the beginning, or since they were told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temporality {
    Cumulative,
    Delta,
}

/// Counters, by what tells them apart.
pub(super) struct Metrics {
    temporality: Temporality,
    /// Since when they count: nanoseconds since 1970.
    begun: u64,
    calls: BTreeMap<Key, (Vec<KeyValue>, Group)>,
    findings: BTreeMap<Key, (Vec<KeyValue>, u64)>,
    swaps: BTreeMap<Key, (Vec<KeyValue>, u64)>,
}

/// Attributes as something that has an order.
type Key = String;

/// Calls of a kind.
#[derive(Default)]
struct Group {
    all: Spread,
    guardrails: Spread,
}

/// How long something took.
#[derive(Default)]
struct Spread {
    count: u64,
    sum: f64,
    buckets: Vec<u64>,
}

impl Spread {
    fn add(&mut self, value: f64, bounds: &[f64]) {
        self.count += 1;
        self.sum += value;
        self.buckets.resize(bounds.len() + 1, 0);
        let at = bounds.iter().take_while(|bound| value > **bound).count();
        if let Some(bucket) = self.buckets.get_mut(at) {
            *bucket += 1;
        }
    }
}

impl Metrics {
    /// Counts from now on.
    pub(super) fn new(temporality: Temporality, now: u64) -> Self {
        Self {
            temporality,
            begun: now,
            calls: BTreeMap::new(),
            findings: BTreeMap::new(),
            swaps: BTreeMap::new(),
        }
    }

    /// Counts a record.
    pub(super) fn add(&mut self, told: &Told) {
        let call = &told.call;
        if call.kind == "call" {
            let group = counted(&mut self.calls, operation(call));
            group.all.add(seconds(call.duration), &BOUNDS);
            group.guardrails.add(seconds(call.guardrail_time), &SHORT);
        }
        if call.method == "guardrail/swapped" {
            let name = call.subject.clone().unwrap_or_default();
            let of = vec![pair("mcp_gateway.guardrail.name", Any::StringValue(name))];
            *counted(&mut self.swaps, of) += 1;
        }
        for finding in &call.findings {
            let count = counted(&mut self.findings, rule(finding));
            *count += u64::try_from(finding.count).unwrap_or_default();
        }
    }

    /// What was counted, and how many records wait to be sent.
    pub(super) fn told(&self, now: u64, waiting: i64) -> Vec<Metric> {
        let spread = |name: &str, about: &str, bounds: &[f64], get: fn(&Group) -> &Spread| {
            let points = self.calls.values().map(|(of, group)| {
                let Spread {
                    count,
                    sum,
                    buckets,
                } = get(group);
                HistogramDataPoint {
                    attributes: of.clone(),
                    start_time_unix_nano: self.begun,
                    time_unix_nano: now,
                    count: *count,
                    sum: Some(*sum),
                    bucket_counts: buckets.clone(),
                    explicit_bounds: bounds.to_vec(),
                    ..HistogramDataPoint::default()
                }
            });
            let data = Data::Histogram(Histogram {
                data_points: points.collect(),
                aggregation_temporality: self.temporality(),
            });
            metric(name, about, "s", data)
        };
        let sum = |name: &str, about: &str, unit: &str, counts: Vec<(&Vec<KeyValue>, u64)>| {
            let points = counts.into_iter().map(|(of, count)| NumberDataPoint {
                attributes: of.clone(),
                start_time_unix_nano: self.begun,
                time_unix_nano: now,
                value: Some(Value::AsInt(i64::try_from(count).unwrap_or(i64::MAX))),
                ..NumberDataPoint::default()
            });
            let data = Data::Sum(Sum {
                data_points: points.collect(),
                aggregation_temporality: self.temporality(),
                is_monotonic: true,
            });
            metric(name, about, unit, data)
        };
        let calls = self.calls.values().map(|(of, it)| (of, it.all.count));
        let findings = self.findings.values().map(|(of, count)| (of, *count));
        let swaps = self.swaps.values().map(|(of, count)| (of, *count));
        vec![
            sum(
                "mcp_gateway.calls",
                "Calls by what came of them",
                "{call}",
                calls.collect(),
            ),
            sum(
                "mcp_gateway.findings",
                "What guardrails found",
                "{finding}",
                findings.collect(),
            ),
            sum(
                "mcp_gateway.guardrail.swaps",
                "Guardrails that took the place of their former builds",
                "{swap}",
                swaps.collect(),
            ),
            metric(
                "mcp_gateway.audit.queue",
                "Records that wait to be sent",
                "{record}",
                Data::Gauge(Gauge {
                    data_points: vec![NumberDataPoint {
                        time_unix_nano: now,
                        value: Some(Value::AsInt(waiting)),
                        ..NumberDataPoint::default()
                    }],
                }),
            ),
            spread(
                "mcp.client.operation.duration",
                "From a request to its end",
                &BOUNDS,
                |it| &it.all,
            ),
            spread(
                "mcp_gateway.guardrail.duration",
                "What guardrails took of a call",
                &SHORT,
                |it| &it.guardrails,
            ),
        ]
    }

    /// Says that what was counted has arrived.
    pub(super) fn arrived(&mut self, now: u64) {
        if self.temporality == Temporality::Delta {
            *self = Self::new(self.temporality, now);
        }
    }

    fn temporality(&self) -> i32 {
        let temporality = match self.temporality {
            Temporality::Cumulative => AggregationTemporality::Cumulative,
            Temporality::Delta => AggregationTemporality::Delta,
        };
        temporality.into()
    }
}

/// Where such things are counted.
fn counted<T: Default>(all: &mut BTreeMap<Key, (Vec<KeyValue>, T)>, of: Vec<KeyValue>) -> &mut T {
    let key = format!("{of:?}");
    let (key, of) = match all.len() < MOST || all.contains_key(&key) {
        true => (key, of),
        false => (
            Key::new(),
            vec![pair("otel.metric.overflow", Any::BoolValue(true))],
        ),
    };
    let (_, counted) = all.entry(key).or_insert_with(|| (of, T::default()));
    counted
}

fn metric(name: &str, about: &str, unit: &str, data: Data) -> Metric {
    Metric {
        name: name.to_owned(),
        description: about.to_owned(),
        unit: unit.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}
