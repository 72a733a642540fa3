using Assay.Contracts.Internal.Analyzer;
using MassTransit;

namespace Assay.Dashboard.Reports;

/// <summary>Asks the Analyzer, which alone keeps answers and readings.</summary>
sealed class AnalyzerClient(IRequestClient<CompareAudits> comparisons, IRequestClient<EraseAnswers> erasures)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public Task<AuditsCompared> CompareAsync(Guid auditId, Guid earlierAuditId, CancellationToken cancellationToken) =>
        AskAsync($"to compare audit {auditId} with {earlierAuditId}", () => comparisons.GetResponse<AuditsCompared>(new CompareAudits { AuditId = auditId, EarlierAuditId = earlierAuditId }, cancellationToken, Patience));

    public Task<AnswersErased> EraseAsync(Guid auditId, string by, CancellationToken cancellationToken) =>
        AskAsync($"to erase audit {auditId}", () => erasures.GetResponse<AnswersErased>(new EraseAnswers { AuditId = auditId, RequestedBy = by }, cancellationToken, Patience));

    static async Task<T> AskAsync<T>(string what, Func<Task<Response<T>>> ask) where T : class
    {
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
