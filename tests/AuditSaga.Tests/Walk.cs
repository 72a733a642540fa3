using Assay.Contracts;
using Assay.Contracts.Internal.LlmGateway;

namespace Assay.AuditSaga.Tests;

/// <summary>Leads an audit on the bench to a phase, everybody answering as they should.</summary>
static class Walk
{
    public static async Task<RequestAudit> RequestAsync(this AuditBench bench, RequestAudit? request = null)
    {
        request ??= Given.Request();
        await bench.DeliverAsync(request);
        return request;
    }

    /// <summary>Leads a new audit to a state; an attempt that resumes goes on from where it is.</summary>
    public static async Task<Guid> ToAsync(this AuditBench bench, string state, RequestAudit? request = null)
    {
        var id = (await bench.RequestAsync(request)).AuditId;
        await bench.GoOnToAsync(id, state);
        return id;
    }

    public static async Task GoOnToAsync(this AuditBench bench, Guid id, string state)
    {
        for (var step = 0; await bench.RowAsync(id) is { IsLive: true } row && row.CurrentState != state; step++)
        {
            step.ShouldBeLessThan(30, $"the audit is still {row.CurrentState}");
            switch (row.CurrentState)
            {
                case AuditStates.Admitting:
                    await bench.DeliverAsync(Given.Opened(id, row.Attempt));
                    break;
                case AuditStates.Planning:
                    await bench.DeliverAsync(Given.Planned(id, row.Attempt));
                    break;
                case AuditStates.Asking:
                    foreach (var batch in bench.All<AskEngine>().Where(batch => row.OpenBatches.ContainsKey(batch.BatchId)))
                        await bench.DeliverAsync(Given.Analyzed(batch));
                    break;
                case AuditStates.Scoring:
                    await bench.DeliverAsync(Given.Scored(id, row.Attempt));
                    break;
                case AuditStates.Advising:
                    await bench.DeliverAsync(Given.Drafted(id, row.DraftedLayers + 1, row.Attempt));
                    break;
                case AuditStates.Publishing:
                    await bench.DeliverAsync(Given.Published(id, row.Attempt));
                    break;
            }
        }
    }
}
