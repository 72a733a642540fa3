namespace Assay.LlmGateway;

/// <summary>Settings of the gateway (section <c>LlmGateway</c>).</summary>
public sealed class LlmGatewayOptions
{
    /// <summary>The most that all audits together may cost in a UTC day, in US dollars.</summary>
    public decimal DailyCeilingUsd { get; set; } = 25;

    /// <summary>How long an instance is believed to live without a sign.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often dead owners, waiting budgets and overdue calls are looked for.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The fallback when no signal came: how often a pump looks for calls.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// The longest time between two signs of life of one open batch. Signs come every second while few batches are open and seldom enough
    /// for 25 a second in all when many are, but never further apart than this; keep it well below <c>AuditSaga__StallTimeout</c>.
    /// </summary>
    public TimeSpan LongestSignInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a graceful stop waits for calls on the wire.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long after the deadline the gateway itself closes a budget that nobody closed.</summary>
    public TimeSpan CloseAfterDeadline { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>First pause before a try that was not billed is repeated; doubles with each try.</summary>
    public TimeSpan FirstBackoff { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest such pause.</summary>
    public TimeSpan LongestBackoff { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Share of failed tries from which an engine's breaker opens.</summary>
    public double BreakerFailureRatio { get; set; } = 0.5;

    /// <summary>Tries in the sampling window below which the breaker never opens.</summary>
    public int BreakerMinimumThroughput { get; set; } = 20;

    /// <summary>The time over which the breaker counts tries.</summary>
    public TimeSpan BreakerSamplingDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an open breaker lets nothing through.</summary>
    public TimeSpan BreakerBreakDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Bound in bytes for a query that is not planned yet, in quotes.</summary>
    public int PlannedQueryBytes { get; set; } = 600;

    /// <summary>Bound in bytes for the prompt that plans a panel, in quotes.</summary>
    public int PlanPromptBytes { get; set; } = 8_000;

    /// <summary>Bound in bytes for one insight prompt, in quotes.</summary>
    public int InsightPromptBytes { get; set; } = 12_000;

    /// <summary>Bound in bytes for the prompt that judges one answer, in quotes.</summary>
    public int JudgePromptBytes { get; set; } = 12_000;

    /// <summary>Answers of an audit that the advisor judges at most; from the Analyzer's own settings (<c>Analyzer__Judge__Enabled</c>, <c>Analyzer__Judge__Answers</c>) where the gateway sees them too.</summary>
    public int JudgedAnswers { get; set; }

    /// <summary>Output tokens a typical answer has, for expected costs where the ledger has no experience yet.</summary>
    public int TypicalOutputTokens { get; set; } = 450;

    /// <summary>
    /// Spending in one minute above this multiple of what all plans at work in that minute may cost at worst halts everything. Plans cannot
    /// cost that much that fast, whatever their pace: something is asking what nobody planned.
    /// </summary>
    public double BurnRateMultiple { get; set; } = 2;
}
