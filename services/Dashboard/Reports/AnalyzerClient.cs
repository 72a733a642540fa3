using Assay.Contracts.Internal.Analyzer;
using Assay.Dashboard.Api;
using Assay.Dashboard.Rederive;
using MassTransit;

namespace Assay.Dashboard.Reports;

/// <summary>Asks the Analyzer, which alone keeps answers and readings.</summary>
sealed class AnalyzerClient(IRequestClient<CompareAudits> comparisons, IRequestClient<EraseAnswers> erasures, IRequestClient<RederiveAudit> rederivations, IRequestClient<GetPartialScores> partials, RequestTurns turns)
{
    /// <summary>Somebody sits before the page that asks.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    /// <summary>Nobody waits for it twice: what is given up may be done all the same.</summary>
    static readonly TimeSpan PatienceToErase = TimeSpan.FromSeconds(15);

    /// <summary>Thousands of answers may have to be read.</summary>
    static readonly TimeSpan PatienceToRead = TimeSpan.FromSeconds(120);

    public Task<AuditsCompared> CompareAsync(Guid auditId, Guid earlierAuditId, CancellationToken cancellationToken, TimeSpan? patience = null) =>
        AskAsync($"to compare audit {auditId} with {earlierAuditId}", () => comparisons.GetResponse<AuditsCompared>(new CompareAudits { AuditId = auditId, EarlierAuditId = earlierAuditId }, cancellationToken, patience ?? Patience));

    public async Task<AuditScored?> PartialScoresAsync(Guid auditId, TimeSpan patience, CancellationToken cancellationToken) =>
        (await AskAsync($"to score what was answered of audit {auditId}", () => partials.GetResponse<PartialScores>(new GetPartialScores { AuditId = auditId }, cancellationToken, patience))).Scored;

    public Task<AnswersErased> EraseAsync(Guid auditId, string by, CancellationToken cancellationToken) =>
        AskAsync($"to erase audit {auditId}", () => erasures.GetResponse<AnswersErased>(new EraseAnswers { AuditId = auditId, RequestedBy = by }, cancellationToken, PatienceToErase));

    public Task<AuditRederived> RederiveAsync(Guid auditId, RederiveBody names, CancellationToken cancellationToken) =>
        AskAsync($"to re-derive audit {auditId}", () => rederivations.GetResponse<AuditRederived>(
            new RederiveAudit { AuditId = auditId, Brand = names.Brand, Competitors = names.Competitors, MetricsVersion = names.MetricsVersion }, cancellationToken, PatienceToRead));

    async Task<T> AskAsync<T>(string what, Func<Task<Response<T>>> ask) where T : class
    {
        turns.Leave();
        try
        {
            return (await ask()).Message;
        }
        catch (Exception exception) when (exception is RequestTimeoutException or RequestFaultException)
        {
            throw new TextsUnavailableException($"The Analyzer was asked {what} and did not answer: {exception.Message} Check that it runs, then ask again.", exception);
        }
    }
}
