using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.AuditSaga;
using Assay.Contracts.Internal.Dashboard;
using Assay.Contracts.Internal.LlmGateway;
using Assay.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Assay.Dashboard.Tests.Hosting;

/// <summary>The other services as far as the Dashboard hears them: what they say is scripted by each test.</summary>
sealed class Neighbours : AssayModule
{
    public Dictionary<string, string> Texts { get; } = new(StringComparer.Ordinal);

    /// <summary>The audit whose call is in doubt.</summary>
    public Guid Doubtful { get; set; }

    public bool Halted { get; set; }
    public Dictionary<string, PauseEngine> Paused { get; } = new(StringComparer.Ordinal);
    public Dictionary<string, SetEngineLimits> Limits { get; } = new(StringComparer.Ordinal);
    public List<object> Heard { get; } = [];

    /// <summary>What the saga answers to a request; by default registration and acceptance.</summary>
    public Func<RequestAudit, IEnumerable<object>> OnRequest { get; set; } = request => [Sample.Registered(request.AuditId, request: request), Sample.Accepted(request.AuditId)];

    public Func<RetryAudit, IEnumerable<object>> OnRetry { get; set; } = retry => [Sample.Accepted(retry.AuditId, retry.FromAttempt + 1, 100)];

    /// <summary>What the saga tells of audits when it is asked to compare them, beside an answer without differences.</summary>
    public Func<CheckIntegrity, IEnumerable<object>> OnCompare { get; set; } = _ => [];

    /// <summary>What the analysis tells again of an audit.</summary>
    public Func<Guid, IEnumerable<object>> OnDescribeAgain { get; set; } = _ => [];

    /// <summary>The Analyzer hears nothing and answers nothing.</summary>
    public bool AnalyzerIsDown { get; set; }

    public override string Name => "Neighbours";

    public override void AddServices(IHostApplicationBuilder builder, AssayDatabase database) => builder.Services.AddSingleton(this);

    public override void AddConsumers(IBusRegistrationConfigurator bus)
    {
        bus.AddConsumer<Saga>();
        bus.AddConsumer<Gateway>();
        bus.AddConsumer<Analyzer>();
    }

    void Hear(object message)
    {
        lock (Heard)
            Heard.Add(message);
    }

    public sealed class Saga(Neighbours neighbours) : IConsumer<RequestAudit>, IConsumer<CancelAudit>, IConsumer<RetryAudit>, IConsumer<ReportPublished>, IConsumer<CheckIntegrity>
    {
        public async Task Consume(ConsumeContext<RequestAudit> context)
        {
            neighbours.Hear(context.Message);
            foreach (var answer in neighbours.OnRequest(context.Message))
                await context.Publish(answer, answer.GetType(), context.CancellationToken);
        }

        public async Task Consume(ConsumeContext<CancelAudit> context)
        {
            neighbours.Hear(context.Message);
            await context.Publish(new AuditCancelled { AuditId = context.Message.AuditId, Attempt = 1, Reason = context.Message.Reason, Phase = AuditStates.Asking, SpentUsd = 0.01m, CancelledAt = Sample.At(40) });
        }

        public async Task Consume(ConsumeContext<RetryAudit> context)
        {
            neighbours.Hear(context.Message);
            foreach (var answer in neighbours.OnRetry(context.Message))
                await context.Publish(answer, answer.GetType(), context.CancellationToken);
        }

        public async Task Consume(ConsumeContext<CheckIntegrity> context)
        {
            foreach (var told in neighbours.OnCompare(context.Message))
                await context.Publish(told, told.GetType(), context.CancellationToken);
            await context.RespondAsync(new IntegrityPage { Checked = 0, Unsettled = 0, Differences = [], Unanswered = [], CheckedAt = Sample.At(300) });
        }

        public Task Consume(ConsumeContext<ReportPublished> context)
        {
            neighbours.Hear(context.Message);
            return Task.CompletedTask;
        }
    }

    public sealed class Gateway(Neighbours neighbours) : IConsumer<GetSpending>, IConsumer<HaltSpending>, IConsumer<ResumeSpending>, IConsumer<GetEngines>, IConsumer<PauseEngine>, IConsumer<ResumeEngine>, IConsumer<SetEngineLimits>, IConsumer<QuoteAudit>
    {
        public Task Consume(ConsumeContext<GetSpending> context) => context.RespondAsync(new SpendingStatus
        {
            Halted = neighbours.Halted, HaltReason = neighbours.Halted ? "test" : null, BurnMicroUsdPerMinute = 12_000,
            Scopes = [new SpendingScope { Scope = "day:2026-11-22", CeilingMicroUsd = 25_000_000, ReservedMicroUsd = 400_000, SpentMicroUsd = 3_200_000, OverrunMicroUsd = 0 }],
            InDoubt = [new InDoubtCall { AuditId = neighbours.Doubtful, CallKey = "key", Engine = "chatgpt", Query = "best earbuds", Reason = "Timeout", WorstCaseMicroUsd = 21_000, SentAt = Sample.Start }],
            ByDay = context.Message.Days == 0 ? [] :
            [
                new EngineSpending { Day = "2026-11-22", Engine = "chatgpt", Tries = 12, PaidTries = 11, SpentMicroUsd = 2_500_000, InDoubtMicroUsd = 100_000, ReservedMicroUsd = 50_000 },
                new EngineSpending { Day = "2026-11-22", Engine = "claude", Tries = 7, PaidTries = 7, SpentMicroUsd = 700_000, InDoubtMicroUsd = 0, ReservedMicroUsd = 350_000 },
                new EngineSpending { Day = "2026-11-21", Engine = "claude", Tries = 3, PaidTries = 3, SpentMicroUsd = 100_000, InDoubtMicroUsd = 0, ReservedMicroUsd = 0 },
            ],
        });

        public Task Consume(ConsumeContext<HaltSpending> context)
        {
            neighbours.Halted = true;
            return context.RespondAsync(new SpendingHalted { Reason = context.Message.Reason, HaltedBy = context.Message.RequestedBy, HaltedAt = Sample.Start });
        }

        public Task Consume(ConsumeContext<ResumeSpending> context)
        {
            neighbours.Halted = false;
            return context.RespondAsync(new SpendingResumed { Reason = context.Message.Reason, ResumedBy = context.Message.RequestedBy, ResumedAt = Sample.Start });
        }

        static readonly string[] Names = ["chatgpt", "claude", "gemini", "perplexity", "advisor"];

        public Task Consume(ConsumeContext<GetEngines> context) => context.RespondAsync(List());

        public Task Consume(ConsumeContext<PauseEngine> context) => ChangeAsync(context, context.Message.Engine, () => neighbours.Paused[context.Message.Engine] = context.Message);

        public Task Consume(ConsumeContext<ResumeEngine> context) => ChangeAsync(context, context.Message.Engine, () => neighbours.Paused.Remove(context.Message.Engine));

        public Task Consume(ConsumeContext<SetEngineLimits> context) => ChangeAsync(context, context.Message.Engine, () => neighbours.Limits[context.Message.Engine] = context.Message);

        Task ChangeAsync(ConsumeContext context, string engine, Action change)
        {
            if (!Names.Contains(engine, StringComparer.Ordinal))
                return context.RespondAsync(new EngineNotChanged { Engine = engine, Detail = $"There is no engine {engine}." });
            change();
            return context.RespondAsync(List());
        }

        EngineList List() => new()
        {
            Engines = [.. Names.Select(e =>
            {
                var limits = neighbours.Limits.GetValueOrDefault(e);
                var paused = neighbours.Paused.GetValueOrDefault(e);
                return new EngineInfo
                {
                    Engine = e, Kind = "scripted", Model = "scripted-1", Simulated = true, MaxConcurrency = limits?.MaxConcurrency ?? 8, RequestsPerMinute = limits is null ? 600 : limits.RequestsPerMinute,
                    TokensPerMinute = limits?.TokensPerMinute, State = paused is null ? "ready" : "paused", PausedBy = paused?.RequestedBy, PausedAt = paused is null ? null : Sample.Start, PauseReason = paused?.Reason,
                    LimitsSetBy = limits?.RequestedBy, LimitsReason = limits?.Reason, LimitsSetAt = limits is null ? null : Sample.Start, OnTheWire = 2, Waiting = 12, RequestsInLastMinute = 41, TokensInLastMinute = 12_345,
                };
            })],
        };

        public Task Consume(ConsumeContext<QuoteAudit> context) => context.RespondAsync(new AuditQuoted
        {
            AuditId = context.Message.AuditId, Calls = 44, WorstCaseUsd = 1.25m, ExpectedUsd = 0.31m, ExpectedHalfWidth = 0.11, FitsCeiling = true,
            Engines = [.. context.Message.Audit.Engines.Select(e => new QuotedEngine { Engine = e, Kind = "scripted", Model = "scripted-1", Simulated = true, Calls = 20, WorstCaseUsd = 0.6m })],
        });
    }

    public sealed class Analyzer(Neighbours neighbours) : IConsumer<GetAnswerTexts>, IConsumer<CompareAudits>, IConsumer<EraseAnswers>, IConsumer<RederiveAudit>, IConsumer<GetPartialScores>, IConsumer<DescribeAgain>
    {
        public async Task Consume(ConsumeContext<DescribeAgain> context)
        {
            neighbours.Hear(context.Message);
            foreach (var told in neighbours.OnDescribeAgain(context.Message.AuditId))
                await context.Publish(told, told.GetType(), context.CancellationToken);
        }

        public Task Consume(ConsumeContext<GetPartialScores> context) =>
            context.RespondAsync(new PartialScores { AuditId = context.Message.AuditId, Scored = Sample.Scored(context.Message.AuditId, Guid.Empty) });

        public Task Consume(ConsumeContext<RederiveAudit> context)
        {
            neighbours.Hear(context.Message);
            var before = Sample.Scored(context.Message.AuditId, Guid.Empty);
            return context.RespondAsync(new AuditRederived
            {
                AuditId = context.Message.AuditId, MatcherVersion = "matcher-v1", AnswersRead = 4, Before = before,
                After = before with { Scores = new Dictionary<string, ScoreValue>(before.Scores, StringComparer.Ordinal) { ["visibility"] = Sample.Value(0.75, 0.58, 0.88) } },
                Names = [new TrackedName { Brand = "Anker", Name = "LI", Strictness = NameStrictness.Short }],
                Changed = [new RereadAnswer { CallKey = "key-chatgpt-q001", QueryId = "q001", Engine = "chatgpt", Found = [.. context.Message.Brand?.Aliases ?? []], Lost = [], OutcomeBefore = "valid", OutcomeAfter = "valid" }],
            });
        }

        public Task Consume(ConsumeContext<EraseAnswers> context)
        {
            if (neighbours.AnalyzerIsDown)
                return Task.CompletedTask;
            neighbours.Hear(context.Message);
            return context.RespondAsync(new AnswersErased { AuditId = context.Message.AuditId, Answers = 4 });
        }

        public Task Consume(ConsumeContext<CompareAudits> context) => neighbours.AnalyzerIsDown ? Task.CompletedTask : context.RespondAsync(new AuditsCompared
        {
            AuditId = context.Message.AuditId, EarlierAuditId = context.Message.EarlierAuditId, SharedQueries = 2,
            Changes =
            [
                new MetricChange { Metric = "visibility", Before = Sample.Value(0.5, 0.4, 0.6), After = Sample.Value(0.62, 0.45, 0.78), Difference = Sample.Value(0.12, -0.05, 0.29), Detectable = false, Verdict = "no detectable change" },
                new MetricChange { Metric = "mrr", Before = Sample.Value(0.2, 0.1, 0.3), After = Sample.Value(0.5, 0.4, 0.6), Difference = Sample.Value(0.3, 0.2, 0.4), Detectable = true, Verdict = "higher" },
            ],
        });

        public Task Consume(ConsumeContext<GetAnswerTexts> context) => neighbours.AnalyzerIsDown ? Task.CompletedTask : context.RespondAsync(new AnswerTexts
        {
            AuditId = context.Message.AuditId,
            Texts = [.. context.Message.CallKeys.Where(neighbours.Texts.ContainsKey).Select(key => new AnswerText { CallKey = key, Text = neighbours.Texts[key], TextHash = "hash" })],
        });
    }
}
