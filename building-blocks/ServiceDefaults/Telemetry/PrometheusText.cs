using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Assay.ServiceDefaults;

/// <summary>Collects the process's metrics on demand and writes them in the Prometheus text format, version 0.0.4.</summary>
[ExportModes(ExportModes.Pull)]
sealed class PrometheusText : BaseExporter<Metric>, IPullMetricExporter
{
    readonly Lock gate = new();
    string text = "";

    /// <inheritdoc/>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>The metrics of this moment.</summary>
    public string Read()
    {
        lock (gate)
        {
            text = "";
            Collect?.Invoke(5_000);
            return text;
        }
    }

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Metric> batch)
    {
        var output = new StringBuilder();
        foreach (var metric in batch)
            Write(output, metric);
        text = output.ToString();
        return ExportResult.Success;
    }

    static void Write(StringBuilder output, Metric metric)
    {
        var name = NameOf(metric);
        var type = metric.MetricType.IsHistogram() ? "histogram" : metric.MetricType.IsSum() && !IsUpDown(metric) ? "counter" : "gauge";
        if (metric.MetricType == MetricType.ExponentialHistogram)
            return;
        if (metric.Description.Length > 0)
            output.Append("# HELP ").Append(name).Append(' ').Append(metric.Description.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal)).Append('\n');
        output.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            if (type == "histogram")
                WriteHistogram(output, name, point);
            else
                WriteSample(output, name, "", point.Tags, null, metric.MetricType switch
                {
                    MetricType.LongSum or MetricType.LongSumNonMonotonic => point.GetSumLong(),
                    MetricType.DoubleSum or MetricType.DoubleSumNonMonotonic => point.GetSumDouble(),
                    MetricType.LongGauge => point.GetGaugeLastValueLong(),
                    _ => point.GetGaugeLastValueDouble(),
                });
        }
    }

    static void WriteHistogram(StringBuilder output, string name, in MetricPoint point)
    {
        long cumulative = 0;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            cumulative += bucket.BucketCount;
            WriteSample(output, name, "_bucket", point.Tags, double.IsPositiveInfinity(bucket.ExplicitBound) ? "+Inf" : Number(bucket.ExplicitBound), cumulative);
        }

        WriteSample(output, name, "_sum", point.Tags, null, point.GetHistogramSum());
        WriteSample(output, name, "_count", point.Tags, null, point.GetHistogramCount());
    }

    static void WriteSample(StringBuilder output, string name, string suffix, ReadOnlyTagCollection tags, string? le, double value)
    {
        output.Append(name).Append(suffix);
        var separator = '{';
        foreach (var tag in tags)
        {
            output.Append(separator).Append(Sanitise(tag.Key)).Append("=\"").Append(Escape(Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "")).Append('"');
            separator = ',';
        }

        if (le is not null)
        {
            output.Append(separator).Append("le=\"").Append(le).Append('"');
            separator = ',';
        }

        if (separator == ',')
            output.Append('}');
        output.Append(' ').Append(Number(value)).Append('\n');
    }

    static string NameOf(Metric metric)
    {
        var name = Sanitise(metric.Name);
        return metric.MetricType.IsSum() && !IsUpDown(metric) && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    static bool IsUpDown(Metric metric) => metric.MetricType is MetricType.LongSumNonMonotonic or MetricType.DoubleSumNonMonotonic;

    static string Sanitise(string name) =>
        string.Create(name.Length, name, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++)
                span[i] = char.IsAsciiLetter(source[i]) || source[i] == '_' || (i > 0 && char.IsAsciiDigit(source[i])) ? source[i] : '_';
        });

    static string Escape(string value) =>
        value.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);

    static string Number(double value) =>
        double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);
}
