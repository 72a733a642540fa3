using Assay.Analyzer.AnalyzeAnswers;
using Assay.Analyzer.Database;
using Assay.Analyzer.PlanQueries;
using Assay.Analyzer.ReadAnswer;
using Assay.Analyzer.Score.Metrics;
using Assay.Analyzer.ScoreAudit;
using Assay.Contracts;
using Assay.Contracts.Internal.Analyzer;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Command = Assay.Contracts.Internal.Analyzer.RederiveAudit;

namespace Assay.Analyzer.RederiveAudit;

/// <summary>Reads a past audit's stored answers again under other names or newer rules, and scores both. Costs nothing and changes nothing.</summary>
sealed class RederiveAuditConsumer(AnalyzerDbContext db, TimeProvider time) : IConsumer<Command>
{
    /// <summary>Texts are loaded in pages: an audit may hold twenty thousand.</summary>
    const int PageSize = 250;

    const int MaxChanged = 500;

    public async Task Consume(ConsumeContext<Command> context)
    {
        var message = context.Message;
        var cancellationToken = context.CancellationToken;
        var subject = await db.Subjects.AsNoTracking().SingleOrDefaultAsync(x => x.AuditId == message.AuditId, cancellationToken);
        if (message.MetricsVersion is { } version && !MetricsVersions.All.Contains(version, StringComparer.Ordinal))
        {
            await context.RespondAsync(NotDerived(message, $"Audit {message.AuditId} cannot be scored under '{version}': this release knows {string.Join(", ", MetricsVersions.All)}. Choose one of them, or leave it out for the newest."));
            return;
        }

        var before = await ScoredPanel.ReadLatestAsync(db, message.AuditId, cancellationToken)
            ?? await ScoredPanel.ReadPartialAsync(db, message.AuditId, time.GetUtcNow().UtcDateTime, cancellationToken);
        if (subject is null || before is null)
        {
            await context.RespondAsync(NotDerived(message, $"Audit {message.AuditId} has no valid answer here, so there is nothing to read again."));
            return;
        }

        var own = subject.ReadRequest();
        var request = own with { Brand = message.Brand ?? own.Brand, Competitors = message.Competitors ?? own.Competitors };
        var brands = TrackedBrands.Of(request);
        var fictitious = TrackedBrands.OnlyOf(QueryPlanner.FictitiousBrand(own, TrackedBrands.Of(own).AreNamedIn));
        var callKeys = (await db.AnalyzedBatches.AsNoTracking().Where(x => x.AuditId == message.AuditId && before.BatchIds.Contains(x.BatchId)).ToArrayAsync(cancellationToken))
            .SelectMany(batch => batch.ReadCallKeys()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();

        var answers = new List<PanelAnswer>(callKeys.Count);
        var changed = new List<RereadAnswer>();
        var read = 0;
        foreach (var page in callKeys.Chunk(PageSize))
        {
            var rows = await db.Answers.AsNoTracking().Where(x => x.AuditId == message.AuditId && page.Contains(x.CallKey)).ToArrayAsync(cancellationToken);
            foreach (var row in rows)
            {
                var (answer, difference) = Reread(row, request, brands, fictitious);
                answers.Add(answer);
                read += row.Reading is null ? 0 : 1;
                if (difference is not null && changed.Count < MaxChanged)
                    changed.Add(difference);
            }
        }

        await context.RespondAsync(new AuditRederived
        {
            AuditId = message.AuditId,
            MatcherVersion = AnswerReader.Version,
            Before = before.Scored,
            After = ScoreCalculation.Calculate(message.AuditId, before.Scored.Attempt, before.Scored.ScoreId, answers, time.GetUtcNow().UtcDateTime),
            Names = brands.Names,
            AnswersRead = read,
            Changed = changed,
        });
    }

    /// <summary>One answer under other names: what it counts as now, and what differs; null where nothing does.</summary>
    internal static (PanelAnswer Answer, RereadAnswer? Difference) Reread(AnswerRow row, RequestAudit request, TrackedBrands brands, TrackedBrands fictitious)
    {
        var branded = !row.Control && brands.AreNamedIn(row.Query);
        if (row.Reading is null || row.Text is null)
        {
            var nothing = new ScoredAnswer
            {
                Query = row.Query,
                Category = row.Category,
                IsBranded = branded,
                IsControl = row.Control,
                Engine = row.Engine,
                Run = row.Run,
                IsValid = false,
                Brands = [.. brands.Lexicon.Brands.Select(brand => new ScoredBrand { Brand = brand.Name })],
            };
            return (Panel(row, row.Outcome, row.Reason, nothing), null);
        }

        var sources = JsonColumn.Read<List<Contracts.Internal.LlmGateway.AnswerSource>>(row.Sources, $"the sources of answer {row.CallKey} of audit {row.AuditId}");
        var reading = AnswerReader.Read(new AnswerToRead
        {
            Text = row.Text,
            Query = row.Query,
            Locale = request.Locale,
            Sources = [.. sources.Select(source => new AnswerSource(source.Url, source.Title))],
        }, brands.Lexicon);
        var (outcome, reason) = AnswerIntake.Judge(reading, row.Outcome == AnswerOutcomes.Valid ? row.Reason : null);
        var scored = ScoredAnswer.From(
            reading, row.Query, row.Engine, row.Run, branded, row.Category, searchOn: row.SearchUsed ?? false, isControl: row.Control,
            fictitiousMentioned: row.Control && outcome == AnswerOutcomes.Valid && fictitious.AreNamedIn(row.Text, row.Query));

        var was = Names(ReadingColumn.Read(row.Reading, row.AuditId, row.CallKey));
        var now = Names(reading);
        RereadAnswer? difference = was.SetEquals(now) && outcome == row.Outcome ? null : new()
        {
            CallKey = row.CallKey,
            QueryId = row.QueryId,
            Engine = row.Engine,
            Found = [.. now.Except(was, StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            Lost = [.. was.Except(now, StringComparer.Ordinal).Order(StringComparer.Ordinal)],
            OutcomeBefore = row.Outcome,
            OutcomeAfter = outcome,
        };
        return (Panel(row, outcome, reason, scored with { IsValid = outcome == AnswerOutcomes.Valid }), difference);
    }

    static HashSet<string> Names(AnswerReading reading) => reading.Brands.Where(brand => brand.Mentioned).Select(brand => brand.Brand).ToHashSet(StringComparer.Ordinal);

    static PanelAnswer Panel(AnswerRow row, string outcome, string? reason, ScoredAnswer scored) => new()
    {
        QueryId = row.QueryId,
        Engine = row.Engine,
        Model = row.RequestedModel,
        Simulated = row.Simulated,
        Outcome = outcome,
        Reason = reason,
        Reused = row.Reused,
        Scored = scored,
    };

    static AuditRederived NotDerived(Command message, string reason) =>
        new() { AuditId = message.AuditId, Reason = reason, MatcherVersion = AnswerReader.Version, AnswersRead = 0, Changed = [] };
}

/// <summary>Only reads, one at a time: reading a large audit again is work that live audits should not wait for.</summary>
sealed class RederiveAuditConsumerDefinition : ConsumerDefinition<RederiveAuditConsumer>
{
    public RederiveAuditConsumerDefinition() => ConcurrentMessageLimit = 1;
}
