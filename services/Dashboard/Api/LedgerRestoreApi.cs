using Assay.Contracts.Internal;
using Assay.Contracts.Internal.LlmGateway;
using Assay.Dashboard.Access;
using Assay.Dashboard.Operations;
using Assay.Dashboard.Spending;
using MassTransit;

namespace Assay.Dashboard.Api;

/// <summary>What became of a restored ledger, in dollars.</summary>
public sealed record LedgerRecoveryView(
    bool WasRestored, long LedgerSequence, long HighestSequence, DateTime? UnknownFrom, DateTime? UnknownTo, IReadOnlyList<Guid> FailedAudits, IReadOnlyList<Guid> FencedAudits, IReadOnlyList<ForgottenView> Forgotten);

public sealed record ForgottenView(Guid AuditId, int Attempt, string State, decimal SeenUsd, decimal KnownUsd, DateTime LastProgressAt);

/// <summary>POST /api/spending/after-restore: ends the halt of a ledger whose database was restored to an earlier point.</summary>
static class LedgerRestoreApi
{
    /// <summary>Failing every live audit takes a moment each.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    public static void Map(RouteGroupBuilder api) =>
        api.MapPost("/spending/after-restore", async Task<IResult> (ReasonBody body, HttpContext context, IRequestClient<RecoverLedger> recover, OperatorTrail trail, CancellationToken cancellationToken) =>
            {
                if (string.IsNullOrWhiteSpace(body.Reason))
                    return Problems.BadInput("reason", "is missing; say why, it is kept with who and when");
                await trail.RecordAsync(Callers.NameOf(context), "after-restore", null, body.Reason, null, cancellationToken);
                return TypedResults.Ok(await RecoverAsync(recover, body.Reason, Callers.NameOf(context), cancellationToken));
            })
            .RequireAuthorization(Policies.OperateByKey).Produces<LedgerRecoveryView>().ProducesProblem(400).ProducesProblem(503).WithTags("Spending")
            .WithSummary("After the gateway's database was restored: fails and fences unfinished audits, lists what the ledger has forgotten, and lets calls leave again.");

    static async Task<LedgerRecoveryView> RecoverAsync(IRequestClient<RecoverLedger> recover, string reason, string by, CancellationToken cancellationToken)
    {
        try
        {
            var done = (await recover.GetResponse<LedgerRecovered>(new RecoverLedger { Reason = reason, RequestedBy = by }, cancellationToken, Patience)).Message;
            return new(done.WasRestored, done.LedgerSequence, done.HighestSequence, done.UnknownFrom, done.UnknownTo, done.FailedAudits, done.FencedAudits,
                [.. done.Forgotten.Select(audit => new ForgottenView(audit.AuditId, audit.Attempt, audit.State, MicroUsd.ToUsd(audit.SeenMicroUsd), MicroUsd.ToUsd(audit.KnownMicroUsd), audit.LastProgressAt))]);
        }
        catch (Exception exception) when (exception is RequestTimeoutException or RequestFaultException)
        {
            throw new GatewayUnavailableException($"The gateway was asked to recover its restored ledger and did not answer: {exception.Message} Check that gateway and saga run (/health/ready), then ask again: what is done already is not done twice.", exception);
        }
    }
}
