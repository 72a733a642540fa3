using Assay.AuditSaga.Database;
using Assay.AuditSaga.Transitions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Assay.AuditSaga.Integrity;

/// <summary>
/// The one row that says when the services are compared next. Whoever moves it on has the round; the others find it not due. A round whose
/// instance dies is due again once its claim has run out.
/// </summary>
public sealed class IntegrityRound
{
    /// <summary>The only key there may be.</summary>
    public const int OnlyId = 1;

    public int Id { get; set; } = OnlyId;

    /// <summary>When the next round may be claimed (UTC); during a round, when its claim runs out.</summary>
    public DateTime DueAt { get; set; }

    /// <summary>Who claimed the last round.</summary>
    public string Worker { get; set; } = "";

    /// <summary>When a round was last finished.</summary>
    public DateTime? ComparedAt { get; set; }
}

/// <summary>Claims the daily round for one of the instances. One guarded UPDATE decides.</summary>
sealed class IntegrityRounds(AuditSagaDbContext database, IOptions<AuditSagaOptions> options, TimeProvider clock)
{
    /// <summary>A claim is renewed with every page, which takes seconds; minutes of difference between two hosts' clocks do no harm either.</summary>
    internal static readonly TimeSpan Claim = TimeSpan.FromMinutes(10);

    /// <summary>Takes the round if it is due.</summary>
    /// <param name="claim">Unique to this round of this instance.</param>
    public async Task<bool> TakeAsync(string claim, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        await database.Database.ExecuteSqlAsync(
            $"INSERT INTO integrity_round (id, due_at, worker) VALUES ({IntegrityRound.OnlyId}, {now}, {""}) ON CONFLICT DO NOTHING", cancellationToken);
        return await database.IntegrityRounds.Where(round => round.DueAt <= now)
            .ExecuteUpdateAsync(set => set.SetProperty(round => round.DueAt, now + Claim).SetProperty(round => round.Worker, claim), cancellationToken) == 1;
    }

    /// <summary>Keeps the round for another while.</summary>
    /// <returns>False if it took so long that another instance has it.</returns>
    public async Task<bool> RenewAsync(string claim, CancellationToken cancellationToken)
    {
        var until = clock.GetUtcNow().UtcDateTime + Claim;
        return await database.IntegrityRounds.Where(round => round.Worker == claim)
            .ExecuteUpdateAsync(set => set.SetProperty(round => round.DueAt, until), cancellationToken) == 1;
    }

    /// <summary>The round is done; the next is due an interval later.</summary>
    public async Task FinishAsync(string claim, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var next = now + options.Value.IntegrityInterval;
        await database.IntegrityRounds.Where(round => round.Worker == claim)
            .ExecuteUpdateAsync(set => set.SetProperty(round => round.DueAt, next).SetProperty(round => round.ComparedAt, now), cancellationToken);
    }

    /// <summary>A name for one round of this instance.</summary>
    public static string NewClaim() => $"{Worker.Name}/{Guid.NewGuid():N}";
}
