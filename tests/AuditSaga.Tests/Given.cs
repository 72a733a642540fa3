using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;

namespace Assay.AuditSaga.Tests;

/// <summary>Messages as the other services would send them.</summary>
static class Given
{
    public static RequestAudit Request(string brand = "Anker", Guid? id = null) => new()
    {
        AuditId = id ?? Guid.NewGuid(),
        Brand = new Brand { Name = brand, Domain = $"{brand.ToLowerInvariant()}.com", Aliases = ["Soundcore"] },
        Competitors = [new Competitor { Name = "Sony", Domain = "sony.com" }, new Competitor { Name = "JBL", Domain = "jbl.com" }],
        Queries = ["best earbuds", "best headphones", "earbuds for running"],
        Engines = ["chatgpt", "claude"],
        CeilingUsd = 5,
    };

    public static BudgetOpened Opened(Guid auditId, int attempt = 1, string model = "m1", params string[] engines) => new()
    {
        AuditId = auditId,
        Attempt = attempt,
        Pins = [.. (engines.Length == 0 ? ["chatgpt", "claude", "advisor"] : engines).Select(engine => new EnginePin { Engine = engine, Kind = "scripted", Model = model, Simulated = true, ParametersHash = $"{engine}-{model}" })],
        PlannedCalls = 28,
        WorstCaseMicroUsd = 1_000_000,
        AllocatedMicroUsd = 1_000_000,
        LedgerSequence = 7,
    };

    public static BudgetRefused Refused(Guid auditId, int attempt = 1, string reason = RejectionReasons.CeilingTooLow) =>
        new() { AuditId = auditId, Attempt = attempt, Reason = reason, Detail = "The ceiling is too low." };

    public static QueriesPlanned Planned(Guid auditId, int attempt = 1, int queries = 3) => new()
    {
        AuditId = auditId,
        Attempt = attempt,
        PlanId = Guid.NewGuid(),
        Source = "given",
        Queries = [.. Enumerable.Range(1, queries).Select(i => new PlannedQuery { QueryId = $"q{i:000}", Text = $"query {i}", Category = "given", Branded = false, Control = false })],
        SpentMicroUsd = 100,
    };

    public static AnswersAnalyzed Analyzed(AskEngine batch, int? valid = null) => new()
    {
        AuditId = batch.AuditId,
        Attempt = batch.Attempt,
        BatchId = batch.BatchId,
        Engine = batch.Engine,
        Coverage = Coverage(batch.Questions.Count, valid ?? batch.Questions.Count),
        SpentMicroUsd = 1000,
    };

    public static CoverageCounts Coverage(int planned, int valid) => new()
    {
        Planned = planned,
        Valid = valid,
        Declined = planned - valid,
        Refused = 0,
        Empty = 0,
        InDoubt = 0,
        Reused = 0,
        Reasons = planned == valid ? new Dictionary<string, int>(StringComparer.Ordinal) : new(StringComparer.Ordinal) { ["TriesExhausted"] = planned - valid },
    };

    public static AuditScored Scored(Guid auditId, int attempt = 1) => new()
    {
        AuditId = auditId,
        Attempt = attempt,
        ScoreId = Guid.NewGuid(),
        MetricsVersion = "metrics-v1",
        Simulated = true,
        Scores = new Dictionary<string, ScoreValue>(StringComparer.Ordinal) { ["visibility"] = new() { Value = 0.5, Low = 0.3, High = 0.7, N = 6 } },
        Coverage = Coverage(6, 6),
        Engines = [],
        Categories = [],
        Competitors = [],
        Queries = [],
        ScoredAt = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc),
    };

    public static InsightsDrafted Drafted(Guid auditId, int layer, int attempt = 1) =>
        new() { AuditId = auditId, Attempt = attempt, Layer = layer, Simulated = true, Insights = [], Recommendations = [], SpentMicroUsd = 10 };

    public static ReportPublished Published(Guid auditId, int attempt = 1) =>
        new() { AuditId = auditId, Attempt = attempt, PublishedAt = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc) };

    public static BatchAlive Alive(Guid auditId, int attempt = 1, Guid? batch = null, int decided = 0, string? waitingFor = null) => new()
    {
        AuditId = auditId,
        Attempt = attempt,
        BatchId = batch,
        WaitingFor = waitingFor,
        DecidedCalls = decided,
        TotalCalls = 3,
        SpentMicroUsd = 0,
        Worker = "gateway:1",
        At = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc),
    };

    public static BudgetReported Reported(Guid auditId, long version, long spent, int attempt = 1) => new()
    {
        AuditId = auditId,
        Attempt = attempt,
        Version = version,
        CeilingMicroUsd = 5_000_000,
        ReservedMicroUsd = 0,
        SpentMicroUsd = spent,
        InDoubtMicroUsd = 0,
        OverrunMicroUsd = 0,
        Calls = 6,
        PaidTries = 6,
        InDoubt = 0,
        Reused = 0,
        Final = false,
        At = new DateTime(2026, 3, 1, 12, 0, 0, DateTimeKind.Utc),
    };

    public static AnswersErased Erased(Guid auditId) => new() { AuditId = auditId, Answers = 6 };

    public static CancelAudit Cancel(Guid auditId) => new() { AuditId = auditId, Reason = "not needed any more", RequestedBy = "ann" };

    public static RetryAudit Retry(Guid auditId, int fromAttempt = 1) => new() { AuditId = auditId, FromAttempt = fromAttempt, Reason = "mended" };

    public static Fault<T> Fault<T>(T command) where T : class => new FaultOf<T>(command);

    sealed record FaultOf<T>(T Message) : Fault<T> where T : class
    {
        public Guid FaultId { get; } = Guid.NewGuid();
        public Guid? FaultedMessageId => null;
        public DateTime Timestamp => DateTime.UnixEpoch;
        public ExceptionInfo[] Exceptions { get; } = [];
        public HostInfo Host => null!;
        public string[] FaultMessageTypes => [];
    }
}
