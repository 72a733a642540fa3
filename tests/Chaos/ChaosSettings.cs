using System.Globalization;

namespace Assay.Chaos;

/// <summary>The time constants and settings under which a profile runs. Promises do not change with them; how long a seed takes does.</summary>
public sealed record ChaosSettings
{
    public required TimeSpan Deadline { get; init; }
    public required TimeSpan Stall { get; init; }
    public required TimeSpan Lease { get; init; }

    /// <summary>How long a call may take.</summary>
    public required TimeSpan CallTimeout { get; init; }

    public required string Redelivery { get; init; }

    /// <summary>Calls of one engine on the wire at most, over all gateways.</summary>
    public required int Concurrency { get; init; }

    public required int ProviderLatencyMs { get; init; }

    /// <summary>Three nodes instead of one.</summary>
    public bool BrokerCluster { get; init; }

    /// <summary>A disk of its own for the database, so that it can be full.</summary>
    public int? DatabaseDiskMegabytes { get; init; }

    /// <summary>Planning and insights are simulated too: nothing costs money.</summary>
    public bool Simulated { get; init; }

    /// <summary>The size of the crowd, and the instances of each service in every profile.</summary>
    public Crowd Crowd { get; init; } = Crowd.Whole;

    /// <summary>Instances of the gateway, if not as many as of the others. One that is alone owns what it is asked from the start; several claim.</summary>
    public int? Gateways { get; init; }

    public int InstancesOf(string service) => service == "LlmGateway" && Gateways is { } gateways ? gateways : Crowd.Instances;

    /// <summary>How often the audits are looked at. Looking must not be most of what the database does.</summary>
    public TimeSpan Look { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>The promise P1: live for longer than this after the later of deadline and last fault is stuck.</summary>
    public TimeSpan StuckAfter { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Engines of the workload: <c>fake</c> and <c>advisor</c> cost money at the fake provider.</summary>
    public static readonly IReadOnlyList<string> PaidEngines = ["fake", "advisor"];

    public static ChaosSettings Of(Profile profile, Crowd? crowd = null) => profile switch
    {
        Profile.Short => new()
        {
            Deadline = TimeSpan.FromSeconds(45), Stall = TimeSpan.FromSeconds(30), Lease = TimeSpan.FromSeconds(10), CallTimeout = TimeSpan.FromSeconds(3),
            Redelivery = "00:00:01,00:00:02,00:00:04", Concurrency = 16, ProviderLatencyMs = 100,
        },
        Profile.Long => new()
        {
            Deadline = TimeSpan.FromSeconds(90), Stall = TimeSpan.FromSeconds(45), Lease = TimeSpan.FromSeconds(30), CallTimeout = TimeSpan.FromSeconds(5),
            Redelivery = "00:00:02,00:00:08,00:00:20", Concurrency = 16, ProviderLatencyMs = 150, BrokerCluster = true, DatabaseDiskMegabytes = 1024,
        },
        Profile.Matrix => new()
        {
            Deadline = TimeSpan.FromSeconds(150), Stall = TimeSpan.FromSeconds(60), Lease = TimeSpan.FromSeconds(10), CallTimeout = TimeSpan.FromSeconds(5),
            Redelivery = "00:00:02,00:00:08,00:00:20", Concurrency = 64, ProviderLatencyMs = 200,
        },
        // As in production: a thousand audits wait for one another, and it is to be seen whether they get through, not whether they are cut off.
        Profile.Crowd => new()
        {
            Deadline = TimeSpan.FromMinutes(30), Stall = TimeSpan.FromMinutes(5), Lease = TimeSpan.FromSeconds(10), CallTimeout = TimeSpan.FromSeconds(5),
            Redelivery = "00:00:02,00:00:10,00:00:30", Concurrency = 64, ProviderLatencyMs = 20, Simulated = true,
            Crowd = crowd ?? Crowd.Whole, Look = TimeSpan.FromSeconds(1),
        },
        _ => throw new ArgumentOutOfRangeException(nameof(profile), profile, "Unknown profile."),
    };

    /// <summary>The services' settings in environment form.</summary>
    public Dictionary<string, string> ForServices()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["AuditSaga__StallTimeout"] = Text(Stall),
            ["AuditSaga__Freshness"] = "00:00:00",
            ["AuditSaga__BatchSize"] = "6",
            ["AuditSaga__WatchInterval"] = "00:00:01",
            ["AuditSaga__WatchGrace"] = "00:00:02",
            ["Messaging__Redelivery"] = Redelivery,
            ["LlmGateway__Lease"] = Text(Lease),
            ["LlmGateway__SweepInterval"] = "00:00:00.500",
            ["LlmGateway__PollInterval"] = "00:00:00.300",
            ["LlmGateway__DrainTimeout"] = "00:00:10",
            ["LlmGateway__CloseAfterDeadline"] = "00:00:15",
            ["LlmGateway__FirstBackoff"] = "00:00:00.100",
            ["LlmGateway__LongestBackoff"] = "00:00:01",
            ["LlmGateway__LongestSignInterval"] = Text(Stall / 4),
            ["LlmGateway__BreakerBreakDuration"] = "00:00:01",
            ["LlmGateway__DailyCeilingUsd"] = "10000",
            // What is counted is doubt and duplicates under faults, not pace: a storm of failures must not halt the run.
            ["LlmGateway__BurnRateMultiple"] = "1000",
            ["Engines__simulated__Kind"] = "scripted",
            ["Logging__LogLevel__Default"] = "Information",
            // Killed processes start cold again and again; instrumenting them for a steady state they never reach costs more than it gives.
            ["DOTNET_TieredPGO"] = "0",
        };
        return settings;
    }

    /// <summary>The paid engines, reached over a gateway's own link to the provider.</summary>
    public IEnumerable<(string Key, string Value)> ForGateway(int providerPort) => Simulated ? [("Engines__advisor__Kind", "scripted")] : PaidEngines.SelectMany(engine => new[]
    {
        ($"Engines__{engine}__Kind", "openai"),
        ($"Engines__{engine}__BaseUrl", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{providerPort}/v1")),
        ($"Engines__{engine}__Model", "fake-1"),
        ($"Engines__{engine}__ApiKey", "none"),
        ($"Engines__{engine}__InputUsdPerMTok", "2.5"),
        ($"Engines__{engine}__OutputUsdPerMTok", "10"),
        ($"Engines__{engine}__MaxOutputTokens", "400"),
        ($"Engines__{engine}__MaxConcurrency", Concurrency.ToString(CultureInfo.InvariantCulture)),
        ($"Engines__{engine}__Timeout", Text(CallTimeout)),
    });

    static string Text(TimeSpan time) => time.ToString("c", CultureInfo.InvariantCulture);
}
