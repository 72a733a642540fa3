using Assay.Contracts;
using Assay.Dashboard.Api;
using Assay.Dashboard.Database;
using Assay.Dashboard.Projections;
using MassTransit;
using MassTransit.EntityFrameworkCoreIntegration;
using Microsoft.EntityFrameworkCore;

namespace Assay.Dashboard.Audits;

/// <summary>What came of a command about an audit.</summary>
/// <param name="Status">The audit now; null when it does not exist.</param>
/// <param name="Refusal">Why the saga refused this command, if it did.</param>
/// <param name="Decided">Whether an answer arrived in time; the command is on its way in any case.</param>
sealed record CommandOutcome(AuditStatus? Status, AuditRefusal? Refusal, bool Decided);

/// <summary>
/// Sends what people and producers ask, through the outbox: once it is stored here it will arrive. Then waits a moment for the answer to
/// come back through the read model.
/// </summary>
sealed class AuditCommands(IDbContextOutbox<DashboardDbContext> outbox, AuditReader reader, AuditFeed feed, RequestTurns turns, TimeProvider time)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>In case a change was not noticed.</summary>
    static readonly TimeSpan Reread = TimeSpan.FromSeconds(4);

    DashboardDbContext Db => outbox.DbContext;

    DateTime Now => time.GetUtcNow().UtcDateTime;

    public async Task<CommandOutcome> RequestAsync(RequestAudit request, CancellationToken cancellationToken)
    {
        var before = await SendAsync(request.AuditId, request, row =>
        {
            // Listed at once, before the saga has seen it; a known audit keeps what it is.
            if (row.RequestJson is null)
                row.Take(request);
        }, cancellationToken);
        return before is { } known
            ? await AnswerAsync(request.AuditId, known, cancellationToken)
            : new CommandOutcome(null, new AuditRefusal(RejectionReasons.AuditIdReused, $"Audit {request.AuditId} was deleted, and its id with it; send the request with another id.", null, Now), true);
    }

    public async Task<CommandOutcome> RetryAsync(RetryAudit retry, CancellationToken cancellationToken)
    {
        if (await reader.StatusAsync(retry.AuditId, cancellationToken) is null)
            return new CommandOutcome(null, null, true);
        var before = await SendAsync(retry.AuditId, retry, _ => { }, cancellationToken);
        return before is { } known ? await AnswerAsync(retry.AuditId, known, cancellationToken) : new CommandOutcome(null, null, true);
    }

    public async Task<CommandOutcome> CancelAsync(CancelAudit cancel, CancellationToken cancellationToken)
    {
        var status = await reader.StatusAsync(cancel.AuditId, cancellationToken);
        if (status is null || ReadStates.IsOver(status.Status))
            return new CommandOutcome(status, null, true);
        var before = await SendAsync(cancel.AuditId, cancel, _ => { }, cancellationToken);
        return before is { } known ? await AnswerAsync(cancel.AuditId, known, cancellationToken, row => ReadStates.IsOver(row.Status)) : new CommandOutcome(null, null, true);
    }

    /// <summary>Cancels without waiting for the end: for many at once.</summary>
    public Task PostAsync<T>(Guid auditId, T message, CancellationToken cancellationToken) where T : class => SendAsync(auditId, message, _ => { }, cancellationToken);

    /// <summary>What had been decided before; null, and nothing is sent, for a deleted audit.</summary>
    async Task<(int Decisions, DateTime? RejectedAt)?> SendAsync<T>(Guid auditId, T message, Action<AuditRow> change, CancellationToken cancellationToken) where T : class
    {
        await using var transaction = await Db.Database.BeginTransactionAsync(cancellationToken);
        if (await Db.LockAuditAsync(auditId, Now, cancellationToken) is not { } row)
            return null;
        var before = (row.Decisions, row.RejectedAt);
        change(row);
        await outbox.Publish(message, cancellationToken);
        await outbox.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        outbox.NotifyCommitted();
        Db.ChangeTracker.Clear();
        return before;
    }

    async Task<CommandOutcome> AnswerAsync(Guid auditId, (int Decisions, DateTime? RejectedAt) before, CancellationToken cancellationToken, Func<AuditRow, bool>? isAnswer = null)
    {
        using var changes = feed.Subscribe(auditId);
        using var wait = turns.LeaveToWait();
        var until = time.GetUtcNow() + (wait.IsAcquired ? Patience : TimeSpan.Zero);
        while (true)
        {
            var row = await Db.Audits.AsNoTracking().SingleAsync(audit => audit.AuditId == auditId, cancellationToken);
            var decided = row.Decisions > before.Decisions && (isAnswer is null || isAnswer(row));
            if (decided || time.GetUtcNow() >= until)
            {
                var refusal = decided && row.RejectedAt is not null && row.RejectedAt != before.RejectedAt
                    ? new AuditRefusal(row.RejectionReason!, row.RejectionDetail, row.RejectionExistingAuditId, row.RejectedAt)
                    : null;
                return new CommandOutcome(await reader.StatusAsync(auditId, cancellationToken), refusal, decided);
            }

            await changes.WaitAsync(Reread, cancellationToken);
        }
    }
}
