using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Assay.ServiceDefaults;

/// <summary>Traces and metrics: over OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, and metrics to read at <c>/metrics</c>.</summary>
public static class AssayTelemetry
{
    static readonly string[] Sources = ["Assay.*", "MassTransit", "Npgsql", "Microsoft.AspNetCore", "System.Net.Http"];
    static readonly string[] Meters = ["Assay.*", "MassTransit", "Npgsql", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "System.Runtime"];

    /// <summary>Starts tracing and metrics for the process under the service's name.</summary>
    public static void AddAssayTelemetry(this IHostApplicationBuilder builder, string serviceName)
    {
        var resource = ResourceBuilder.CreateDefault().AddService(serviceName, serviceVersion: typeof(AssayTelemetry).Assembly.GetName().Version?.ToString(3));
        var endpoint = builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"];
        var exporter = new PrometheusText();
        var meters = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Meters).AddReader(new BaseExportingMetricReader(exporter));
        if (!string.IsNullOrEmpty(endpoint))
        {
            meters.AddReader(new PeriodicExportingMetricReader(new OtlpMetricExporter(new OtlpExporterOptions()), 15_000));
            var tracer = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Sources)
                .AddProcessor(new BatchActivityExportProcessor(new OtlpTraceExporter(new OtlpExporterOptions())));
            if (string.IsNullOrEmpty(builder.Configuration["OTEL_TRACES_SAMPLER"]))
                tracer.SetSampler(new ParentBasedSampler(new WithoutPolling()));
            builder.Services.AddSingleton(new Started(tracer.Build()));
        }

        builder.Services.AddSingleton(exporter);
        builder.Services.AddSingleton(new Started(meters.Build()));
        builder.Services.AddHostedService<Flush>();
    }

    /// <summary>Maps <c>/metrics</c>: open to callers on this machine, to others with the bearer key of the setting <c>Metrics__Key</c>.</summary>
    public static void MapAssayMetrics(this WebApplication app)
    {
        var key = SecretFile.Read("Metrics__Key", app.Configuration["Metrics:Key"], app.Configuration["Metrics:KeyFile"]);
        app.MapGet("/metrics", (HttpContext context, PrometheusText exporter) =>
            IsAllowed(context, key) ? Results.Text(exporter.Read(), "text/plain; version=0.0.4; charset=utf-8") : Results.Unauthorized())
            .ExcludeFromDescription().AllowAnonymous();
    }

    static bool IsAllowed(HttpContext context, string? key)
    {
        if (context.Connection.RemoteIpAddress is not { } caller || IPAddress.IsLoopback(caller))
            return true;
        return key is not null && CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(context.Request.Headers.Authorization.ToString())), SHA256.HashData(Encoding.UTF8.GetBytes($"Bearer {key}")));
    }

    /// <summary>
    /// Drops traces that begin with asking somebody: what looks for work by itself, mostly in a database, would hide the traces of work. What
    /// asks for an audit goes on with the audit's trace.
    /// </summary>
    sealed class WithoutPolling : Sampler
    {
        public override SamplingResult ShouldSample(in SamplingParameters samplingParameters) =>
            new(samplingParameters.Kind == System.Diagnostics.ActivityKind.Client ? SamplingDecision.Drop : SamplingDecision.RecordAndSample);
    }

    /// <summary>A provider to be disposed, and so flushed, with the host.</summary>
    sealed class Started(IDisposable provider) : IDisposable
    {
        public void Dispose() => provider.Dispose();
    }

    /// <summary>Singletons registered as instances are disposed by nobody; this one does it when the host stops.</summary>
    sealed class Flush(IEnumerable<Started> providers) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.Run(() =>
        {
            foreach (var provider in providers)
                provider.Dispose();
        }, cancellationToken);
    }
}
