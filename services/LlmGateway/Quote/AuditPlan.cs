using Assay.Contracts;
using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.LlmGateway.Engines;

namespace Assay.LlmGateway.Quote;

/// <summary>One engine's part of an audit's calls.</summary>
sealed record PlannedCalls(EngineDefinition Engine, string Purpose, int Calls, long WorstCaseMicroUsd, long TypicalMicroUsd);

/// <summary>What an audit will ask for: the one count that quotes and admission share.</summary>
sealed record AuditPlan
{
    /// <summary>The engine that serves planning, judging and insights.</summary>
    public const string Advisor = "advisor";

    /// <summary>18 findings, 3 syntheses, 1 summary.</summary>
    public const int InsightCalls = 22;

    public required IReadOnlyList<PlannedCalls> Parts { get; init; }

    /// <summary>Engines of the request that are not configured.</summary>
    public required IReadOnlyList<string> UnknownEngines { get; init; }

    /// <summary>Queries of the panel that count for scores: without the control query.</summary>
    public required int Queries { get; init; }

    /// <summary>Repetitions of each query.</summary>
    public int Runs { get; init; } = 1;

    /// <summary>Worst case of the cheapest call: below it nothing can be asked.</summary>
    public required long CheapestCallMicroUsd { get; init; }

    public int Calls => Parts.Sum(part => part.Calls);
    public long WorstCaseMicroUsd => Parts.Sum(part => part.WorstCaseMicroUsd);
    public long InsightsWorstMicroUsd => Parts.Where(part => part.Purpose is Purposes.Insight or Purposes.Judge).Sum(part => part.WorstCaseMicroUsd);
    public long AnswersWorstMicroUsd => InsightsWorstMicroUsd + Parts.Where(part => part.Purpose == Purposes.Answer).Sum(part => part.WorstCaseMicroUsd);

    /// <summary>Counts the calls of a request and prices each at its worst.</summary>
    public static AuditPlan Of(RequestAudit request, IEngineCatalog engines, LlmGatewayOptions options)
    {
        List<PlannedCalls> parts = [];
        List<string> unknown = [];
        List<long> single = [];
        var given = request.Queries is { Count: > 0 } queries ? queries : null;
        // A planned panel always has its control query; a given one only where it was asked for.
        var extra = given is null || request.Control ? 1 : 0;
        var planned = given is null ? (request.QueryCount ?? 0) + extra : extra;
        var advisor = engines.Find(Advisor);

        void AddBounded(EngineDefinition engine, string purpose, int calls, int bytes)
        {
            if (calls == 0)
                return;
            var worst = engine.Prices.WorstCaseMicroUsd(bytes, engine.MaxOutputTokens);
            single.Add(worst);
            parts.Add(new(engine, purpose, calls, worst * calls, Typical(engine, bytes, options) * calls));
        }

        if (given is null && advisor is not null)
            AddBounded(advisor, Purposes.Plan, 1, options.PlanPromptBytes);

        foreach (var name in request.Engines)
        {
            if (engines.Find(name) is not { } engine)
            {
                unknown.Add(name);
                continue;
            }

            if (given is not null)
            {
                var rendered = given.Distinct(StringComparer.Ordinal)
                    .Select(query => engine.Engine.Render(new EngineRequest { Text = query, Locale = request.Locale, Purpose = Purposes.Answer })).ToList();
                var worst = rendered.Select(engine.WorstCaseMicroUsd).ToList();
                single.AddRange(worst);
                parts.Add(new(engine, Purposes.Answer, rendered.Count * request.Runs, worst.Sum() * request.Runs,
                    rendered.Sum(question => Typical(engine, question.InputBytes, options)) * request.Runs));
            }

            AddBounded(engine, Purposes.Answer, planned * request.Runs, options.PlannedQueryBytes);
        }

        if (advisor is not null)
        {
            AddBounded(advisor, Purposes.Judge, Math.Min(options.JudgedAnswers, parts.Where(part => part.Purpose == Purposes.Answer).Sum(part => part.Calls)), options.JudgePromptBytes);
            AddBounded(advisor, Purposes.Insight, InsightCalls, options.InsightPromptBytes);
        }

        return new AuditPlan
        {
            Parts = parts,
            UnknownEngines = unknown,
            Queries = given?.Distinct(StringComparer.Ordinal).Count() ?? request.QueryCount ?? 0,
            Runs = request.Runs,
            CheapestCallMicroUsd = single.Count == 0 ? 0 : single.Min(),
        };
    }

    /// <summary>Half-width of the 95 % interval of visibility that is to be expected; 1 where nothing would be asked.</summary>
    public double ExpectedHalfWidth => Engines is var engines && Queries > 0 && engines > 0 && Runs > 0 ? ExpectedPrecision.HalfWidth(Queries, engines, Runs) : 1;

    int Engines => Parts.Where(part => part.Purpose == Purposes.Answer).Select(part => part.Engine.Name).Distinct(StringComparer.Ordinal).Count();

    /// <summary>The engines that the audit will use and what they mean now.</summary>
    public IReadOnlyList<PinnedEngine> Pins() => [.. Parts.Select(part => part.Engine).DistinctBy(engine => engine.Name).Select(PinnedEngine.Of)];

    static long Typical(EngineDefinition engine, int bytes, LlmGatewayOptions options) =>
        // About four bytes make a token in the languages most asked in.
        engine.Prices.ActualMicroUsd((bytes + 3) / 4, Math.Min(options.TypicalOutputTokens, engine.MaxOutputTokens), searchUsed: engine.Prices.SearchUsd > 0);
}

/// <summary>What an engine name meant when the audit's budget was first opened, its prices included.</summary>
sealed record PinnedEngine
{
    public required string Engine { get; init; }
    public required string Kind { get; init; }
    public required string Model { get; init; }
    public required bool Simulated { get; init; }
    public required string ParametersHash { get; init; }
    public required EnginePrices Prices { get; init; }

    public static PinnedEngine Of(EngineDefinition engine) => new()
    {
        Engine = engine.Name,
        Kind = engine.Kind,
        Model = engine.Model,
        Simulated = engine.Simulated,
        ParametersHash = engine.ParametersHash,
        Prices = engine.Prices,
    };

    public EnginePin ToContract() => new() { Engine = Engine, Kind = Kind, Model = Model, Simulated = Simulated, ParametersHash = ParametersHash };

    /// <summary>What differs between this pin and the engine as it is configured now, for a reader; null if nothing does.</summary>
    public string? DifferenceTo(EngineDefinition? now) => now switch
    {
        null => $"engine '{Engine}' is not configured any more",
        _ when now.Kind != Kind => $"engine '{Engine}' was {Kind} and is {now.Kind} now",
        _ when now.Model != Model => $"engine '{Engine}' asked model '{Model}' and asks '{now.Model}' now",
        _ when now.ParametersHash != ParametersHash => $"engine '{Engine}' has other parameters now",
        _ when now.Prices != Prices => $"engine '{Engine}' has other prices now",
        _ => null,
    };
}
