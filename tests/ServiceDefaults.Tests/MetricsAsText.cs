using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Assay.ServiceDefaults.Tests;

public sealed partial class MetricsAsText
{
    [Fact]
    public void Should_follow_the_text_format_and_hold_the_values()
    {
        using var meter = new Meter("Assay.Test.Metrics");
        using var exporter = new PrometheusText();
        using var provider = Sdk.CreateMeterProviderBuilder().AddMeter(meter.Name).AddReader(new BaseExportingMetricReader(exporter)).Build();
        meter.CreateCounter<long>("assay.calls", description: "calls\nby outcome").Add(3, new KeyValuePair<string, object?>("engine", "a\"b\\c\nd"), new("outcome", "answered"));
        var histogram = meter.CreateHistogram<double>("assay.call.duration", "s");
        histogram.Record(0.5);
        histogram.Record(7);
        meter.CreateObservableGauge("assay.outbox.pending", () => 4L);
        meter.CreateUpDownCounter<long>("assay.audits").Add(2);

        var text = exporter.Read();

        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            (Sample().IsMatch(line) || Comment().IsMatch(line)).ShouldBeTrue(line);
        text.ShouldContain("assay_calls_total{engine=\"a\\\"b\\\\c\\nd\",outcome=\"answered\"} 3\n");
        text.ShouldContain("assay_call_duration_bucket{le=\"+Inf\"} 2\n");
        text.ShouldContain("assay_call_duration_sum 7.5\n");
        text.ShouldContain("# TYPE assay_outbox_pending gauge\nassay_outbox_pending 4\n");
        text.ShouldContain("# TYPE assay_audits gauge\nassay_audits 2\n");
    }

    [GeneratedRegex("""^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*")*\})? (NaN|\+Inf|-Inf|[-+0-9.eE]+)$""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Sample();

    [GeneratedRegex("""^# (HELP [a-zA-Z_:][a-zA-Z0-9_:]* .*|TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge|histogram))$""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Comment();
}
