using Assay.Contracts.Internal.Analyzer;
using Assay.Contracts.Internal.LlmGateway;
using MassTransit;
using Microsoft.EntityFrameworkCore;

namespace Assay.Analyzer.Tests.AnalyzeAnswers;

/// <summary>A batch is read before its transaction begins; what fails there is tried again, and told, like what fails in it.</summary>
public sealed class LosingTheDatabaseBeforeReading
{
    static readonly string With = string.Join(' ', Enumerable.Repeat("I would recommend the Soundcore Sport X20 for working out.", 4));

    [Theory]
    [InlineData("sqlite")]
    [InlineData("postgresql")]
    public async Task Should_tell_of_the_batch_when_all_tries_have_failed(string database)
    {
        await using var analyzer = await AnalyzerHost.OnAsync(database);
        var answered = await PlannedAsync(analyzer);
        await analyzer.InDatabaseAsync(db => db.Database.ExecuteSqlRawAsync("ALTER TABLE plan RENAME TO plan_gone"));

        await analyzer.SendAsync(answered);

        (await analyzer.HearAsync<Fault<EngineAnswered>>()).Message.BatchId.ShouldBe(answered.BatchId);
    }

    static async Task<EngineAnswered> PlannedAsync(AnalyzerHost analyzer)
    {
        var audit = NewId.NextGuid();
        await analyzer.SendAsync(new Contracts.Internal.Analyzer.PlanQueries { AuditId = audit, Attempt = 1, Request = Requests.Anker(audit), AdvisorAvailable = false, DeadlineAt = DateTime.UtcNow.AddMinutes(30) });
        await analyzer.HearAsync<QueriesPlanned>();
        return Answers.Batch(audit, NewId.NextGuid(), Purposes.Answer, Answers.Answered("k1", "q001", With));
    }

}
