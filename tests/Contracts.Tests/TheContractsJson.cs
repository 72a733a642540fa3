using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Assay.Contracts.Internal;

namespace Assay.Contracts.Tests;

public sealed class TheContractsJson
{
    static readonly Guid AuditId = Guid.Parse("7b0c7d0e-5a52-4c0e-9f55-0d6f6a1c2b3d");
    static readonly DateTime At = new(2026, 11, 1, 12, 30, 0, DateTimeKind.Utc);

    public static TheoryData<string, object> Messages => new()
    {
        {
            "RequestAudit", new RequestAudit
            {
                AuditId = AuditId,
                Brand = new Brand { Name = "Anker", Domain = "anker.com", Aliases = ["Soundcore"], Industry = "consumer electronics", Features = ["fast charging"] },
                Competitors = [new Competitor { Name = "Sony", Domain = "sony.com" }],
                Queries = ["best earbuds for working out"],
                Engines = ["chatgpt", "claude"],
                CeilingUsd = 5.00m,
                RequestedBy = "golden",
            }
        },
        { "CancelAudit", new CancelAudit { AuditId = AuditId, Reason = "wrong brand", RequestedBy = "golden" } },
        { "RetryAudit", new RetryAudit { AuditId = AuditId, FromAttempt = 1, Reason = "provider is back", CeilingUsd = 7.5m, AskInDoubtAgain = true } },
        { "AuditAccepted", new AuditAccepted { AuditId = AuditId, Attempt = 1, TrackingId = AuditId, Depth = 0, PlannedCalls = 24, WorstCaseUsd = 0.41m, CeilingUsd = 5m, AcceptedAt = At, DeadlineAt = At.AddMinutes(30) } },
        { "AuditRejected", new AuditRejected { AuditId = AuditId, Reason = RejectionReasons.AlreadyRunning, Detail = "Audit … is asking.", ExistingAuditId = Guid.Empty, RejectedAt = At } },
        { "AuditProgressed", new AuditProgressed { AuditId = AuditId, Attempt = 1, Phase = AuditStates.Asking, CompletedCalls = 12, PlannedCalls = 24, Fraction = 0.5, SpentUsd = 0.1m, CeilingUsd = 5m, LastProgressAt = At, WaitingFor = "requests per minute of chatgpt", Worker = "gateway-1" } },
        {
            "AuditCompleted", new AuditCompleted
            {
                AuditId = AuditId, Attempt = 1, Brand = "Anker", MetricsVersion = "metrics-v1", Coverage = 0.95, Simulated = false, SpentUsd = 0.2m, CompletedAt = At,
                Scores = new Dictionary<string, ScoreValue>(StringComparer.Ordinal) { ["visibility"] = new() { Value = 0.42, Low = 0.31, High = 0.53, N = 24 }, ["citationRate"] = new() },
            }
        },
        { "AuditFailed", new AuditFailed { AuditId = AuditId, Attempt = 2, Reason = FailureReasons.Stalled, Detail = "No progress for 00:05:00 in Asking.", Phase = AuditStates.Asking, SpentUsd = 0.2m, FailedAt = At } },
        { "AuditCancelled", new AuditCancelled { AuditId = AuditId, Attempt = 1, Reason = "wrong brand", Phase = AuditStates.Planning, SpentUsd = 0m, CancelledAt = At } },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void Should_be_the_approved_json_and_read_back_the_same(string name, object message)
    {
        var json = JsonSerializer.Serialize(message, message.GetType(), AssayJson.Indented) + "\n";

        json.ShouldBeApprovedAs(name + ".json");
        var again = JsonSerializer.Deserialize(json, message.GetType(), AssayJson.Options);
        JsonSerializer.Serialize(again, message.GetType(), AssayJson.Indented).ShouldBe(json.TrimEnd());
    }

    [Theory]
    [MemberData(nameof(Released))]
    public void Should_read_what_a_released_version_wrote(string release, string name)
    {
        var envelope = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(ReleasedFolder, release, $"{name}.json")));
        var type = typeof(RequestAudit).Assembly.GetType($"Assay.Contracts.{name}");
        envelope.GetProperty("messageType")[0].GetString().ShouldBe($"urn:message:Assay.Contracts:{name}");

        // A property that today's type does not know would be lost without a word; here it throws. On the wire decimals are strings.
        var strict = new JsonSerializerOptions(AssayJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, NumberHandling = JsonNumberHandling.AllowReadingFromString };
        envelope.GetProperty("message").Deserialize(type.ShouldNotBeNull(), strict).ShouldNotBeNull();
    }

    public static TheoryData<string, string> Released
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var file in Directory.GetFiles(ReleasedFolder, "*.json", SearchOption.AllDirectories))
                data.Add(Path.GetFileName(Path.GetDirectoryName(file)!), Path.GetFileNameWithoutExtension(file));
            return data;
        }
    }

    static string ReleasedFolder { get; } = FolderBeside();

    static string FolderBeside([CallerFilePath] string file = "") => Path.Combine(Path.GetDirectoryName(file)!, "Released");
}
