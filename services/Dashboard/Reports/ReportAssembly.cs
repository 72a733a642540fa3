using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Database;

namespace Assay.Dashboard.Reports;

/// <summary>What the read model holds about one audit, before it becomes a report.</summary>
sealed record ReportSource
{
    public required AuditRow Audit { get; init; }
    public required RequestAudit? Request { get; init; }
    public required QueriesPlanned? Panel { get; init; }
    public required AuditScored? Score { get; init; }

    /// <summary>Whether the score covers only what was answered until the audit ended.</summary>
    public bool Partial { get; init; }

    public string? PartialUnavailable { get; init; }
    public required IReadOnlyList<InsightsDrafted> Layers { get; init; }
    public AnswersJudged? Judged { get; init; }
    public required IReadOnlyList<SourceAnswer> Answers { get; init; }
    public required IReadOnlyList<TransitionRow> Transitions { get; init; }
    public required IReadOnlyDictionary<string, AnswerText> Texts { get; init; }
}

sealed record SourceAnswer(string Engine, bool Simulated, DescribedAnswer Answer);

/// <summary>Turns what is known about an audit into its report. Pure.</summary>
static class ReportAssembly
{
    static readonly Dictionary<string, ScoreValue> NoScores = new(StringComparer.Ordinal);

    public static Report Assemble(ReportSource source, DateTime now)
    {
        var audit = source.Audit;
        var request = source.Request;
        var over = ReadStates.IsOver(audit.Status);
        var opinions = (source.Judged?.Opinions ?? []).ToDictionary(opinion => opinion.CallKey, StringComparer.Ordinal);
        var answers = source.Answers.Select(answer => Describe(answer, source.Texts, opinions)).ToList();
        if (over)
            answers.AddRange(Undecided(source, answers));
        answers = [.. answers.OrderBy(a => a.QueryId, StringComparer.Ordinal).ThenBy(a => a.Engine, StringComparer.Ordinal).ThenBy(a => a.Run)];

        // Scores of an attempt that never got there are not shown as if they were this attempt's.
        var score = source.Score;
        return new Report
        {
            AuditId = audit.AuditId,
            Status = audit.Status,
            Attempt = Math.Max(audit.Attempt, 1),
            Failure = FailureOf(audit),
            Brand = BrandOf(audit, request),
            MetricsVersion = score?.MetricsVersion ?? audit.MetricsVersion,
            Simulated = audit.Simulated || answers.Any(a => a.Simulated),
            Provisional = !over,
            Partial = source.Partial,
            ScoresUnavailable = source.PartialUnavailable,
            GeneratedAt = now,
            StartedAt = audit.RegisteredAt ?? audit.CreatedAt,
            EndedAt = audit.EndedAt,
            Coverage = CountCoverage(answers),
            Scores = score?.Scores ?? NoScores,
            Engines = [.. EngineNames(source).Select(engine => DescribeEngine(engine, answers, score))],
            Categories = score?.Categories ?? [],
            Competitors = score?.Competitors ?? [.. (request?.Competitors ?? []).Select(Unscored)],
            Queries = QueriesOf(source, answers),
            Answers = answers,
            Insights = [.. source.Layers.OrderBy(layer => layer.Layer).SelectMany(layer => layer.Insights)],
            InsightsSimulated = source.Layers.Any(layer => layer.Simulated),
            Recommendations = [.. source.Layers.OrderBy(layer => layer.Layer).SelectMany(layer => layer.Recommendations)],
            Judge = source.Judged is { } judged ? JudgeOf(judged) : null,
            Names = source.Panel?.Names ?? [],
            Spend = SpendOf(audit, answers),
            Lineage = new ReportLineage(audit.TrackingId ?? audit.AuditId, AuditJson.Ancestry(audit), audit.Depth, audit.ParentAuditId),
            Transitions = [.. source.Transitions.OrderBy(t => t.Sequence).Select(t => new ReportTransition(t.Sequence, t.Attempt, t.FromState, t.ToState, t.Trigger, t.Worker, t.At, t.ElapsedMs))],
            Request = request,
        };
    }

    static ReportJudge JudgeOf(AnswersJudged judged) => new()
    {
        Simulated = judged.Simulated, Asked = judged.Asked, Judged = judged.Judged,
        RecommendationKappa = judged.RecommendationAgreement ?? new ScoreValue { Value = judged.RecommendationKappa, N = judged.Judged },
        SentimentKappa = judged.SentimentAgreement ?? new ScoreValue { Value = judged.SentimentKappa, N = judged.Judged },
        FeaturesAgree = judged.FeaturesAgree, SpentUsd = MicroUsd.ToUsd(judged.SpentMicroUsd), Disagreements = judged.Disagreements,
    };

    static ReportFailure? FailureOf(AuditRow audit) => audit.Status switch
    {
        AuditStates.Failed or AuditStates.Cancelled => new ReportFailure(audit.FailureReason ?? audit.Status, audit.FailureDetail, audit.EndedPhase),
        AuditStates.Rejected => new ReportFailure(audit.RejectionReason ?? audit.Status, audit.RejectionDetail, AuditStates.Admitting),
        _ => null,
    };

    static ReportBrand BrandOf(AuditRow audit, RequestAudit? request) => request is null
        ? new ReportBrand(audit.Brand ?? "", null, [], null, [], audit.Kind ?? AuditKinds.Brand)
        : new ReportBrand(request.Brand.Name, request.Brand.Domain, request.Brand.Aliases ?? [], request.Brand.Industry, request.Brand.Features ?? [], request.Kind);

    static ReportAnswer Describe(SourceAnswer source, IReadOnlyDictionary<string, AnswerText> texts, Dictionary<string, JudgeOpinion> opinions)
    {
        var answer = source.Answer;
        return new ReportAnswer
        {
            CallKey = answer.CallKey, QueryId = answer.QueryId, Query = answer.Query, Category = answer.Category, Branded = answer.Branded, Control = answer.Control,
            Engine = source.Engine, Simulated = source.Simulated, Outcome = answer.Outcome, Reason = answer.Reason,
            RequestedModel = answer.RequestedModel, ServedModel = answer.ServedModel, Surface = answer.Surface, Run = answer.Run,
            Text = texts.GetValueOrDefault(answer.CallKey)?.Text, TextHash = answer.TextHash,
            ResponseTimeMs = answer.ResponseTimeMs, InputTokens = answer.InputTokens, OutputTokens = answer.OutputTokens,
            CostUsd = MicroUsd.ToUsd(answer.CostMicroUsd), CacheHit = answer.CacheHit, Reused = answer.Reused, PaidTries = answer.PaidTries,
            MatcherVersion = answer.MatcherVersion, Mentions = answer.Mentions, Features = answer.Features, OtherBrands = answer.OtherBrands,
            SnippetPotential = answer.SnippetPotential, VoiceFitness = answer.VoiceFitness, Citations = answer.Citations,
            Ignored = answer.Ignored, ContextQuality = answer.ContextQuality, Language = answer.Language, Judge = opinions.GetValueOrDefault(answer.CallKey),
        };
    }

    /// <summary>
    /// Planned calls of an ended audit that no batch has told about: closed with the audit, except as many as the ledger says are in doubt
    /// or still on the wire.
    /// </summary>
    static IEnumerable<ReportAnswer> Undecided(ReportSource source, List<ReportAnswer> decided)
    {
        var known = decided.Select(a => (a.QueryId, a.Engine, a.Run)).ToHashSet();
        var missing = PlannedCalls(source).Where(call => !known.Contains((call.Query.QueryId, call.Engine, call.Run))).ToList();
        var onTheWire = OnTheWire(source.Audit, decided, missing.Count);
        return missing.Select((call, i) => new ReportAnswer
        {
            QueryId = call.Query.QueryId, Query = call.Query.Text, Category = call.Query.Category, Branded = call.Query.Branded, Control = call.Query.Control,
            Engine = call.Engine, Simulated = false, Run = call.Run,
            Outcome = i < onTheWire ? "inDoubt" : "declined",
            Reason = i < onTheWire ? "Sending" : CallReasons.AuditClosed,
            CostUsd = 0, CacheHit = false, Reused = false, PaidTries = 0,
            Mentions = [], Features = [], OtherBrands = [], SnippetPotential = 0, VoiceFitness = 0, Citations = [],
        });
    }

    static int OnTheWire(AuditRow audit, List<ReportAnswer> decided, int missing)
    {
        var doubtful = Math.Max(0, audit.InDoubt - decided.Count(a => a.Outcome == "inDoubt"));
        if (!audit.IsSettled && audit.ReservedMicroUsd > 0 && audit.PlannedCalls > 0)
        {
            // After the budget is closed only calls on the wire keep a reservation: its size tells how many there are.
            var perCall = Math.Max(1, audit.WorstCaseMicroUsd / audit.PlannedCalls);
            doubtful += (int)Math.Max(1, audit.ReservedMicroUsd / perCall);
        }

        return Math.Min(doubtful, missing);
    }

    static IEnumerable<(PlannedQuery Query, string Engine, int Run)> PlannedCalls(ReportSource source)
    {
        if (source.Request is not { } request)
            return [];
        return from query in PlannedQueries(source)
               from engine in request.Engines
               from run in Enumerable.Range(1, request.Runs)
               select (query, engine, run);
    }

    /// <summary>The panel as planned; before it was planned, the given queries, so that a refused or early failed audit still counts what was meant.</summary>
    static IReadOnlyList<PlannedQuery> PlannedQueries(ReportSource source)
    {
        if (source.Panel is { } panel)
            return panel.Queries;
        return source.Audit.AcceptedAttempt == 0
            ? []
            : [.. (source.Request?.Queries ?? []).Distinct(StringComparer.Ordinal).Select((text, i) => new PlannedQuery { QueryId = $"q{i + 1:000}", Text = text, Category = "given", Branded = false, Control = false })];
    }

    static CoverageCounts CountCoverage(IReadOnlyCollection<ReportAnswer> answers) => new()
    {
        Planned = answers.Count,
        Valid = answers.Count(a => a.Outcome == "valid"),
        Declined = answers.Count(a => a.Outcome == "declined"),
        Refused = answers.Count(a => a.Outcome == "refused"),
        Empty = answers.Count(a => a.Outcome == "empty"),
        InDoubt = answers.Count(a => a.Outcome == "inDoubt"),
        Reused = answers.Count(a => a is { Outcome: "valid", Reused: true }),
        Reasons = answers.Where(a => a.Reason is not null).GroupBy(a => a.Reason!, StringComparer.Ordinal)
            .OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count(), StringComparer.Ordinal),
    };

    static IEnumerable<string> EngineNames(ReportSource source) =>
        (source.Request?.Engines ?? []).Concat(source.Answers.Select(a => a.Engine)).Distinct(StringComparer.Ordinal);

    static ReportEngine DescribeEngine(string name, List<ReportAnswer> answers, AuditScored? score)
    {
        var scored = score?.Engines.FirstOrDefault(engine => engine.Name == name);
        var own = answers.Where(a => a.Engine == name).ToList();
        return new ReportEngine
        {
            Name = name,
            Model = scored?.Model ?? own.Select(a => a.ServedModel ?? a.RequestedModel).FirstOrDefault(model => model is not null),
            Simulated = scored?.Simulated ?? own.Any(a => a.Simulated),
            Coverage = CountCoverage(own),
            Scores = scored?.Scores ?? NoScores,
        };
    }

    static CompetitorScores Unscored(Competitor competitor) => new() { Name = competitor.Name, Scores = NoScores, Difference = new ScoreValue(), Detectable = false };

    static List<ReportQuery> QueriesOf(ReportSource source, List<ReportAnswer> answers)
    {
        var scored = (source.Score?.Queries ?? []).ToDictionary(query => query.QueryId, StringComparer.Ordinal);
        var planned = PlannedQueries(source).Select(q => (q.QueryId, q.Text, q.Category, q.Branded, q.Control))
            .Concat(answers.Select(a => (a.QueryId, Text: a.Query, a.Category, a.Branded, a.Control)))
            .DistinctBy(q => q.QueryId, StringComparer.Ordinal);
        var brand = source.Request?.Brand.Name ?? source.Audit.Brand;
        return [.. planned.Select(q =>
        {
            if (scored.TryGetValue(q.QueryId, out var s))
                return new ReportQuery { QueryId = q.QueryId, Query = s.Query, Category = s.Category, Branded = s.Branded, Control = q.Control, ValidAnswers = s.ValidAnswers, Mentions = s.Mentions, Visibility = s.Visibility };
            var valid = answers.Where(a => a.QueryId == q.QueryId && a.Outcome == "valid").ToList();
            var mentions = valid.Count(a => a.Mentions.Any(m => m.Brand == brand));
            return new ReportQuery
            {
                QueryId = q.QueryId, Query = q.Text, Category = q.Category, Branded = q.Branded, Control = q.Control, ValidAnswers = valid.Count, Mentions = mentions,
                Visibility = Wilson.Of(mentions, valid.Count),
            };
        })];
    }

    static ReportSpend SpendOf(AuditRow audit, List<ReportAnswer> answers) => new()
    {
        CeilingUsd = MicroUsd.ToUsd(audit.CeilingMicroUsd),
        ReservedUsd = MicroUsd.ToUsd(audit.ReservedMicroUsd),
        SpentUsd = MicroUsd.ToUsd(audit.SpentMicroUsd),
        InDoubtUsd = MicroUsd.ToUsd(audit.InDoubtMicroUsd),
        OverrunUsd = MicroUsd.ToUsd(audit.OverrunMicroUsd),
        // The ledger counts advisor calls too; without its word the panel's own calls are what is known.
        Calls = audit.BudgetVersion > 0 ? audit.Calls : answers.Count(a => a.PaidTries > 0),
        PaidTries = audit.BudgetVersion > 0 ? audit.PaidTries : answers.Sum(a => a.PaidTries),
        InDoubt = audit.BudgetVersion > 0 ? audit.InDoubt : answers.Count(a => a.Outcome == "inDoubt"),
        Reused = audit.BudgetVersion > 0 ? audit.Reused : answers.Count(a => a.Reused),
        Final = audit.IsSettled,
    };
}

/// <summary>The 95 % interval of a plain proportion.</summary>
static class Wilson
{
    const double Z = 1.959963984540054;

    public static ScoreValue Of(int successes, int n)
    {
        if (n == 0)
            return new ScoreValue();
        double p = (double)successes / n, z2 = Z * Z;
        var centre = (p + (z2 / (2 * n))) / (1 + (z2 / n));
        var half = Z / (1 + (z2 / n)) * Math.Sqrt((p * (1 - p) / n) + (z2 / (4.0 * n * n)));
        return new ScoreValue { Value = p, Low = Math.Max(0, centre - half), High = Math.Min(1, centre + half), N = n };
    }
}
